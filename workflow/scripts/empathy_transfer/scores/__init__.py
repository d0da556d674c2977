"""Scores of all runs, percent improvements of transfers, and their tables and heat maps."""
