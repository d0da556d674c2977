"""Which parts of the data are compared: what an adapter has seen, and what scores and best epochs come from."""

# A source's adapter learns from the first part, and stops by the second.
SOURCE_SPLITS = ("train", "validation")
HELD_OUT = ("validation", "test")
# Both parts of a source together, as the column `source_split` names them.
EITHER = "train or validation"
