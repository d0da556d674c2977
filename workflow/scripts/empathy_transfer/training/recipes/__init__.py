"""Recipes: what is trained on what. A recipe is a function of a run's key, its inputs and its settings."""
