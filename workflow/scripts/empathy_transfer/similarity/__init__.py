"""Empathic similarity of two stories: models, their scores and comparisons, and what human raters agree on."""
