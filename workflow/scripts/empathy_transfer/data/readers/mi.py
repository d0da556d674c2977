"""MI: sentences of peer supporters, coded with behaviours of motivational interviewing."""

import re

import pandas

from empathy_transfer.data.lost_rows import tell_lost_rows
from empathy_transfer.data.raw_text import refuse_names
from empathy_transfer.data.readers.common import (
    context_policy,
    join_turns,
    ordered_columns,
    read_delimited,
    require_columns,
    row_numbers,
    text_key,
)

# The study has 14 behaviours: sentences without a label or with `Other` are left out.
LEFT_OUT = ("", "-", "other")


def read(files, form, task):
    """Read the coded listener sentences; label column `behavior`, in lower case.

    The layout is told by the file's columns: the full release (dialogues), or the authors' test fold (sentences with
    true and predicted labels; the predictions are never used). Raises DataError.
    """
    [path] = files.values()
    table = read_delimited(path, quote="double")
    if "Ground truth" in table.columns:
        frame = _read_sentences(table, path)
    else:
        frame = _read_dialogues(table, path, context_policy(form, task, ["none", "previous_turn"]))
    kept = frame[~frame["behavior"].isin(LEFT_OUT)]
    tell_lost_rows(path.name, len(frame) - len(kept), len(frame), "sentences without a label, or with Other", allowed=1)
    return ordered_columns(kept, ["behavior"])


def _read_sentences(table, path):
    """Sentences without dialogues; equal sentences share a group, since they repeat."""
    require_columns(table, ["Text", "Ground truth"], path)
    return table.assign(
        id="row" + row_numbers(table),
        group=["mi:" + text_key(text) for text in table["Text"]],
        context=None,
        text=table["Text"],
        behavior=_lower(table["Ground truth"]),
    )


def _read_dialogues(table, path, policy):
    """Listener sentences of dialogues; `previous_turn` is the nearest earlier text of the speaker.

    Only four columns are known for sure, and their names vary in spaces and underscores between descriptions.
    """
    table = table.rename(columns={name: re.sub(r"[\s_]+", "_", str(name).strip().lower()) for name in table.columns})
    refuse_names(list(table.columns), (), path)
    require_columns(table, ["dialog_id", "author", "text", "final_agreed_label"], path)
    table = table.assign(author=_lower(table["author"]))
    last_said, contexts = {}, []
    for row in table.itertuples():
        if row.author == "speaker" and row.text.strip():
            last_said[row.dialog_id] = join_turns([row.text])
        contexts.append(last_said.get(row.dialog_id) if policy == "previous_turn" else None)
    position = (table.groupby("dialog_id").cumcount() + 1).astype("str")
    table = table.assign(
        id=table["dialog_id"] + "-" + position,
        group="mi:" + table["dialog_id"],
        context=pandas.Series(contexts, dtype="object", index=table.index),
        behavior=_lower(table["final_agreed_label"]),
    )
    return table[table["author"] == "listener"]


def _lower(column):
    """Values without the differences in case and spacing that descriptions of the release show."""
    return column.str.split().str.join(" ").str.lower()
