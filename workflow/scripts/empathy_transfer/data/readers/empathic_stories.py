"""EmpathicStories: pairs of personal stories, rated for four kinds of similarity."""

import pandas

from empathy_transfer.data.neighbourhoods import neighbourhoods
from empathy_transfer.data.readers.common import (
    PLACE,
    context_policy,
    join_turns,
    ordered_columns,
    read_delimited,
    refuse,
    text_key,
)
from empathy_transfer.errors import DataError

LABELS = ("empathy", "event", "emotion", "moral")
RATINGS = [str(half / 2) for half in range(2, 9)]  # 1 to 4 in halves
STORIES = {"full": ["story_A", "story_B"], "summary": ["story_A_summary", "story_B_summary"]}
PARTS = {"(train)": "train", "(dev)": "validation", "(test)": "test"}
# Most pairs of one group: stories are compared with several others, and all of them hang together.
LARGEST_GROUP = 12


def read(files, form, task):
    """Read the pairs of all files; label columns `empathy`, `event`, `emotion`, `moral` (1 to 4), and `part`.

    Context is the first story and text the second one, in full or, with `texts: summary` in the task, as a summary.
    `part` is train, validation or test, as the file is named. Stories are in several pairs, and a chain of pairs leads
    from nearly each story to each other one. So the group is a neighbourhood of stories within a file (see
    `neighbourhoods`), of full stories also for summaries.

    Raises DataError.
    """
    context_policy(form, task, ["paired"])
    texts = STORIES[task.get("texts", "full")]
    parts = [_read_part(path, texts) for path in files.values()]
    return ordered_columns(pandas.concat(parts, ignore_index=True), [*LABELS, "part"])


def _read_part(path, texts):
    """The rows of one file."""
    part = next((part for word, part in PARTS.items() if word in path.name), None)
    if part is None:
        raise DataError(f"{path.name}: its name has none of {', '.join(PARTS)}. Give the file the name of the release.")
    columns = {f"similarity_{label}_human_AGG": label for label in LABELS}
    table = read_delimited(path, [*{*STORIES["full"], *texts}, *columns], quote="double")
    for column, label in columns.items():
        table[column] = table[column].where(~table[column].isin(["1", "2", "3", "4"]), table[column] + ".0")
        refuse(table, ~table[column].isin(RATINGS), column, "{} is no rating from 1 to 4 in halves. Correct the file.")
        table[label] = table[column].astype(float)
    links = [tuple(map(text_key, pair)) for pair in table[STORIES["full"]].itertuples(index=False)]
    names = neighbourhoods(links, LARGEST_GROUP)
    first, second = (table[column].map(lambda story: join_turns([story]) or "") for column in texts)
    numbers = [place.rpartition(" ")[2] for place in table[PLACE]]
    return table.assign(
        id=[f"{part}-{int(number):04d}" for number in numbers],
        group=[f"empathic_stories:{part}-{name}" for name in names],
        context=first,
        text=second,
        part=part,
    )
