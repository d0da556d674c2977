"""Is the difference between a transfer and its target's baseline more than chance? One target at a time.

Section 5 of the study tests with a bootstrap over the items of one seed. That is done here too (``p_published``). The
primary test also covers what another seed would have given: the variance of the difference of the means over seeds is
the bootstrap variance over items, paired, plus the variance between seeds of that difference, taken seed by seed and
pooled over the target's transfers, since three seeds of one pair say too little about it (`seed_variance`). Of the
latter, what the choice of items makes seeds differ by is taken out: the bootstrap holds it already, and counting it
twice makes intervals too wide. The statistic is compared with a t distribution. A percentile bootstrap over three to
five seeds is no alternative: it rejects a true null far too often.
"""

import functools

import numpy as np
import pandas as pd
from scipy import stats

from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.records.score_tables import file_of, read_run_scores
from empathy_transfer.scores.improvement import collapsed_runs
from empathy_transfer.scores.points import percent_stands
from empathy_transfer.significance.paired_runs import read_paired
from empathy_transfer.statistics.resampling import (
    FEW_CLUSTERS,
    LEAST_CLUSTERS,
    bootstrap_counts,
    dropped_share,
    paired_difference,
    resampled_counts,
    score_systems,
    whole_counts,
)
from empathy_transfer.statistics.seed_variance import beyond_items, on_fishers_z, paired_variance, spread
from empathy_transfer.statistics.t_tests import NOTHING, detectable, t_test, variance_of
from empathy_transfer.statistics.verdicts import HARMED, HIGHER, IMPROVED, LOWER, UNDECIDED

# Which runs count: all of them, or those that did not collapse.
ALL, SOUND = "all", "without_collapsed"
# What a test covers: with one seed the choice of test items alone.
ITEMS, ITEMS_AND_SEEDS = "items", "items_and_seeds"
ONE_SEED = "one seed: intervals cover the choice of test items alone"
TEST_COLUMNS = """
    source target data runs metric n_test clusters method covers seeds baseline
    transfer difference percent item_se seed_sd seed_item_sd seed_df seed_se se df low high p
    dropped_share mde mde_percent seed_published difference_published se_published p_published reason
""".split()
TEXT_COLUMNS = ("source", "target", "data", "runs", "metric", "method", "covers", "reason")
COVARIANCE_COLUMNS = ["data", "runs", "source_1", "source_2", "items", "total"]


def write_tests(scores_path, prediction_paths, test_path, settings, tests_path, covariance_path):
    """Test all transfers to a target, and write a row for each, and the covariances of their differences.

    Args:
        scores_path: the scores of the target's runs, see `run_scores`. prediction_paths: their predictions, and maybe
            those of others, which are not read.
        test_path: the target's test split, whose groups are what is resampled.
        settings: ``resamples``, ``alpha``, ``margins`` (percent) and ``absent_classes``, see the config's schema.
        tests_path, covariance_path: CSV files to write.

    Raises:
        ArtefactError: a file is damaged. ValueError: predictions are not those of the same test items in all runs.
    """
    runs = {
        (record["source"], record["data"], record["seed"]): (record, file_of(record, prediction_paths))
        for record in read_run_scores(scores_path)
    }
    tests, covariance = (
        compare(*read_paired(runs, test_path), settings) if runs else (frame_of_tests([], settings), _covariance([]))
    )
    write_csv(tests_path, tests)
    write_csv(covariance_path, covariance)
    if len(tests) and (tests["covers"].dropna() == ITEMS).all():
        print("One seed: p and intervals cover the choice of test items only, not what another seed would give.")
    print(f"{len(runs)} runs, {len(tests)} comparisons")


def compare(records, sample, items, predictions, settings):
    """Compare each transfer with the full-data baseline: (frame of tests, frame of covariances).

    Args:
        records: {(source, data, seed): record of the run}.
        sample: the test items in the units that are resampled. items: the same, each item a unit of its own.
        predictions: {key of a run: its predictions}, as ``resampling.score_systems`` takes them.
        settings: see ``write_tests``.
    """
    keys = list(records)
    rows = {key: row for row, key in enumerate(keys)}
    answers = [predictions[key] for key in keys]
    few = sample.n_units < FEW_CLUSTERS
    blocks = resampled_counts(sample.n_units, settings["resamples"])
    whole, scores = (score_systems(sample, answers, chosen) for chosen in (whole_counts(sample.n_units), blocks))
    for key in keys:
        _check_score(key, records[key], system_score(whole, rows[key]))
    # Without the target, which is the same for all.
    collapsed = {(source, data, seed) for source, _, data, seed in collapsed_runs(list(records.values()))}
    variants = {ALL: records, SOUND: {key: records[key] for key in keys if key not in collapsed}}
    values = {key: system_score(whole, row) for key, row in rows.items()}
    absent, units, pooled, paired = settings["absent_classes"], sample.n_units, {}, {}
    for runs, kept in variants.items():
        chosen = [{key: known[key] for key in kept} for known in (values, rows)]
        pooled[runs] = beyond_items(chosen[0], scores, chosen[1], units, few, absent)
        for data in {key[1] for key in kept}:
            sides = [(cell[2], cell[3]) for cell in _cells(kept) if cell[1] == data]
            paired[data, runs] = between_seeds(values, scores, rows, sides, units, absent)
    cells = [(runs, *cell) for runs, kept in variants.items() for cell in _cells(kept)]
    first = sorted({run for *_, transfers, baselines in cells for run in (transfers[0], baselines[0])})
    published = score_systems(
        items, [predictions[key] for key in first], bootstrap_counts(items.n_units, settings["resamples"], seed=1)
    )
    found, deviations = [], {}
    for runs, source, data, transfers, baselines in cells:
        sides = [rows[key] for key in transfers], [rows[key] for key in baselines]
        ends = [first.index(transfers[0])], [first.index(baselines[0])]
        between = paired[data, runs]
        row, deviation = primary_test(whole, scores, sides, between, units, settings, half=data == "half")
        row |= _seed_columns(pooled[runs])
        row |= _published(whole, published, ends, [[side[0]] for side in sides], items.n_units, settings)
        row |= {"source": source, "data": data, "runs": runs, "seed_published": transfers[0][2]}
        marked = not collapsed.isdisjoint([*transfers, *baselines])
        found.append(row | _describe(row, [records[key] for key in baselines], marked, settings))
        if found[-1]["p"] is not None:
            deviations.setdefault((data, runs), []).append((source, transfers, deviation, between(1.0)))
    found += _gone(found)
    return frame_of_tests(found, settings), _covariance(_covariances(deviations, few))


def between_seeds(values, scores, rows, sides, n_units, absent):
    """A function of a share: the ``PairedVariance`` of transfer - share x baseline, over the cells of a target.

    Args:
        values: {run: its score on all items}. scores: ``resampling.Scores`` in the resamples of ``n_units`` units.
        rows: {run: its row in ``scores``}. sides: (runs of the transfer, runs of the baseline), seed by seed, of each
            cell; the last entry of a run's key is its seed. absent: see ``resampling.paired_difference``.
    """
    pairs = [(cell, *pair) for cell, both in enumerate(sides) for pair in zip(*both, strict=True)]
    cells, seeds = [cell for cell, _, _ in pairs], [transfer[-1] for _, transfer, _ in pairs]
    few = n_units < FEW_CLUSTERS

    @functools.cache
    def of_share(share):
        """It is the same for all cells, so it is worked out once for each share: on the scores and on Fisher's z."""
        runs = list(dict.fromkeys(run for _, *both in pairs for run in both))
        on_z = (dict(zip(runs, of_runs, strict=True)) for of_runs in on_fishers_z([values[run] for run in runs]))
        found = []
        for places, weights in ((values, dict.fromkeys(runs, 1.0)), tuple(on_z)):
            differences = [places[transfer] - share * places[baseline] for _, transfer, baseline in pairs]
            drawn = [
                weights[one]
                * paired_difference(scores, [rows[one]], [rows[other]], share * weights[other] / weights[one], absent)
                for _, one, other in pairs
            ]
            found.append(paired_variance(cells, seeds, differences, np.stack(drawn), n_units, few))
        return found[1].at_least(found[0])

    return of_share


def effects_of(difference, significant, covers=None):
    """What tests say, in words: a series.

    improved, harmed or undecided; where a test covers the choice of items alone, higher or lower for the first two.

    Args:
        difference, significant, covers: series of one index. ``significant`` are booleans; ``covers`` says what a test
            covers, see ``primary_test``; None for words that don't tell.
    """
    words = pd.Series(UNDECIDED, index=difference.index, dtype="object")
    items = pd.Series(False, index=difference.index) if covers is None else covers == ITEMS
    for above, below, chosen in ((IMPROVED, HARMED, ~items), (HIGHER, LOWER, items)):
        words[significant & chosen & (difference > 0)] = above
        words[significant & chosen & (difference < 0)] = below
    return words


def margin_column(margin, statistic="p"):
    """Name of the column of the non-inferiority test with a margin in percent: its ``p``, ``se`` or ``df``."""
    return f"{statistic}_noninferior_{margin:g}"


def margin_columns(settings):
    """Names of all columns of the non-inferiority tests, margin by margin."""
    return [margin_column(margin, statistic) for margin in settings["margins"] for statistic in ("se", "df", "p")]


def primary_test(whole, scores, sides, between, n_units, settings, half):
    """The primary test of one cell as columns, and the resampled differences around their mean.

    Args:
        whole, scores: ``resampling.Scores`` of the runs on all items, and in the resamples (below ``FEW_CLUSTERS``
            units: with each unit left out).
        sides: rows of the transfer's runs and of the baseline's, one per seed.
        between: gives the ``seed_variance.PairedVariance`` of transfer - share x baseline of a share.
        n_units: number of units that are resampled.
        settings: see ``write_tests``. half: whether to test for non-inferiority, too.
    """
    absent, few = settings["absent_classes"], n_units < FEW_CLUSTERS
    number = len(sides[0])
    baseline, transfer = (np.mean([system_score(whole, row) for row in side]) for side in (sides[1], sides[0]))
    margins = dict.fromkeys(margin_columns(settings))
    row = {"seeds": number, "clusters": n_units, "method": "cluster_t" if few else "bootstrap", "p": None}
    row |= {"baseline": baseline, "transfer": transfer, "difference": transfer - baseline, **margins}
    row |= {"covers": ITEMS_AND_SEEDS if between(1.0).seeds.freedom else ITEMS, "seed_se": None}
    row |= {"dropped_share": dropped_share(scores, [*sides[0], *sides[1]])}
    if n_units < LEAST_CLUSTERS:
        return row | {"reason": "too_few"}, None

    def error(share):
        """Resampled transfer - share x baseline, and the parts of its variance."""
        replicates = paired_difference(scores, *sides, share, absent)
        return replicates, [(spread(replicates, few), n_units - 1), *between(share).parts(number)]

    replicates, parts = error(1.0)
    tested = t_test(row["difference"], parts, settings["alpha"])
    row |= {"item_se": np.sqrt(parts[0][0]), "se": tested["se"], "df": tested["df"]}
    if row["covers"] != ITEMS:
        row["seed_se"] = np.sqrt(variance_of(parts[1:]))
    if row["se"] < NOTHING < abs(row["difference"]):
        return row | {"reason": "no_variance"}, None
    row |= tested | {"mde": detectable(row["se"], row["df"], settings["alpha"])}
    for margin in settings["margins"] if half else []:
        share = 1 - margin / 100
        tested = t_test(transfer - share * baseline, error(share)[1], settings["alpha"])
        se, freedom = tested["se"], tested["df"]
        if se >= NOTHING:
            p = stats.t.sf((transfer - share * baseline) / se, freedom)
            row |= {margin_column(margin, name): value for name, value in (("se", se), ("df", freedom), ("p", p))}
    return row, replicates - replicates.mean()


def _seed_columns(pooled):
    """What seeds of one cell differ by on the same items, pooled over all runs of the target, as columns."""
    if not pooled.freedom:
        return {"seed_sd": None, "seed_item_sd": None, "seed_df": 0}
    return {"seed_sd": np.sqrt(pooled.between), "seed_item_sd": np.sqrt(pooled.items), "seed_df": pooled.freedom}


def _published(whole, scores, ends, sides, n_items, settings):
    """The study's own test, as columns: one seed, items resampled one by one, two-sided percentile p."""
    difference = system_score(whole, sides[0][0]) - system_score(whole, sides[1][0])
    columns = {"n_test": n_items, "difference_published": difference, "se_published": None, "p_published": None}
    if n_items < LEAST_CLUSTERS:
        return columns
    replicates = paired_difference(scores, *ends, absent=settings["absent_classes"])
    # The observed difference counts as one more resample, so that p is never 0.
    tails = [(1 + (replicates <= NOTHING).sum()), (1 + (replicates >= -NOTHING).sum())]
    p = min(1.0, 2 * min(tails) / (1 + len(replicates)))
    return columns | {"se_published": replicates.std(ddof=1), "p_published": p}


def _describe(row, baselines, collapsed, settings):
    """Columns that need the records of the runs: metric, percentages and the reason code."""
    floor = np.mean([record["floor"] for record in baselines])
    error = np.mean([record["standard_error"] for record in baselines])
    defined = percent_stands(row["baseline"], floor, error)
    columns = {"target": baselines[0]["target"], "metric": baselines[0]["metric"]}
    columns["percent"] = 100 * row["difference"] / row["baseline"] if defined else None
    columns["mde_percent"] = 100 * row["mde"] / row["baseline"] if defined and row.get("mde") else None
    if not defined:  # five percent of next to nothing is no margin
        columns |= dict.fromkeys(margin_columns(settings))
    reason = ("collapsed" if collapsed else "") if defined else "undefined"
    return columns | {"reason": row.get("reason", reason)}


def _cells(records):
    """(source, data, runs of the transfer, runs of the full-data baseline) of each cell, on the seeds of both.

    The half-data baseline, compared with the full-data one, is a cell too.
    """
    baselines = {seed for source, data, seed in records if (source, data) == (BASELINE, "full")}
    for source, data in dict.fromkeys((source, data) for source, data, _ in records):
        seeds = sorted(baselines & {key[2] for key in records if key[:2] == (source, data)})
        if seeds and (source, data) != (BASELINE, "full"):
            yield source, data, [(source, data, seed) for seed in seeds], [(BASELINE, "full", seed) for seed in seeds]


def _gone(found):
    """Rows of the cells of which no run is left once collapsed ones are taken out."""
    left = {(row["source"], row["data"]) for row in found if row["runs"] == SOUND}
    kept = ("source", "target", "data", "metric", "n_test", "clusters", "method")
    return [
        {name: row[name] for name in kept} | {"runs": SOUND, "seeds": 0, "reason": "collapsed"}
        for row in found
        if row["runs"] == ALL and (row["source"], row["data"]) not in left
    ]


def _covariances(deviations, few):
    """Rows of the covariances of the differences of all transfers to a target in a data condition.

    ``items`` is that over items; ``total`` adds the variance between seeds, of which transfers have a part in common.
    """
    for (data, runs), cells in deviations.items():
        replicates = np.stack([deviation for _, _, deviation, _ in cells])
        factor = replicates.shape[1] - 1 if few else 1
        items = np.atleast_2d(np.cov(replicates, ddof=0 if few else 1)) * factor
        for first, (source, transfers, _, variance) in enumerate(cells):
            for second, (other, others, _, _) in enumerate(cells[: first + 1]):
                shared = len({key[2] for key in transfers} & {key[2] for key in others})
                seeds = variance.shared * shared / (len(transfers) * len(others))
                if first == second:
                    seeds = variance_of(variance.parts(len(others)))
                yield data, runs, source, other, items[first, second], items[first, second] + seeds


def system_score(whole, row):
    """A system's score on all test items."""
    return float(whole.values[row, 0] / (1 if whole.occurs is None else whole.occurs.shape[2]))


def _check_score(key, record, score):
    """Raise ValueError unless the predictions give the score that stands in the table of the runs."""
    if abs(score - record["values"][record["metric"]]) > 1e-6:
        recorded = record["values"][record["metric"]]
        raise ValueError(f"run {key}: its predictions give {score:.6f}, but its scores say {recorded:.6f}")


def frame_of_tests(rows, settings):
    """Rows as a frame with all columns, numbers as numbers also where there are none."""
    columns = [*TEST_COLUMNS[:-1], *margin_columns(settings), "reason"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({name: "str" if name in TEXT_COLUMNS else "float64" for name in columns})


def _covariance(rows):
    """Rows of covariances as a frame."""
    return pd.DataFrame(list(rows), columns=COVARIANCE_COLUMNS).astype({"items": "float64", "total": "float64"})
