"""News: essays on news articles, WASSA 2023 essay level."""

from empathy_transfer.data.readers.common import PLACE, context_policy, ordered_columns, text_key
from empathy_transfer.data.readers.wassa import conversation_groups, labelled_rows
from empathy_transfer.errors import DataError, shown

TRAIN = "WASSA23_essay_level_with_labels_train.tsv"
DEV = "WASSA23_essay_level_dev.tsv"
GOLD = "goldstandard_dev.tsv"


def read(files, form, task):
    """Read the 1,000 essays with labels; label columns `empathy`, `distress`, `emotion`.

    `emotion` is the first of an essay's emotions, as in the study, in lower case. Essays have no context. Raises
    DataError, also if the same essay stands in two groups.
    """
    context_policy(form, task, ["none"])
    # Standard quoting: without it, stray quotes would stay around dozens of essays.
    frame = labelled_rows(
        files, TRAIN, DEV, GOLD, ["empathy", "distress", "emotion"], ["conversation_id", "essay_id", "essay"]
    )
    frame = frame.assign(
        id=frame["essay_id"],
        group=conversation_groups(frame["conversation_id"]),
        context=None,
        text=frame["essay"],
        emotion=frame["emotion"].str.split("/").str[0].str.strip().str.lower(),
    )
    _refuse_same_essay_in_two_groups(frame)
    return ordered_columns(frame, ["empathy", "distress", "emotion"])


def _refuse_same_essay_in_two_groups(frame):
    """Raise DataError if an essay could end up in two splits."""
    keys = frame["text"].map(text_key)
    groups_per_essay = frame.groupby(keys)["group"].nunique()
    shared = keys[keys.isin(groups_per_essay.index[groups_per_essay > 1]) & (frame["text"].str.strip() != "")]
    if len(shared):
        rows = frame.loc[shared.index[shared == shared.iloc[0]]]
        raise DataError(
            f"{' and '.join(rows[PLACE])}: the same essay in conversations "
            f"{', '.join(map(shown, rows['conversation_id']))}. Join these "
            "conversations in SAME_ESSAY of empathy_transfer/data/readers/wassa.py, so that they stay in one split."
        )
