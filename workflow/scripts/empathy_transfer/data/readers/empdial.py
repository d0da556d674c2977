"""EmpDial and EmpDial EI: the conversations of EmpatheticDialogues, one file per grounding emotion."""

from pathlib import Path

import pandas

from empathy_transfer.data.readers.common import (
    context_policy,
    earlier_turns,
    ordered_columns,
    read_delimited,
    refuse,
)

INTENTS = """
    questioning acknowledging neutral agreeing sympathizing encouraging suggesting consoling wishing
""".split()


def read(files, form, task):
    """Read all 107,247 utterances of both roles.

    Label columns:

    - `emo`: the emotion that the dialogue is about, which is the file's name;
    - `role`: `speaker` or `listener`;
    - `ei`: the label of the authors' classifier, and `ei_kind`: `intent` if that is one of the nine intents, else
      `emotion` (the study's EmpDial EI are the 53,414 with an intent, spoken by either role);
    - `opening`: `yes` for the first utterance of a dialogue, which has no prior turn, else `no`.

    Raises DataError.
    """
    policy = context_policy(form, task, ["none", "previous_turn", "all_previous"])
    emotions = {Path(name).stem for name in files}
    parts = [_read_emotion(path, Path(name).stem, emotions) for name, path in sorted(files.items())]
    frame = pandas.concat(parts, ignore_index=True)
    # There is no turn index: the order of a file is the order of its dialogues.
    turns = frame.groupby("Dialog_ID").cumcount() + 1
    frame = frame.assign(
        id=frame["Dialog_ID"] + "-" + turns.astype("str"),
        group="empdial:" + frame["Dialog_ID"],
        context=earlier_turns(frame["Text"].tolist(), frame["Dialog_ID"].tolist(), policy),
        text=frame["Text"],
        role=frame["Actor"],
        ei=frame["Label"],
        ei_kind=frame["Label"].isin(INTENTS).map({True: "intent", False: "emotion"}),
        opening=(turns == 1).map({True: "yes", False: "no"}),
    )
    return ordered_columns(frame, ["emo", "role", "ei", "ei_kind", "opening"])


def _read_emotion(path, emotion, emotions):
    """The utterances of one file; raises DataError for a row type or a label that the release doesn't have."""
    frame = read_delimited(path, ["Dialog_ID", "Type", "Actor", "Text", "Label"], quote="double")
    # `situation` rows are the prompt that the speaker wrote before the dialogue, and no turns.
    _refuse_unknown(frame, "Type", {"utterance", "situation"})
    frame = frame[frame["Type"] == "utterance"].assign(emo=emotion)
    # Only with an intent is a row of EmpDial EI, so a misspelt intent would else pass for an emotion and vanish.
    _refuse_unknown(frame, "Label", emotions.union(INTENTS))
    return frame


def _refuse_unknown(frame, column, known):
    """Raise DataError naming the first value of the column that isn't known."""
    words = f"unknown value {{}}. Known are {', '.join(sorted(known))}. The file may be damaged: fetch it again."
    refuse(frame, ~frame[column].isin(known), column, words)
