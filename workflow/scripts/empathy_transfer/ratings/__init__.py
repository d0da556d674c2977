"""Construct ratings of the tasks: agreement of raters, and the themes made from them."""
