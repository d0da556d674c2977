"""EmpQT: questions that listeners ask in EmpatheticDialogues, with their act and their intent."""

import ast

import pandas

from empathy_transfer.data.lost_rows import tell_lost_rows
from empathy_transfer.data.readers.common import (
    AGAIN,
    PLACE,
    context_policy,
    earlier_turns,
    join_turns,
    ordered_columns,
    read_delimited,
    refuse,
    require_columns,
)
from empathy_transfer.errors import DataError, shown

# The full release says who gave each label: the authors, crowd workers, nearest neighbours, or a classifier.
SOURCES = {"manual": "human", "mturk": "human", "sbert": "model", "qbert": "model"}
LISTS = ["utterance_split", "labeled_question_idx", "act_list", "intent_list", "act_source", "intent_source"]


def read(files, form, task):
    """Read one row per question; label columns `act` and `intent` in lower case, and `label_source`.

    The text is the turn up to and including the question, the context comes from the turns before. The layout is told
    by the file's columns: the full release (a row per turn, with lists of questions), or the authors' held-out set.
    `label_source` is that of the task's own label. Raises DataError.
    """
    policy = context_policy(form, task, ["none", "previous_turn", "all_previous"])
    label = "intent" if task.get("label") == "intent" else "act"
    [path] = files.values()
    table = read_delimited(path, quote="double")
    frame = (
        _read_held_out(table, path, policy)
        if "utterance_truncated" in table.columns
        else _read_full(table, path, policy, label)
    )
    labelled = frame[frame[label] != ""]
    tell_lost_rows(path.name, len(frame) - len(labelled), len(frame), f"questions without an {label}", allowed=1)
    return ordered_columns(labelled, ["act", "intent", "label_source"])


def _read_held_out(table, path, policy):
    """Questions with the dialogue up to them in one field, turns joined by space, line break, space."""
    require_columns(table, ["id", "utterance_truncated", "type", "intent"], path)
    wrong = ~table["id"].str.fullmatch(r".+-[0-9]+-[0-9]+")
    refuse(table, wrong, "id", f"{{}} is not <dialogue>-<turn>-<sentence>. {AGAIN}")
    turns = table["utterance_truncated"].str.split(" \n ")
    earlier = {"none": slice(0, 0), "previous_turn": slice(-2, -1), "all_previous": slice(0, -1)}[policy]
    return table.assign(
        group="empdial:" + table["id"].str.rsplit("-", n=2).str[0],
        context=[join_turns(said[earlier]) for said in turns],
        text=[said[-1].strip() for said in turns],
        act=table["type"].str.strip().str.lower(),
        intent=table["intent"].str.strip().str.lower(),
        # By people or by nearest neighbours; this file does not say which label is whose.
        label_source="mixed",
    )


def _read_full(table, path, policy, label):
    """One row per labelled question of a table of turns."""
    require_columns(table, ["conv_id", "utterance_idx", "utterance", *LISTS], path)
    wrong = ~table["utterance_idx"].str.fullmatch(r"[0-9]+")
    refuse(table, wrong, "utterance_idx", f"{{}} is not a number. {AGAIN}")
    table = table.assign(turn=table["utterance_idx"].astype("int64"))
    table = table.sort_values(["conv_id", "turn"], kind="stable", ignore_index=True)
    said = table["utterance"].map(_commas).tolist()
    table = table.assign(context=pandas.Series(earlier_turns(said, table["conv_id"].tolist(), policy), dtype="object"))
    questions = [question for _, row in table.iterrows() for question in _questions(row, label)]
    if not questions:
        raise DataError(f"{path.name}: no labelled question in the whole file. {AGAIN}")
    return pandas.DataFrame(questions)


def _questions(row, label):
    """The labelled questions of one turn."""
    asked = _list(row, "labeled_question_idx")
    if not asked:
        return []
    values = {column: _list(row, column) for column in LISTS}
    sentences = values["utterance_split"]
    for column in LISTS[2:]:
        if len(values[column]) != len(asked):
            raise DataError(
                f"{row[PLACE]}, column {column!r}: {len(values[column])} values for {len(asked)} questions. {AGAIN}"
            )
    questions = []
    for position, sentence in enumerate(asked):
        if not isinstance(sentence, int) or not 0 <= sentence < len(sentences):
            raise DataError(
                f"{row[PLACE]}, column 'labeled_question_idx': no sentence {shown(sentence)} in the turn. {AGAIN}"
            )
        source = _value(values[f"{label}_source"][position])
        if source not in SOURCES and _value(values[f"{label}_list"][position]):
            raise DataError(f"{row[PLACE]}, column '{label}_source': unknown source {shown(source)}. {AGAIN}")
        questions.append(
            {
                "id": f"{row['conv_id']}-{row['turn']}-{sentence}",
                "group": f"empdial:{row['conv_id']}",
                "context": row["context"],
                "text": _commas(" ".join(part.strip() for part in sentences[: sentence + 1])),
                PLACE: row[PLACE],
                "act": _value(values["act_list"][position]),
                "intent": _value(values["intent_list"][position]),
                "label_source": SOURCES.get(source, "human"),
            }
        )
    return questions


def _list(row, column):
    """A field that holds a Python list; an empty field is an empty list."""
    if not row[column].strip():
        return []
    try:
        value = ast.literal_eval(row[column])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, list) or (
        column == "utterance_split" and not all(isinstance(part, str) for part in value)
    ):
        # `from None` and no value: the field may hold the sentences of the turn.
        raise DataError(f"{row[PLACE]}, column {column!r}: not a list of texts or numbers. {AGAIN}") from None
    return value


def _value(value):
    """A label or a source in lower case; "" for a missing one."""
    return "" if value is None else str(value).strip().lower()


def _commas(text):
    """The text with its commas, which the original EmpatheticDialogues files spell out."""
    return text.replace("_comma_", ",")
