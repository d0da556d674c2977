"""The analysis on studies whose truth is known: error rates, power, coverage."""
