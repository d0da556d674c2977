"""Conv: crowd conversations about news articles, rated turn by turn, WASSA 2023 conversation level."""

from pathlib import Path

import pandas

from empathy_transfer.data.readers.common import AGAIN, check_policy, context_policy, earlier_turns, ordered_columns
from empathy_transfer.data.readers.wassa import conversation_groups, labelled_rows
from empathy_transfer.errors import DataError, shown

TRAIN = "WASSA23_conv_level_with_labels_train.tsv"
DEV = "WASSA23_conv_level_dev.tsv"
GOLD = "goldstandard_CONV_dev.tsv"
LABELS = ["EmotionalPolarity", "Emotion", "Empathy"]  # in the order of the headless label file


def read(files: dict[str, Path], form: dict, task: dict) -> pandas.DataFrame:
    """Read the 11,176 turns with labels; label columns `EmotionalPolarity`, `Emotion`, `Empathy`.

    First turns have no context and are kept, as in the study. Raises DataError.
    """
    policy = check_policy(context_policy(form, task), ["none", "previous_turn", "all_previous"], "conv")
    frame = labelled_rows(files, TRAIN, DEV, GOLD, LABELS, ["conversation_id", "turn_id", "text"])
    # The files order turns as strings (0, 1, 10, 11, 2): without this, contexts would hold later turns.
    frame = frame.assign(turn=_turn_numbers(frame)).sort_values(
        ["conversation_id", "turn"], kind="stable", ignore_index=True
    )
    frame = frame.assign(
        id=frame["conversation_id"] + "-" + frame["turn_id"],
        group=conversation_groups(frame["conversation_id"]),
        context=earlier_turns(frame["text"].tolist(), frame["conversation_id"].tolist(), policy),
    )
    return ordered_columns(frame, LABELS)


def _turn_numbers(frame: pandas.DataFrame) -> pandas.Series:
    """The column `turn_id` as integers; raises DataError naming the first that isn't one."""
    wrong = frame[~frame["turn_id"].str.fullmatch(r"\d+")]
    if len(wrong):
        first = wrong.iloc[0]
        raise DataError(f"{first['place']}, column 'turn_id': {shown(first['turn_id'])} is not a number. {AGAIN}")
    return frame["turn_id"].astype("int64")
