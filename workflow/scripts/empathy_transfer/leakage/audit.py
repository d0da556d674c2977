"""The audit of leakage: what held-out items of a task have in common with training items (job of rule find_leakage).

Within a task, training items are compared with validation and test items, and validation items with test items. Between
tasks, the same is done for each ordered pair: the source adapter learns from the source's training items, and its best
epoch is chosen on the source's validation items, while scores come from the target's test items.

Kinds of overlap (each of the three of texts includes the one before): `exact`, `normalised`, `near_duplicate` (Jaccard
similarity of shingles), each in the fields `text`, `context` and `input` (see `text_signatures`); and the same `group`,
`article` or `author` (field `id`). `counted` (field `any`) is what counts as leakage: near duplicates in the chosen
fields where the shorter of both has enough words, since stock phrases repeat by chance, or the same id of a chosen
kind.
"""

import numpy as np
import pandas

from empathy_transfer.leakage.index import ABSENT, HELD_OUT, ID_KINDS, build_index
from empathy_transfer.leakage.signatures import FIELDS, read_signatures
from empathy_transfer.records.artefacts import write_csv

TEXT_KINDS = ("exact", "normalised", "near_duplicate")
COLUMNS = """
    source target source_split target_split kind field n_items n_touched share
    n_touched_long example_targets example_sources
""".split()
ROW_COLUMNS = ["id", "overlaps"]
EXAMPLES = 3
BETWEEN_EXAMPLES = " | "


def find_leakage(signature_paths, settings, pairs_path, within_path, touched_paths):
    """Compare all tasks of a study with each other.

    Args:
        signature_paths: {task: (items, pieces, shingles)}, the paths of its signatures.
        settings: `jaccard` (similarity of near duplicates, between 0 and 1), `least_words` (shorter pieces are not
            counted) and `counted` (fields and kinds of ids that count as leakage).
        pairs_path, within_path: where the two tables with the columns `COLUMNS` go. `share` is `n_touched` / `n_items`;
            examples are ids, never text.
        touched_paths: {task: path} of the table of its training rows that touch held-out rows of any task of the study,
            its own included, by what is counted.
    """
    index = build_index({task: read_signatures(*paths) for task, paths in signature_paths.items()}, settings["jaccard"])
    overlaps = all_overlaps(index, settings)
    own = overlaps["source"] == overlaps["target"]
    write_csv(pairs_path, overlaps[~own])
    write_csv(within_path, overlaps[own])
    for task, rows in touched_rows(index, settings).items():
        write_csv(touched_paths[task], rows)
        print(f"{task}: {len(rows):,} training rows touch held-out rows of some task")


def all_overlaps(index, settings):
    """One row per ordered pair of tasks (a task and itself included), pair of splits, kind and field that both have."""
    tasks = list(dict.fromkeys(task for task, _ in index.items))
    rows = []
    for source in tasks:
        for source_split, target_splits in (("train", HELD_OUT), ("validation", ("test",))):
            part = index.items[source, source_split]
            reaches = _reaches(index, part, settings["least_words"])
            for target in tasks:
                for target_split in target_splits:
                    about = (source, target, source_split, target_split)
                    rows += _compare(about, part, index.items[target, target_split], reaches, settings["counted"])
    return pandas.DataFrame(rows, columns=COLUMNS).astype({"n_touched_long": "Int64"})


def touched_rows(index, settings):
    """{task: table of the training rows that touch held-out rows of any task}: `id`, and the counted `overlaps`."""
    tasks = list(dict.fromkeys(task for task, _ in index.items))
    near = index.near[:, ::-1]
    held = {
        key: _union(size, [index.items[task, split].codes[key] for task in tasks for split in HELD_OUT])
        for key, size in index.sizes.items()
    }
    hits = {}
    keys = {name: (name, "id") if name in ID_KINDS else ("normalised", name) for name in settings["counted"]}
    for name, key in keys.items():
        hits[name] = held[key]
        if name not in ID_KINDS:
            pairs = _long_pairs(near, index, settings["least_words"])
            hits[name] = _near(_long(held[key], index, settings), pairs)
    tables = {}
    for task in tasks:
        part = index.items[task, "train"]
        touched = {name: _touched(part, keys[name], reach) for name, reach in hits.items()}
        found = np.flatnonzero(np.any(list(touched.values()), axis=0)) if touched else []
        lines = [(part.ids[place], " ".join(name for name in touched if touched[name][place])) for place in found]
        tables[task] = pandas.DataFrame(lines, columns=ROW_COLUMNS)
    return tables


def _union(size, codes):
    """0 for every number that stands in one of the lists of codes, else ABSENT."""
    reach = np.full(size, ABSENT)
    for part in codes:
        reach[part[part != ABSENT]] = 0
    return reach


def _long(reach, index, settings):
    """A reach over pieces without those that are too short to count."""
    return np.where(index.words >= settings["least_words"], reach, ABSENT)


def _long_pairs(near, index, least_words):
    """The near duplicates both of which are long enough to count."""
    return near[(index.words[near] >= least_words).all(axis=1)]


def _first(part, key, size):
    """For each number the first item that has it, or ABSENT."""
    first = np.full(size, ABSENT)
    codes = part.codes[key]
    present = np.flatnonzero(codes != ABSENT)[::-1]
    first[codes[present]] = present
    return first


def _near(first, near):
    """A reach over pieces, extended to the near duplicates of the pieces in it."""
    reach = first.copy()
    origin, piece = near[::-1].T  # reversed, so that the first of several near duplicates is the one that stays
    usable = (first[origin] != ABSENT) & (first[piece] == ABSENT)
    reach[piece[usable]] = first[origin[usable]]
    return reach


def _reaches(index, part, least_words):
    """What a split reaches: {(kind, field): (key, reach, reach by long pieces or None)}.

    The reach gives for each number the item that touches it, or ABSENT; the key says which codes it is about.
    """
    reaches = {}
    long_pairs = _long_pairs(index.near, index, least_words)
    long = index.words >= least_words
    for name in FIELDS:
        if part.has("exact", name):
            exact, normalised = (_first(part, (kind, name), index.sizes[kind, name]) for kind in TEXT_KINDS[:2])
            near = _near(normalised, index.near), _near(np.where(long, normalised, ABSENT), long_pairs)
            reaches["exact", name] = ("exact", name), exact, None
            reaches["normalised", name] = ("normalised", name), normalised, np.where(long, normalised, ABSENT)
            reaches["near_duplicate", name] = ("normalised", name), *near
    for kind in ID_KINDS:
        if part.has(kind, "id"):
            reaches[kind, "id"] = (kind, "id"), _first(part, (kind, "id"), index.sizes[kind, "id"]), None
    return reaches


def _touched(part, key, reach):
    """Which items of a split are in a reach."""
    codes = part.codes[key]
    return (codes != ABSENT) & (reach[codes] != ABSENT)


def _compare(about, source, target, reaches, counted):
    """The rows of one pair of splits; ``about`` is (source, target, source split, target split)."""
    rows = []
    leaked, by = np.zeros(len(target.ids), dtype=bool), np.full(len(target.ids), ABSENT)
    for (kind, name), (key, reach, long_reach) in reaches.items():
        if not target.has(*key):
            continue
        touched = _touched(target, key, reach)
        long = None if long_reach is None else _touched(target, key, long_reach)
        if kind == "exact":
            long = touched & _touched(target, ("normalised", name), reaches["normalised", name][2])
        rows.append(_row(about, (kind, name), source, target, touched, reach[target.codes[key]], long))
        if (kind in ID_KINDS and kind in counted) or (kind == "near_duplicate" and name in counted):
            counts = touched if long_reach is None else long
            chosen = reach if long_reach is None else long_reach
            by = np.where(counts & ~leaked, chosen[target.codes[key]], by)
            leaked |= counts
    return [*rows, _row(about, ("counted", "any"), source, target, leaked, by, None)]


def _row(about, kind, source, target, touched, by, long):
    """One row of the tables; ``by`` gives for each touched item the place of an item of the source that touches it."""
    places = np.flatnonzero(touched)[:EXAMPLES]
    examples = [BETWEEN_EXAMPLES.join(target.ids[places]), BETWEEN_EXAMPLES.join(source.ids[by[places]])]
    count, items = int(touched.sum()), len(target.ids)
    return (*about, *kind, items, count, count / items, None if long is None else int(long.sum()), *examples)
