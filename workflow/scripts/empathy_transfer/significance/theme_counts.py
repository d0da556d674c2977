"""How many transfers between themes improve or harm: the counts of the study's Figure 3, with rates and intervals.

The study prints counts. But 30 pairs lie within a theme and 36 between two, and all transfers to a target share its
baseline: one lucky baseline moves a whole column. A lucky adapter of a source moves a whole row. So counts stand with
their number of cells, and intervals are widened by how much cells move together. These intervals speak of the same
tasks, with other test items and seeds; those over datasets speak of other datasets.
"""

import numpy as np
import pandas as pd
from scipy import stats

from empathy_transfer.leakage.flags import WITHOUT_LEAKED
from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.paired_tests import ALL, ITEMS, ITEMS_AND_SEEDS, effects_of, margin_column
from empathy_transfer.significance.theme_permutation import theme_p_values
from empathy_transfer.statistics.dataset_jackknife import share_interval
from empathy_transfer.statistics.intervals import wilson_interval
from empathy_transfer.statistics.verdicts import HARMED, HIGHER, IMPROVED, LOWER

COUNT_COLUMNS = """
    data runs test covers outcome pairs source_theme target_theme n count rate low high low_datasets high_datasets
    design_effect p_kind p_dataset leaked
""".split()
# Each test, and the column that only tested cells have.
TESTS = {"published": "p_published", "p": "p", "q": "q", "noninferiority": "noninferior"}
PAIRS = ("all", "between_datasets")
DRAWS = 2_000
NUMBERS = ("rate", "low", "high", "low_datasets", "high_datasets", "design_effect", "p_kind", "p_dataset")


def theme_counts(found, covariances, tasks, settings, luck=None):
    """Counts of outcomes by theme of source and target: a frame with ``COUNT_COLUMNS``.

    Args:
        found: the frame of ``families.significance``. covariances: {target: its frame of covariances}.
        tasks: {task: its theme and dataset}. settings: ``alpha`` (level of the tests; intervals have the level
            1 - alpha) and ``margins``.
        luck: {(data, runs): {target: variance}} by the luck of sources' adapters, see ``adapter_luck``.

    ``test`` is published (the study's p), p (primary test, uncorrected), q (corrected) or noninferiority (half data).
    The study's Figure 3 has the outcomes improved and harmed (full data), and not_harmed, its "insignificant or
    improved", and harmed (half data). ``n`` are the cells with a test. ``p_kind`` and ``p_dataset`` say how often the
    same tasks, with their themes permuted within kinds (or datasets), have a rate as far from the mean of all
    permutations (``theme_permutation``). ``leaked`` of the n cells are flagged by the audit of leakage.
    """
    rows = []
    for (data, runs), cells in found[found["source"].isin(list(tasks))].groupby(["data", "runs"], sort=False):
        # How cells move together is the same without those that leak.
        drawn_of = ALL if runs == WITHOUT_LEAKED else runs
        moved, freedom = (luck or {}).get((data, drawn_of), {}), cells.groupby("target")["df"].median()
        draws = {
            target: draw_target(target, frame, data, drawn_of, moved.get(target, 0.0), freedom.get(target))
            for target, frame in covariances.items()
        }
        for test, column in TESTS.items():
            if test == "noninferiority" and data != "half":
                continue
            tested = cells[cells[column].notna()].reset_index(drop=True)
            observed, drawn = _outcomes(tested, draws, test, settings)
            items = test == "published" or (tested["covers"] == ITEMS).any()
            covers = None if tested.empty else ITEMS if items else ITEMS_AND_SEEDS
            for outcome, hits in observed.items():
                key = {"data": data, "runs": runs, "test": test, "covers": covers, "outcome": outcome}
                counts = _by_theme(tested, hits, drawn[outcome], tasks, settings["alpha"])
                rows += [key | row for row in counts]
    frame = pd.DataFrame(rows, columns=COUNT_COLUMNS)
    return frame.astype(dict.fromkeys(NUMBERS, "float64"))


def design_effect(drawn):
    """How many times larger the variance of a count is than if its cells were independent; at least 1.

    ``drawn`` are booleans (draws, cells). 1 where every cell always comes out the same.
    """
    rates = drawn.mean(axis=0)
    independent = float((rates * (1 - rates)).sum())
    return max(1.0, float(drawn.sum(axis=1).var() / independent)) if independent > 1e-9 else 1.0


def _by_theme(tested, observed, drawn, tasks, alpha):
    """A row per choice of pairs, source theme and target theme."""
    sources, targets = ([tasks[task] for task in tested[role]] for role in ("source", "target"))
    source_themes, target_themes = (np.array([task["theme"] for task in side]) for side in (sources, targets))
    ends = {
        "source_dataset": [task["dataset"] for task in sources], "target_dataset": [task["dataset"] for task in targets]
    }  # fmt: skip
    tested = tested.assign(**ends)
    between = (tested["source_dataset"] != tested["target_dataset"]).to_numpy()
    for pairs in PAIRS:
        counted = between if pairs == "between_datasets" else np.ones(len(tested), dtype=bool)
        p = theme_p_values(observed[counted], tested[counted], tasks, DRAWS)
        for row, source_theme in enumerate(THEMES):
            for column, target_theme in enumerate(THEMES):
                chosen = counted & (source_themes == source_theme) & (target_themes == target_theme)
                number, count = int(chosen.sum()), int(observed[chosen].sum())
                effect = design_effect(drawn[:, chosen])
                low, high = wilson_interval(count, number, alpha, effect)
                others = share_interval(observed[chosen], tested[chosen], alpha)
                key = {"pairs": pairs, "source_theme": source_theme, "target_theme": target_theme}
                key |= {"n": number, "count": count, "rate": count / number if number else None}
                key |= {f"p_{strata}": p[strata][row, column] for strata in ("kind", "dataset")}
                leaked = int(tested.loc[chosen, "leaked"].sum())
                key |= {"low": low, "high": high, "low_datasets": others[0], "high_datasets": others[1]}
                yield key | {"design_effect": effect, "leaked": leaked}


def _outcomes(tested, draws, test, settings):
    """({outcome: booleans (cells,)}, {outcome: booleans (draws, cells)}) of a test."""
    alpha = settings["alpha"]
    if test == "noninferiority":
        # The statistic that gave the p, and how it moves; one-sided at half the level. How cells move together is that
        # of their plain differences, each in units of its own standard error.
        p, freedom = (tested[margin_column(settings["margins"][0], name)] for name in ("p", "df"))
        statistic = stats.t.isf(p, freedom)
        moved = statistic + draws_of_cells(tested, draws, "total") / tested["se"].to_numpy()
        return {"noninferior": (tested["noninferior"] == "yes").to_numpy()}, {
            "noninferior": moved >= stats.t.isf(alpha / 2, freedom)
        }
    if test == "published":
        difference, limit = tested["difference_published"], stats.norm.isf(alpha / 2) * tested["se_published"]
        effects = tested["effect_published"]
    else:
        level = alpha if test == "p" else tested["bh_threshold"]
        difference, limit = tested["difference"], stats.t.isf(level / 2, tested["df"]) * tested["se"]
        effects = effects_of(difference, tested["q" if test == "q" else "p"] <= alpha, tested["covers"])
    moved = difference.to_numpy() + draws_of_cells(tested, draws, "items" if test == "published" else "total")
    up, down = moved > limit.to_numpy(), moved < -limit.to_numpy()
    better, worse = (
        np.isin(np.asarray(effects, dtype=object), words) for words in ([IMPROVED, HIGHER], [HARMED, LOWER])
    )
    observed = {IMPROVED: better, HARMED: worse, "not_harmed": ~worse}
    return observed, {IMPROVED: up, HARMED: down, "not_harmed": ~down}


def draw_target(target, frame, data, runs, luck=0.0, freedom=None):
    """Joint draws of the differences of a target around their observed values: {kind: (sources, array)}, and a spread.

    Each target has draws of its own: from the same ones, all targets would move together. ``luck`` is the variance that
    the luck of sources' adapters gives a difference. It is taken out of the draws of ``total``, as far as the part goes
    that is a transfer's own, and its root is returned as ``adapter``. ``freedom`` are the degrees of freedom of the
    target's tests: with few, its variance may be larger than it was measured, and draws of ``total`` follow their t.
    """
    chosen = frame[(frame["data"] == data) & (frame["runs"] == runs)]
    if chosen.empty:
        return {"items": ({}, None), "total": ({}, None), "adapter": 0.0}
    sources = list(dict.fromkeys(chosen["source_1"]))
    places = {source: place for place, source in enumerate(sources)}
    rows, columns = ([places[source] for source in chosen[name]] for name in ("source_1", "source_2"))
    generator, result = np.random.default_rng([0, *target.encode()]), {}
    matrices = {kind: np.zeros((len(sources), len(sources))) for kind in ("items", "total")}
    for kind, matrix in matrices.items():
        matrix[rows, columns] = matrix[columns, rows] = chosen[kind]
    luck = min(luck, _own_part(matrices["total"] - matrices["items"]))
    matrices["total"] -= luck * np.eye(len(sources))
    for kind, matrix in matrices.items():
        drawn = generator.multivariate_normal(
            np.zeros(len(sources)), matrix, DRAWS, check_valid="ignore", method="eigh"
        )
        result[kind] = (places, drawn)
    if freedom is not None and np.isfinite(freedom):
        result["total"] = (places, drawn * np.sqrt(freedom / generator.chisquare(freedom, (DRAWS, 1))))
    return result | {"adapter": np.sqrt(luck)}


def _own_part(seeds):
    """What each transfer has of its own, of covariances that seeds make: diagonal less the rest, on average."""
    number = len(seeds)
    shared = (seeds.sum() - np.trace(seeds)) / (number * (number - 1)) if number > 1 else 0.0
    return max(float(np.trace(seeds) / number - shared), 0.0)


def draws_of_cells(tested, draws, kind):
    """The draws of the tested cells, in their order: an array (draws, cells); zeros where there are none.

    In draws of ``total`` the adapter of a source moves its transfers to all targets alike, each by the target's spread.
    """
    result, adapters = np.zeros((DRAWS, len(tested))), {}
    for column, cell in enumerate(tested.itertuples(index=False)):
        known = draws.get(cell.target, {kind: ({}, None)})
        places, drawn = known[kind]
        if cell.source in places:
            result[:, column] = drawn[:, places[cell.source]]
            if kind == "total" and known["adapter"]:
                if cell.source not in adapters:
                    generator = np.random.default_rng([1, *cell.source.encode()])
                    adapters[cell.source] = generator.standard_normal(DRAWS)
                result[:, column] += known["adapter"] * adapters[cell.source]
    return result
