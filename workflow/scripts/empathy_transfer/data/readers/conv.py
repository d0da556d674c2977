"""Conv: crowd conversations about news articles, rated turn by turn, WASSA 2023 conversation level."""

from empathy_transfer.data.readers.common import AGAIN, context_policy, earlier_turns, ordered_columns, refuse
from empathy_transfer.data.readers.wassa import conversation_groups, labelled_rows

TRAIN = "WASSA23_conv_level_with_labels_train.tsv"
DEV = "WASSA23_conv_level_dev.tsv"
GOLD = "goldstandard_CONV_dev.tsv"
LABELS = ["EmotionalPolarity", "Emotion", "Empathy"]  # in the order of the headless label file


def read(files, form, task):
    """Read the 11,176 turns with labels; label columns `EmotionalPolarity`, `Emotion`, `Empathy`.

    First turns have no context and are kept, as in the study. Raises DataError.
    """
    policy = context_policy(form, task, ["none", "previous_turn", "all_previous"])
    frame = labelled_rows(files, TRAIN, DEV, GOLD, LABELS, ["conversation_id", "turn_id", "text"])
    refuse(frame, ~frame["turn_id"].str.fullmatch(r"[0-9]+"), "turn_id", f"{{}} is not a number. {AGAIN}")
    # The files order turns as strings (0, 1, 10, 11, 2): without this, contexts would hold later turns.
    frame = frame.assign(turn=frame["turn_id"].astype("int64"))
    frame = frame.sort_values(["conversation_id", "turn"], kind="stable", ignore_index=True)
    frame = frame.assign(
        id=frame["conversation_id"] + "-" + frame["turn_id"],
        group=conversation_groups(frame["conversation_id"]),
        context=earlier_turns(frame["text"].tolist(), frame["conversation_id"].tolist(), policy),
    )
    return ordered_columns(frame, LABELS)
