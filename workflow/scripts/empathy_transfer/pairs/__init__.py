"""Pairs of texts with one label: their splits, and what is counted of them."""
