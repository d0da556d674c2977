"""Training, validation and test pairs of a pair task, under each scheme.

`grouped`: groups (a seeker post, a shared story) by a hash, or dealt out where the dataset asks for `balanced`, as the
tasks of the study are. With the study's seed and shares, a post stands in the same split as there.

`published`: the parts in which the data was released, where a column names them. Else rows are drawn by chance as the
released code of the study of raters draws them: `train_test_split(test_size=0.2, seed=42)` of the package `datasets`,
and its held-out part again by `train_test_split(test_size=0.5, seed=42)`, whose second call's *train* part is the test
set. It doesn't look at groups, so that posts stand in several splits.

`fold1`, `fold2` and so on: one fold is tested, the next one chooses the epoch, the others are trained on. Of these two,
pairs are left out that have a text in common with a test pair; and training pairs, with a validation pair.
"""

import math

import numpy as np

from empathy_transfer.data.balanced import balanced_splits
from empathy_transfer.data.splits import SPLITS, assign_splits
from empathy_transfer.errors import DataError, shown
from empathy_transfer.pairs.folds import deal_folds, texts_of_items

DRAW_SEED = 42
HELD_OUT_SHARE, TEST_SHARE = 0.2, 0.5


def pair_masks(frame, together, dataset, splits):
    """Say which pairs belong to which split.

    Args:
        frame: the task's pairs in the order of the raw files: id, group, context, text, label, and `part`, the split
            of the release (None where nothing names it).
        together: {task: such a frame} of all tasks of the dataset, so that all are split alike.
        dataset: its name. splits: `scheme` (grouped, balanced, published, or fold1, fold2, ...), `seed`, `shares`, and
            `folds`, how many there are.

    Returns:
        {split: boolean mask over the pairs}, disjoint; with folds, some pairs are in none.

    Raises:
        DataError: a part that is no split, or too few groups.
    """
    scheme = splits["scheme"]
    if scheme == "published":
        return published_masks(frame["part"])
    if scheme == "balanced":
        places = balanced_splits(together, splits["seed"], splits["shares"])
        return {split: (frame["group"].map(places) == split).to_numpy() for split in SPLITS}
    if scheme.startswith("fold"):
        return fold_masks(frame, together, int(scheme.removeprefix("fold")), splits["folds"], splits["seed"])
    chosen = {key: splits[key] for key in ("scheme", "seed", "shares")}
    return assign_splits(frame["id"].tolist(), frame["group"].tolist(), dataset=dataset, **chosen)


def published_masks(parts):
    """Masks of the published splits, from the part of each row (Series), or by chance where there are only Nones."""
    if parts.isna().all():
        return drawn_masks(len(parts))
    if not (known := parts.isin(SPLITS)).all():
        wrong = parts[~known].iloc[0]
        raise DataError(
            f"`split_column`: a row has a value {shown(wrong, parts)}. Each must be one of {', '.join(SPLITS)}. "
            "Correct the file, or take `split_column` out of the dataset's description."
        )
    return {split: (parts == split).to_numpy() for split in SPLITS}


def drawn_masks(count):
    """Masks over so many rows, drawn as the released code of the study of raters draws them."""
    train, held_out = _draw(np.arange(count), HELD_OUT_SHARE)
    test, validation = _draw(held_out, TEST_SHARE)
    places = {"train": train, "validation": validation, "test": test}
    return {split: np.isin(np.arange(count), places[split]) for split in SPLITS}


def _draw(places, held_out_share):
    """(kept, held-out) places, as `datasets.Dataset.train_test_split` with the seed draws them."""
    held_out = math.ceil(held_out_share * len(places))
    kept = math.floor((1 - held_out_share) * len(places))
    order = np.random.default_rng(DRAW_SEED).permutation(len(places))
    return places[order[held_out : held_out + kept]], places[order[:held_out]]


def fold_masks(frame, together, number, count, seed):
    """Masks of one of `count` folds; pairs whose part is train are trained on in each of them, and tested in none."""
    always = set(frame.loc[frame["part"] == "train", "id"])
    dealt = {task: other[~other["id"].isin(always)] for task, other in together.items()}
    texts = texts_of_items(together)
    folds = deal_folds(dealt, texts_of_items(dealt), count, seed)
    fold = frame["group"].map(folds).where(~frame["id"].isin(always), 0).to_numpy()
    keys = texts.groupby("id")["key"].agg(set)
    test = fold == number
    validation = (fold == number % count + 1) & ~_touch(frame["id"], keys, test)
    train = ~np.isin(fold, [number, number % count + 1]) & ~_touch(frame["id"], keys, test | validation)
    return {"train": train, "validation": validation, "test": test}


def _touch(ids, keys, held_out):
    """Whether each item has a text that a held-out item has."""
    reached = set().union(*keys[ids[held_out]])
    return np.array([not reached.isdisjoint(keys[name]) for name in ids])
