"""What held-out pairs have in common with those that are trained on or choose the epoch (job of rule audit_pairs).

The audit of leakage compares contexts with contexts and texts with texts. Where both texts of a pair are of one kind,
such as two stories, one can also stand on the other side of a pair. So all pairs are compared once more with their two
texts swapped on the side of the training data.
"""

import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.leakage.audit import all_overlaps
from empathy_transfer.leakage.index import build_index
from empathy_transfer.leakage.signatures import signatures_of
from empathy_transfer.pairs.counts import split_tables
from empathy_transfer.records.artefacts import read_table, write_csv

COLUMNS = ["scheme", "pairs", "held_out", "against", "kind", "items", "share"]
COUNTED = ("text", "context", "input", "group")
# What the kinds of overlap are called, by the field that is compared.
NAMES = {"text": "text", "context": "context", "input": "pair", "any": "", "id": ""}
SWAPPED = "swapped"
# Which of the kinds say something of swapped pairs, that is not said of them as they are.
SWAPPED_KINDS = ("exact", "normalised", "near_duplicate", "contained")


def audit_pairs(tables, settings, leaks_path):
    """Write the table `COLUMNS`: how many held-out items have something in common with other parts.

    ``kind`` is `exact`, `normalised`, `near_duplicate` or `contained` with `_context` (the first text), `_text` (the
    second one) or `_pair` (both), and `swapped_` before it where the other one's texts are swapped; `group`: the same
    post or neighbourhood of stories; `counted`: what counts as leakage of these, in `context`, `text`, `pair` or
    `group`. ``against`` is train, validation, or `train or validation` (for `counted`).

    Args:
        tables: paths of the prepared tables; of tasks with the same texts, one is enough.
        settings: `jaccard`, `containment` and `chance`, see `leakage.audit`.
    """
    settings = settings | {"counted": list(COUNTED)}
    found = []
    for (scheme, pairs), splits in split_tables(tables).items():
        parts = {split: read_table(splits[split], columns=["id", "group", "context", "text"]) for split in SPLITS}
        overlaps = leaks_of(pandas.concat([part.assign(split=split) for split, part in parts.items()]), settings)
        found.append(overlaps.assign(scheme=scheme, pairs=pairs))
        leaked = overlaps[(overlaps["held_out"] == "test") & (overlaps["kind"] == "counted")]["items"].max()
        print(f"{pairs}, {scheme}: {leaked} of {len(parts['test'])} test pairs leak")
    write_csv(leaks_path, pandas.concat(found, ignore_index=True)[COLUMNS])


def leaks_of(frame, settings):
    """The overlaps of one task under one scheme: a frame with held_out, against, kind, items and share.

    ``frame`` has the columns id, group, context, text and split.
    """
    frame = frame.reset_index(drop=True)
    swapped = frame.assign(context=frame["text"], text=frame["context"], group=SWAPPED + frame["group"])
    signatures = {"pairs": signatures_of(frame, {}), SWAPPED: signatures_of(swapped, {})}
    fields = [name for name in COUNTED if name != "group"]
    index = build_index(signatures, fields, settings["containment"], settings["chance"])
    overlaps = all_overlaps(index, settings)
    overlaps = overlaps[(overlaps["target"] == "pairs") & overlaps["field"].isin(NAMES)]
    own = overlaps["source"] == "pairs"
    overlaps = overlaps[own | overlaps["kind"].isin(SWAPPED_KINDS)]
    kinds = [
        "_".join(filter(None, [SWAPPED * (source == SWAPPED), kind, NAMES[field]]))
        for source, kind, field in zip(overlaps["source"], overlaps["kind"], overlaps["field"], strict=True)
    ]
    columns = {"target_split": "held_out", "source_split": "against", "n_touched": "items"}
    return overlaps.assign(kind=kinds).rename(columns=columns)[["held_out", "against", "kind", "items", "share"]]
