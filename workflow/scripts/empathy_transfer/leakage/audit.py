"""The audit of leakage: what held-out items of a task have in common with training items (job of rule find_leakage).

Within a task, training items are compared with validation and test items, and validation items with test items. Between
tasks, the same is done for each ordered pair: the source adapter learns from the source's training items, and its best
epoch is chosen on the source's validation items, while scores come from the target's test items.

Kinds of overlap (each of the four of texts includes the one before): `exact`, `normalised`, `near_duplicate` (Jaccard
similarity of shingles) and `contained` (share of the shorter text's information), each in the fields `text`, `context`,
`input` and `dialogue` (see `signatures`), the last two kinds in fields that count; and the same `group`, `article` or
`author` (field `id`). `counted` (field `any`) is what counts as leakage: contained texts in the chosen fields, where
both share more information than by chance (`information.py`), since stock phrases repeat, or twelve words or more, all
of them the same; or the same id of a chosen kind.
"""

import numpy as np
import pandas

from empathy_transfer.leakage.index import ABSENT, ID_KINDS, build_index
from empathy_transfer.leakage.information import least_bits
from empathy_transfer.leakage.seen import EITHER, HELD_OUT, SOURCE_SPLITS
from empathy_transfer.leakage.signatures import FIELDS, read_signatures
from empathy_transfer.records.artefacts import write_csv

COLUMNS = """
    source target source_split target_split kind field n_items n_touched share
    n_touched_informative example_targets example_sources
""".split()
ROW_COLUMNS = ["id", "overlaps"]
# The same words, so many of them, are a copy however many have them: a text that stands in many groups was put there.
SURE_WORDS = 12
EXAMPLES = 3
BETWEEN_EXAMPLES = " | "


def find_leakage(signature_paths, settings, pairs_path, within_path, touched_paths):
    """Compare all tasks of a study with each other.

    Args:
        signature_paths: {task: (items, pieces, shingles)}, the paths of its signatures.
        settings: `jaccard` (least similarity of near duplicates, between 0 and 1), `containment` (least share of the
            shorter text that is contained in the other, between 0 and 1), `chance` (pairs expected to share as much by
            chance, above 0) and `counted` (fields and kinds of ids that count as leakage).
        pairs_path, within_path: where the two tables with the columns `COLUMNS` go. `share` is `n_touched` / `n_items`;
            examples are ids, never text.
        touched_paths: {task: path} of the table of its training rows that touch held-out rows of any task of the study,
            its own included, by what is counted.
    """
    signatures = {task: read_signatures(*paths) for task, paths in signature_paths.items()}
    fields = [name for name in FIELDS if name in settings["counted"]]
    index = build_index(signatures, fields, settings["containment"], settings["chance"])
    overlaps = all_overlaps(index, settings)
    own = overlaps["source"] == overlaps["target"]
    write_csv(pairs_path, overlaps[~own])
    write_csv(within_path, overlaps[own])
    for task, rows in touched_rows(index, settings).items():
        write_csv(touched_paths[task], rows)
        print(f"{task}: {len(rows):,} training rows touch held-out rows of some task")


def all_overlaps(index, settings):
    """One row per ordered pair of tasks (a task and itself included), pair of splits, kind and field that both have.

    What counts between a source's data and a target's test items stands once more for both parts of the source's data
    together (`EITHER`).
    """
    tasks = list(dict.fromkeys(task for task, _ in index.items))
    rows = []
    for source in tasks:
        parts = {split: index.items[source, split] for split in SOURCE_SPLITS}
        reaches = {split: _reaches(index, part) for split, part in parts.items()}
        for target in tasks:
            leaked = {}
            for split, target_split in (("train", "validation"), ("train", "test"), ("validation", "test")):
                about, held = (source, target, split, target_split), index.items[target, target_split]
                found, leaked[split] = _compare(index, about, parts[split], held, reaches[split], settings)
                rows += found
            (trained, by), (watched, by_watched) = leaked["train"], leaked["validation"]
            either = trained | watched, np.where(trained, by, by_watched)
            rows.append(_row((source, target, EITHER, "test"), ("counted", "any"), held, *either, None))
    return pandas.DataFrame(rows, columns=COLUMNS).astype({"n_touched_informative": "Int64"})


def touched_items(index, source, target, settings):
    """Which test items of the target the training or validation items of the source touch, by what counts: a mask."""
    held, touched = index.items[target, "test"], np.zeros(len(index.items[target, "test"].ids), dtype=bool)
    for split in SOURCE_SPLITS:
        part = index.items[source, split]
        touched |= _compare(index, (source, target, split, "test"), part, held, _reaches(index, part), settings)[1][0]
    return touched


def touched_rows(index, settings):
    """{task: table of the training rows that touch held-out rows of any task}: `id`, and the counted `overlaps`."""
    tasks = list(dict.fromkeys(task for task, _ in index.items))
    held = [index.items[task, split] for task in tasks for split in HELD_OUT]
    tables = {}
    for task in tasks:
        part = index.items[task, "train"]
        touched = {}
        for name in settings["counted"]:
            find = _touching_ids if name in ID_KINDS else _touching_texts
            touched[name] = find(index, part, held, name, settings["chance"])
        found = np.flatnonzero(np.any(list(touched.values()), axis=0)) if touched else []
        lines = [(part.ids[place], " ".join(name for name in touched if touched[name][place])) for place in found]
        tables[task] = pandas.DataFrame(lines, columns=ROW_COLUMNS)
    return tables


def _touching_ids(index, part, held, kind, _):
    """Which items of a split share an id of some kind with held-out items."""
    reach = np.zeros(index.sizes[kind, "id"] + 1, dtype=bool)  # the last place is that of ABSENT
    for other in held:
        reach[other.codes[kind, "id"]] = True
    reach[ABSENT] = False
    return reach[part.codes[kind, "id"]]


def _touching_texts(index, part, held, name, chance):
    """Which items of a split touch held-out items in a field, by what counts."""
    codes, near = part.codes["normalised", name], index.near[name]
    own, reach = _mask(index, codes), np.zeros(len(index.bits) + 1, dtype=bool)
    for other in held:
        if other.has("normalised", name) and part.has("normalised", name):
            theirs, limit = _mask(index, other.codes["normalised", name]), _limit(part, other, name, chance)
            reach[:-1] |= own & theirs & _tells(index, limit)
            pairs = near.pieces[near.bits >= limit]
            reach[pairs[theirs[pairs[:, 1]], 0]] = True
    return reach[codes]


def _mask(index, codes):
    """Whether each piece is among these codes."""
    mask = np.zeros(len(index.bits), dtype=bool)
    mask[codes[codes != ABSENT]] = True
    return mask


def _limit(source, target, name, chance):
    """The bits that two texts of these parts must share in a field, so that they don't by chance."""
    return least_bits(len(source.pieces(name)) * len(target.pieces(name)), chance)


def _tells(index, limit):
    """Which pieces, standing on both sides, are no phrase that strangers share."""
    return (index.bits >= limit) | (index.words >= SURE_WORDS)


def _first(part, key, size):
    """For each number the first item that has it, or ABSENT; one more place for ABSENT itself."""
    first = np.full(size + 1, ABSENT)
    codes = part.codes[key]
    present = np.flatnonzero(codes != ABSENT)[::-1]
    first[codes[present]] = present
    return first


def _reaches(index, part):
    """Which item of a split has each number first: {(kind, field): array over the numbers} of all that it has."""
    keys = [
        *((kind, name) for kind in ("exact", "normalised") for name in FIELDS),
        *((kind, "id") for kind in ID_KINDS),
    ]
    return {key: _first(part, key, index.sizes[key]) for key in keys if part.has(*key)}


def _compare(index, about, source, target, reaches, settings):
    """The rows of one pair of splits, and what counts: (whether each target item is touched, by which id).

    ``about`` is (source, target, source split, target split).
    """
    rows, counted = [], []
    for name in FIELDS:
        if ("normalised", name) in reaches and target.has("normalised", name):
            found = _text_overlaps(index, source, target, name, reaches, settings)
            for kind, (places, informative) in found.items():
                rows.append(_row(about, (kind, name), target, places != ABSENT, _ids(source, places), informative))
            if name in settings["counted"]:
                counted.append(np.where(informative, places, ABSENT))
    for kind in ID_KINDS:
        if (kind, "id") in reaches and target.has(kind, "id"):
            places = reaches[kind, "id"][target.codes[kind, "id"]]
            rows.append(_row(about, (kind, "id"), target, places != ABSENT, _ids(source, places), None))
            if kind in settings["counted"]:
                counted.append(places)
    by = np.full(len(target.ids), ABSENT)
    for places in counted:
        by = np.where(by == ABSENT, places, by)
    leaked = by != ABSENT, _ids(source, by)
    return [*rows, _row(about, ("counted", "any"), target, *leaked, None)], leaked


def _text_overlaps(index, source, target, name, reaches, settings):
    """{kind: (place of a source item that touches each target item, or ABSENT; whether both share enough to count)}."""
    limit, first = _limit(source, target, name, settings["chance"]), reaches["normalised", name]
    codes, near = target.codes["normalised", name], index.near.get(name)
    same = first[codes]
    telling = (same != ABSENT) & _tells(index, limit)[codes]
    exact = reaches["exact", name][target.codes["exact", name]]
    found = {"exact": (exact, telling & (exact != ABSENT)), "normalised": (same, telling)}
    if near is None:
        return found
    usable = (near.bits >= limit) & (first[near.pieces[:, 0]] != ABSENT)
    for kind, least in (("near_duplicate", settings["jaccard"]), ("contained", 0.0)):
        # Reversed, so that the first of several pieces that resemble one is the one that stays.
        origin, piece = near.pieces[usable & (near.jaccard >= least)][::-1].T
        reach = np.full(len(first), ABSENT)
        reach[piece] = first[origin]
        places = np.where(same != ABSENT, same, reach[codes])
        found[kind] = places, telling | (reach[codes] != ABSENT)
    return found


def _ids(part, places):
    """The ids of the items at these places; None for ABSENT."""
    return np.where(places != ABSENT, np.append(part.ids, None)[places], None)


def _row(about, kind, target, touched, by, informative):
    """One row of the tables; ``by`` gives for each touched item the id of an item of the source that touches it."""
    places = np.flatnonzero(touched)[:EXAMPLES]
    examples = [BETWEEN_EXAMPLES.join(target.ids[places]), BETWEEN_EXAMPLES.join(by[places])]
    count, items = int(touched.sum()), len(target.ids)
    enough = None if informative is None else int(informative.sum())
    return (*about, *kind, items, count, count / items, enough, *examples)
