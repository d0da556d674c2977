"""What is known of a pair of tasks before its transfer is trained: features, similarities, estimators."""
