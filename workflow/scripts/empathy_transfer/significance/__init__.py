"""Which differences are more than chance: paired tests on the same items, families of tests, themes."""
