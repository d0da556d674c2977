"""What the data of a study look like, next to the printed numbers (Tables 1 and 9 to 12), and a check for leaks.

Words are counted by the expression `\\w+` over context and text, and the vocabulary holds them in lower case. The paper
does not say how it cut its tokens, nor where it cut long contexts: its counts compare in order of size only. (Its
vocabularies of Conv and News come out within 1 percent if case is kept and punctuation marks count as words.)
"""

import re
from functools import lru_cache
from pathlib import Path

import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.texts import group_key
from empathy_transfer.errors import DataError
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import read_json, read_table

COLUMNS = ["task", "dataset", "split", "statistic", "value", "published", "difference", "note"]
WORD = re.compile(r"\w+")
LONG_TEXT = 40  # characters; shorter replies ("Thank you so much!") recur by chance
# What the file of a task tells of its making, and of its raw files.
RAW_COUNTS = ("raw_rows", "raw_lines")
FACTS = ("scheme", "overlap", *RAW_COUNTS)
SPLITS_IN_PRINT = {"val": "validation"}

# Faults of the printed tables: see resources/published/README.md.
SWAPPED_IN_PRINT = {"empdial_role": {"speaker": "listener", "listener": "speaker"}}
NOTES = {
    "empdial_role": "the two names are swapped in print; compared with the other one",
    "news": "printed: 1,000 essays counted in overlapping splits (800 + 1,000 + 900)",
}


def collect_tasks(tasks, tables, task_files):
    """Add to each task's description its `splits` {split: path} and the `FACTS` of its file, found by folder names."""
    found = {task: {**description, "splits": {}} for task, description in tasks.items()}
    for path in tables:
        found[path.parent.name]["splits"][path.stem] = path
    for path in task_files:
        made = read_json(path)
        found[path.parent.name] |= {key: made[key] for key in FACTS if key in made}
    return found


def summarise(tasks, published_dir):
    """Describe all splits of all tasks, one row per number.

    Args:
        tasks: per task: dataset, kind, `labels` or `range`, `splits` {train, validation, test: path}, and if they are
            not the defaults `scheme` (grouped) and `overlap` (false); `raw_rows` and `raw_lines` where they are known.
        published_dir: folder with the tables of the paper.

    Returns:
        A frame with `COLUMNS`; `split` is all, train, validation or test. Statistics: n (distinct rows), share_percent
        (of the splits' sum), tokens, vocabulary; min, median, max, mean, std (n - 1) of numbers; `share:<label>` in
        percent of the rows; raw_rows (rows that the reader found) and raw_lines (lines of the raw files, with headers:
        many more lines than rows can be fields that swallow rows); shared_groups (groups in more than one split, 0
        under `grouped`); repeated_texts (test rows that stand word for word in the training rows). All rows count,
        before any cap.

    Raises:
        DataError: rows of different splits share a group and must not.
    """
    printed = published_numbers(published_dir)
    leaks = leak_audit(tasks)
    rows = []
    for name, task in tasks.items():
        tables = {split: read_table(task["splits"][split]) for split in SPLITS}
        n_total = sum(len(table) for table in tables.values())
        every = pandas.concat(tables.values(), ignore_index=True).drop_duplicates("id")
        words = {split: _words(table) for split, table in tables.items()}
        words["all"] = _words(every) if len(every) < n_total else _sum_of_words(words.values())
        for split, table in {"all": every, **tables}.items():
            values = {
                "n": len(table),
                "share_percent": 100.0 if split == "all" else 100 * len(table) / n_total,
                **kind_of(task).statistics(table["label"], task),
                "tokens": words[split][0],
                "vocabulary": len(words[split][1]),
            }
            rows += [(name, task["dataset"], split, statistic, value) for statistic, value in values.items()]
        counts = {statistic: task[statistic] for statistic in RAW_COUNTS if task.get(statistic) is not None}
        rows += [(name, task["dataset"], "all", statistic, count) for statistic, count in counts.items()]
        rows.append((name, task["dataset"], "all", "shared_groups", leaks[name]["shared_groups"]))
        rows.append((name, task["dataset"], "test", "repeated_texts", leaks[name]["repeated_texts"]))
    frame = pandas.DataFrame(rows, columns=COLUMNS[:5])
    frame["value"] = frame["value"].astype(float)
    keys = zip(frame["task"], frame["dataset"], frame["split"], frame["statistic"], strict=True)
    frame["published"] = [
        printed.get((task, split, statistic), printed.get((dataset, split, statistic)))
        for task, dataset, split, statistic in keys
    ]
    frame["published"] = frame["published"].astype(float)
    frame["difference"] = frame["value"] - frame["published"]
    frame["note"] = [_note(row) for row in frame.itertuples()]
    return frame


def leak_audit(tasks):
    """Look for groups that stand in more than one split, over all tasks, and for texts repeated in train and test.

    Returns per task `shared_groups`, the number of its groups that stand in another split too (of any task), and
    `repeated_texts`, the number of its test rows of at least 40 characters whose context and text both stand in its
    training rows. `tasks` as for `summarise`.

    Raises DataError for two groups that look alike, and naming task and splits if a group stands in several splits of
    tasks split as `grouped` or `balanced`. Under the published scheme rows are drawn without regard to groups, so the
    numbers are only recorded.
    """
    splits_of = {}  # group -> split -> the first task that has it there
    alike = {}  # what a group looks like -> (it, the first task that has it)
    groups_of, repeated = {}, {}
    for name, task in tasks.items():
        groups_of[name] = set()
        pairs = {}
        for split in SPLITS:
            table = read_table(task["splits"][split], columns=["group", "context", "text"])
            for group in table["group"].unique():
                splits_of.setdefault(group, {}).setdefault(split, name)
                groups_of[name].add(group)
                same, other = alike.setdefault(group_key(group), (group, name))
                if same != group:
                    raise DataError(
                        f"tasks {other} and {name}: two of their groups differ only in white space or in characters "
                        "that can't be seen. Write them alike in the raw files, so that their rows stay in one split."
                    )
            table = table[table["text"].str.len() >= LONG_TEXT]
            pairs[split] = list(zip(table["context"].fillna(""), table["text"], strict=True))
        in_train = set(pairs["train"])
        repeated[name] = sum(pair in in_train for pair in pairs["test"])
    shared = {name: {group for group in groups if len(splits_of[group]) > 1} for name, groups in groups_of.items()}
    for name, task in tasks.items():
        if shared[name] and task.get("scheme", "grouped") != "published":
            places = ", ".join(f"{split} of {other}" for split, other in splits_of[min(shared[name])].items())
            raise DataError(
                f"task {name}: a group stands in more than one split ({places}), with {len(shared[name])} such groups "
                "in all. Make the splits anew from one seed and one set of shares: delete the task's folder "
                "and run the study again. If one of the datasets is split as `balanced`, take `splits: balanced` out "
                "of its file: only `grouped` keeps a group together that stands in several datasets."
            )
    return {name: {"shared_groups": len(shared[name]), "repeated_texts": repeated[name]} for name in tasks}


def published_numbers(published_dir):
    """The printed numbers by (task or dataset, split, statistic), under the names that `summarise` uses.

    The two label names of EmpDial Role, swapped in print, are put right.
    """
    numbers = {}
    for row in pandas.read_csv(Path(published_dir) / "table1_datasets.csv").itertuples():
        for statistic, value in {"n": row.samples, "vocabulary": row.vocabulary, "tokens": row.tokens}.items():
            numbers[row.dataset, "all", statistic] = float(value)
    for row in pandas.read_csv(Path(published_dir) / "table9_regression_splits.csv").itertuples():
        numbers[row.task, SPLITS_IN_PRINT.get(row.split, row.split), row.statistic] = float(row.value)
    shares = pandas.read_csv(Path(published_dir) / "tables10_12_label_shares.csv", dtype={"label": str})
    for row in shares.itertuples():
        label = SWAPPED_IN_PRINT.get(row.task, {}).get(row.label, row.label)
        statistic = "share_percent" if label == "(split share)" else f"share:{label}"
        numbers[row.task, SPLITS_IN_PRINT.get(row.split, row.split), statistic] = float(row.percent)
    return numbers


def _words(table):
    """The number of words and the distinct lower-case words of contexts and texts."""
    return _words_of((*table["context"].dropna(), *table["text"]))


@lru_cache(maxsize=4)  # the splits of one task: tasks of a dataset, which mostly share their texts, follow each other
def _words_of(texts):
    """The number of words and the distinct lower-case words of texts."""
    tokens, vocabulary = 0, set()
    for text in texts:
        words = WORD.findall(text.lower())
        tokens += len(words)
        vocabulary.update(words)
    return tokens, frozenset(vocabulary)


def _sum_of_words(parts):
    """Numbers added and vocabularies joined, for parts without a common row."""
    counts, vocabularies = zip(*parts, strict=True)
    return sum(counts), frozenset().union(*vocabularies)


def _note(row):
    """The known fault of the printed number in this row, if there is one."""
    if pandas.isna(row.published):
        return ""
    if row.task in SWAPPED_IN_PRINT and row.statistic.startswith("share:"):
        return NOTES[row.task]
    if row.dataset == "news" and row.statistic in ("n", "share_percent", "tokens"):
        return NOTES["news"]
    return ""
