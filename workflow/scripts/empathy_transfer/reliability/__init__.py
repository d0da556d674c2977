"""How reliable labels, ratings and scores are, and what that does to the numbers of a study."""
