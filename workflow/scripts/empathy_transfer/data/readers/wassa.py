"""What News and Conv have in common: the package of WASSA 2023, and the conversations that both are about."""

import pandas

from empathy_transfer.data.readers.common import AGAIN, PLACE, named_file, read_delimited, read_headless
from empathy_transfer.errors import DataError

# One essay text was handed in twice, in two conversations. Both count as the first one in News *and* in Conv, else the
# same essay could stand in training and test data. Key: a conversation id; value: the one it is joined with.
SAME_ESSAY = {"449": "443"}


def labelled_rows(files, train, dev, gold, gold_columns, columns):
    """The training file and the dev file with its labels, which lie in a headless file row by row, as one frame.

    Raises DataError if dev file and labels differ in length, or for a missing column.
    """
    labelled = read_delimited(named_file(files, train), [*columns, *gold_columns])
    unlabelled = read_delimited(named_file(files, dev), columns)
    labels = read_headless(named_file(files, gold), gold_columns)
    if len(unlabelled) != len(labels):
        raise DataError(
            f"{dev} has {len(unlabelled)} rows but its labels {gold} have {len(labels)}; one is cut off. {AGAIN}"
        )
    for column in gold_columns:
        unlabelled[column] = labels[column]
    kept = [*columns, *gold_columns, PLACE]
    return pandas.concat([labelled[kept], unlabelled[kept]], ignore_index=True)


def conversation_groups(conversation_ids):
    """The global group of each row: its conversation, or the one that this is joined with."""
    return "wassa:" + conversation_ids.replace(SAME_ESSAY)
