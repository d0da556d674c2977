"""The split scheme of small data: shares, labels, least numbers of groups, and what decides."""

import numpy
import pandas
import pytest

from empathy_transfer.data.balanced import balanced_splits
from empathy_transfer.data.split_check import check_splits
from empathy_transfer.data.splits import SPLITS, assign_splits
from empathy_transfer.errors import DataError

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def rows(groups, labels):
    return pandas.DataFrame({"group": groups, "label": labels})


def small_data(number):
    """300 rows in 20 groups of unequal size, 5 % of them with a rare label."""
    random = numpy.random.default_rng(number)
    sizes = random.lognormal(sigma=0.6, size=20)
    groups = [f"s:{group}" for group in random.choice(20, 300, p=sizes / sizes.sum())]
    return rows(groups, random.choice(["a", "b", "rare"], 300, p=[0.475, 0.475, 0.05]))


def test_equal_groups_fill_the_shares_exactly():
    """100 groups, each with one row of each label: 80, 10 and 10 groups, so each label is split 80 to 10 to 10."""
    frame = rows([f"g:{row // 2}" for row in range(200)], ["x", "y"] * 100)
    places = frame["group"].map(balanced_splits({"t": frame}, 1, SHARES))
    for label in ("x", "y"):
        assert places[frame["label"] == label].value_counts().to_dict() == {"train": 80, "validation": 10, "test": 10}


def test_a_rare_label_is_in_every_split():
    """Four of 40 groups have the label: two for training, and one for each of the others."""
    frame = rows([f"g:{row}" for row in range(40)], ["rare" if row % 10 == 3 else "x" for row in range(40)])
    places = frame["group"].map(balanced_splits({"t": frame}, 1, {"train": 0.5, "validation": 0.25, "test": 0.25}))
    assert places[frame["label"] == "rare"].value_counts().to_dict() == {"train": 2, "validation": 1, "test": 1}
    assert places.value_counts().to_dict() == {"train": 20, "validation": 10, "test": 10}


def test_small_data_get_usable_splits_where_a_hash_fails():
    failed = {"grouped": 0, "balanced": 0}
    for number in range(20):
        frame = small_data(number)
        masks = {"grouped": assign_splits(frame.index, frame["group"], dataset="s", seed=number, shares=SHARES)}
        places = frame["group"].map(balanced_splits({"t": frame}, number, SHARES))
        masks["balanced"] = {split: (places == split).to_numpy() for split in SPLITS}
        for scheme, found in masks.items():
            try:
                check_splits(found, frame, "t", {"scheme": "grouped", "seed": number})
            except DataError:
                failed[scheme] += 1
        assert places.groupby(frame["group"]).nunique().max() == 1
    assert failed == {"grouped": 20, "balanced": 0}


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    frame = small_data(0)
    found = balanced_splits({"t": frame}, 3, SHARES)
    assert balanced_splits({"t": frame.sample(frac=1, random_state=0)}, 3, SHARES) == found
    alike = rows([f"g:{row}" for row in range(60)], ["x"] * 60)
    assert balanced_splits({"t": alike}, 3, SHARES) != balanced_splits({"t": alike}, 4, SHARES)


def test_numbers_and_lists_of_labels_are_balanced_too():
    """Of 80 rows, a tenth of each quarter by size is in the test part, and a tenth of the rows of each listed label."""
    frame = rows([f"g:{row}" for row in range(80)], numpy.arange(80.0))
    quarter = frame.index // 20
    places = frame["group"].map(balanced_splits({"t": frame}, 1, SHARES))
    assert pandas.crosstab(quarter, places)["test"].tolist() == [2, 2, 2, 2]
    several = rows([f"g:{row}" for row in range(80)], [["p"] * (row % 2) + ["q"] * (row % 4 == 0) for row in range(80)])
    places = several["group"].map(balanced_splits({"t": several}, 1, SHARES))
    assert several["label"][places == "test"].explode().value_counts().to_dict() == {"p": 4, "q": 2}


def test_too_few_groups_are_refused():
    frame = rows(["a", "b", "c"] * 4, ["x"] * 12)
    with pytest.raises(
        DataError, match=r"3 groups are too few.*needs 10 \(3 for train, 2 for validation, 5 for test\)"
    ):
        balanced_splits({"t": frame}, 1, SHARES)


def test_what_no_scheme_can_mend_is_a_warning(capsys):
    frame = rows(["a", "b", "c"] * 4, ["x"] * 12)
    masks = {split: (frame["group"] == group).to_numpy() for split, group in zip(SPLITS, "abc", strict=True)}
    check_splits(masks, frame, "t", {"scheme": "grouped", "seed": 0})
    assert "WARNING: task t: only 1 groups have test rows" in capsys.readouterr().out
