"""Predictions of other people's models of the similarity of stories, scored by our metrics, and by whom they differ.

The authors of the similarity study released what two of their models say of each development and test pair, row by row
beside the four labels. Rows are matched with the pairs by position, and every label must be the same on both sides.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from empathy_transfer.data.raw_files import check_raw
from empathy_transfer.data.raw_text import read_rows, refuse_names
from empathy_transfer.data.readers.common import PLACE, read_delimited, require_columns, with_place
from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.similarity.pair_scores import score_with_interval
from empathy_transfer.similarity.rating_files import as_numbers, read_machines, read_pair_ratings
from empathy_transfer.statistics.dyads import Dyads

NUMBERS = ("pearson_r", "spearman_r", "mse")
CLASSES = ("accuracy", "precision_macro", "recall_macro", "f1_macro")
ANY_NUMBER = (-np.inf, np.inf)
PEER_COLUMNS = ["peer", "split", "label", "metric", "value", "low", "high", "items", "stories"]
APART_COLUMNS = ["model", "split", "label", "side", "place", "id", "rating", "prediction", "apart"]


class Answers(NamedTuple):
    """What peers say of some pairs.

    ``pairs`` has the columns id, first and second (the two stories), ``labels`` a column for each label and
    ``predictions`` one for each peer, all row by row.
    """

    pairs: pd.DataFrame
    labels: pd.DataFrame
    predictions: pd.DataFrame


def write_peers(files, peers, groups, settings, record_folder, peers_path, apart_path):
    """Write peers.csv, and the pairs by id on which a peer and people differ most.

    Args:
        files: {split of `peers`: {name: path} of its raw files; group of raters: the path of its file}.
        peers: {split: its description in the config}. groups: {group: its description}, those with machines.
        settings: `alpha`, the error rate of intervals, and `listed`, how many pairs are listed on each side.
        record_folder: where digests of files without a known one are recorded. peers_path, apart_path: CSV files.

    Raises:
        DataError: a file is not the one of the config, or its rows are not those of the pairs.
    """
    found = {}
    for split, about in peers.items():
        expected = {part["file"]: part["sha256"] for part in (about["scores"], about["pairs"])}
        check_raw(f"peers_{split}", files[split], expected, record_folder)
        found[split] = read_peer_answers(*(files[split][about[part]["file"]] for part in ("scores", "pairs")), about)
    for name, about in groups.items():
        found[name] = answers_of_machines(*(read(files[name], about) for read in (read_pair_ratings, read_machines)))
    write_csv(peers_path, peer_scores(found, settings["alpha"]))
    write_csv(apart_path, furthest_apart(found, settings["listed"]))


def read_peer_answers(scores_path, pairs_path, about):
    """The `Answers` of a file of scores beside the file of its pairs.

    Raises:
        DataError: the files differ in length or in a label, or a column or a number is missing.
    """
    scores, pairs = _read_named(scores_path), read_delimited(pairs_path)
    labels, columns, own = about["labels"], about["scores"]["columns"], about["pairs"]
    require_columns(scores, [*labels.values(), *columns.values()], scores_path)
    require_columns(pairs, [*labels.values(), own["id"], *own["columns"].values()], pairs_path)
    if len(scores) != len(pairs):
        raise DataError(f"{scores_path.name} has {len(scores)} rows, {pairs_path.name} {len(pairs)}: fetch both again.")
    given = {name: as_numbers(pairs, column, about["range"]) for name, column in labels.items()}
    for name, column in labels.items():
        wrong = np.flatnonzero(as_numbers(scores, column, about["range"]).to_numpy() != given[name].to_numpy())
        if wrong.size:
            raise DataError(
                f"{scores[PLACE].iloc[wrong[0]]}, column {column!r}: another label than {pairs[PLACE].iloc[wrong[0]]} "
                f"has ({wrong.size} rows differ). These scores are not of these pairs: fetch both files again."
            )
    predictions = {name: as_numbers(scores, column, ANY_NUMBER) for name, column in columns.items()}
    predictions |= {name: as_numbers(pairs, column, ANY_NUMBER) for name, column in own["columns"].items()}
    return Answers(_members(pairs, own["id"]), pd.DataFrame(given), pd.DataFrame(predictions))


def answers_of_machines(ratings, machines):
    """The `Answers` of machines that stand beside people's ratings; the labels are the means over raters.

    Each pair of stories is one of its own here.
    """
    labels = ratings.groupby(["item", "aspect"], sort=False)["value"].mean().unstack(sort=False)
    items = pd.Series(machines.index)
    pairs = pd.DataFrame({"id": items, "first": items + " A", "second": items + " B"})
    return Answers(pairs, labels.reindex(machines.index).reset_index(drop=True), machines.reset_index(drop=True))


def peer_scores(found, alpha):
    """Scores of all peers: a frame with `PEER_COLUMNS`; ``found`` is {split: its `Answers`}.

    Intervals are over stories, since pairs share them: `statistics.dyads`. ``items`` are pairs.
    """
    rows = []
    for split, answers in found.items():
        dyads = Dyads(answers.pairs["first"], answers.pairs["second"])
        for peer, predicted in answers.predictions.items():
            for label, given in answers.labels.items():
                for name in (*NUMBERS, *CLASSES):
                    row = score_with_interval(name, given, predicted, dyads, alpha)
                    rows.append((peer, split, label, name, *row, dyads.n_pairs, dyads.n_members))
    return pd.DataFrame(rows, columns=PEER_COLUMNS)


def furthest_apart(found, listed):
    """The pairs on which a model and people differ most, on both sides: a frame with `APART_COLUMNS`, without texts.

    Both are standardised, since a model that is low or narrow on the whole would otherwise only show that. ``apart`` is
    the model less people, in standard deviations; ``side`` is the model's, `higher` or `lower`.
    """
    rows = []
    for split, answers in found.items():
        for model, predicted in answers.predictions.items():
            for label, given in answers.labels.items():
                apart = _standard(predicted) - _standard(given)
                for side, sign in (("higher", 1), ("lower", -1)):
                    chosen = (sign * apart).sort_values(ascending=False, kind="stable").index[:listed]
                    for place, row in enumerate(chosen, 1):
                        key = (model, split, label, side, place, answers.pairs["id"][row])
                        rows.append((*key, given[row], predicted[row], apart[row]))
    return pd.DataFrame(rows, columns=APART_COLUMNS)


def _read_named(path):
    """The columns of a CSV file that have a name, as `read_delimited` gives them: a released file has two without."""
    header, *rows = read_rows(path)
    named = [place for place, name in enumerate(header) if name]
    refuse_names([header[place] for place in named], (), path)
    frame = pd.DataFrame([[row[place] for place in named] for row in rows], columns=[header[place] for place in named])
    return with_place(frame, path)


def _members(pairs, column):
    """Id and stories of each pair, from names such as (0, 153): numbers of two stories."""
    parts = pairs[column].str.extract(r"^\((\d+), (\d+)\)$")
    wrong = parts.isna().any(axis=1)
    if wrong.any():
        raise DataError(f"{pairs[PLACE][wrong].iloc[0]}, column {column!r}: expected numbers of two stories, (1, 2).")
    return pd.DataFrame({"id": parts[0] + "-" + parts[1], "first": parts[0], "second": parts[1]})


def _standard(values):
    """Values with mean 0 and standard deviation 1; zeros where all are equal."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else values * 0.0
