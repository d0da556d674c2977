"""From raw files to the token ids of a task: reading, splits, subsets, variants."""
