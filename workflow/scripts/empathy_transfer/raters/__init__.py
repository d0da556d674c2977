"""Raters of pairs of texts: their scores, what is better than what, tables, figures and one page."""
