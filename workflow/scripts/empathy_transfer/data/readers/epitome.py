"""Epitome: replies to posts of people who seek support, rated for three mechanisms of empathy (Reddit part)."""

import pandas

from empathy_transfer.data.lost_rows import tell_lost_rows
from empathy_transfer.data.readers.common import (
    AGAIN,
    context_policy,
    join_turns,
    named_file,
    ordered_columns,
    read_delimited,
)
from empathy_transfer.errors import DataError

FILES = {
    "er": "emotional-reactions-reddit.csv",
    "ex": "explorations-reddit.csv",
    "ip": "interpretations-reddit.csv",
}
PAIR = ["sp_id", "rp_id"]


def read(files, form, task):
    """Read the 3,023 pairs of post and reply; label columns `er`, `ex`, `ip` (0, 1, 2).

    Text and context are those of the label's own file: a few dozen replies are worded differently in another file.
    Posts have different texts under different `sp_id`, so that this is the group. Raises DataError, also if the files
    are about different pairs.
    """
    policy = context_policy(form, task, ["none", "paired"])
    levels, frames = {}, {}
    for label, name in FILES.items():
        columns = [*PAIR, "seeker_post", "response_post", "level"]
        table = read_delimited(named_file(files, name), columns, quote="double")
        # Repeated pairs sometimes disagree in level; only "keep the first" gives the study's shares.
        frames[label] = table.drop_duplicates(PAIR, keep="first")
        repeated = len(table) - len(frames[label])
        tell_lost_rows(
            name, repeated, len(table), "an earlier one has the same pair of post and reply", form.get("max_lost")
        )
        levels[label] = frames[label].set_index(PAIR)["level"]
        if not levels[label].index.sort_values().equals(levels["er"].index.sort_values()):
            raise DataError(f"{name} and {FILES['er']} are about different posts; one of them is cut off. {AGAIN}")
    own = frames[task["label"] if task.get("label") in FILES else "er"]
    frame = own.assign(
        id=own["sp_id"] + "-" + own["rp_id"],
        group="epitome:" + own["sp_id"],
        context=[join_turns([post]) if policy == "paired" else None for post in own["seeker_post"]],
        text=own["response_post"],
    )
    pairs = pandas.MultiIndex.from_frame(own[PAIR])
    for label in FILES:
        frame[label] = levels[label].reindex(pairs).to_numpy()
    return ordered_columns(frame, list(FILES))
