"""Which features of a pair predict its transfer: permutation importance, held-out fit, ranking of sources."""
