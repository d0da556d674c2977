"""How many transfers between themes improve or harm: the counts of the study's Figure 3, with rates and intervals.

The study prints counts. But 30 pairs lie within a theme and 36 between two, and all transfers to a target share its
baseline: one lucky baseline moves a whole column. So counts stand with their number of cells, and intervals are widened
by how much the cells of a target move together.
"""

import numpy as np
import pandas as pd
from scipy import stats

from empathy_transfer.leakage.flags import WITHOUT_LEAKED
from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.paired_tests import ALL, effects_of, margin_column
from empathy_transfer.significance.theme_permutation import theme_p_values
from empathy_transfer.statistics.verdicts import HARMED, IMPROVED

COUNT_COLUMNS = """
    data runs test outcome pairs source_theme target_theme n count rate low high
    design_effect p_kind p_dataset leaked
""".split()
# Each test, and the column that only tested cells have.
TESTS = {"published": "p_published", "p": "p", "q": "q", "noninferiority": "noninferior"}
PAIRS = ("all", "between_datasets")
DRAWS = 2_000


def theme_counts(found, covariances, tasks, settings):
    """Counts of outcomes by theme of source and target: a frame with ``COUNT_COLUMNS``.

    Args:
        found: the frame of ``families.significance``. covariances: {target: its frame of covariances}.
        tasks: {task: its theme and dataset}. settings: ``alpha`` (level of the tests; intervals have the level
            1 - alpha) and ``margins``.

    ``test`` is published (the study's p), p (primary test, uncorrected), q (corrected) or noninferiority (half data).
    The study's Figure 3 has the outcomes improved and harmed (full data), and not_harmed, its "insignificant or
    improved", and harmed (half data). ``n`` are the cells with a test. ``p_kind`` and ``p_dataset`` say how often the
    same tasks, with their themes permuted within kinds (or datasets), have a rate as far from the mean of all
    permutations (``theme_permutation``). ``leaked`` of the n cells are flagged by the audit of leakage.
    """
    rows = []
    for (data, runs), cells in found[found["source"].isin(list(tasks))].groupby(["data", "runs"], sort=False):
        draws = {target: _draw(target, frame, data, runs) for target, frame in covariances.items()}
        for test, column in TESTS.items():
            if test == "noninferiority" and data != "half":
                continue
            tested = cells[cells[column].notna()].reset_index(drop=True)
            observed, drawn = _outcomes(tested, draws, test, settings)
            for outcome, hits in observed.items():
                key = {"data": data, "runs": runs, "test": test, "outcome": outcome}
                counts = _by_theme(tested, hits, drawn[outcome], tasks, settings["alpha"])
                rows += [key | row for row in counts]
    frame = pd.DataFrame(rows, columns=COUNT_COLUMNS)
    return frame.astype(dict.fromkeys(("rate", "low", "high", "design_effect", "p_kind", "p_dataset"), "float64"))


def wilson_interval(count, number, alpha, design_effect=1.0):
    """Wilson's interval of a rate, for number / design_effect independent cells; (None, None) for none."""
    if number == 0:
        return None, None
    z, effective, rate = stats.norm.isf(alpha / 2), number / design_effect, count / number
    middle = (rate + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = z / (1 + z**2 / effective) * np.sqrt(rate * (1 - rate) / effective + z**2 / (4 * effective**2))
    # Exactly 0 and 1 where the rate is, whatever the rounding.
    return (max(0.0, middle - half) if count else 0.0), (min(1.0, middle + half) if count < number else 1.0)


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
    between = np.array([a["dataset"] != b["dataset"] for a, b in zip(sources, targets, strict=True)], dtype=bool)
    for pairs in PAIRS:
        counted = between if pairs == "between_datasets" else np.ones(len(tested), dtype=bool)
        p = theme_p_values(observed[counted], tested[counted], tasks, DRAWS)
        for row, source_theme in enumerate(THEMES):
            for column, target_theme in enumerate(THEMES):
                chosen = counted & (source_themes == source_theme) & (target_themes == target_theme)
                number, count = int(chosen.sum()), int(observed[chosen].sum())
                effect = design_effect(drawn[:, chosen])
                low, high = wilson_interval(count, number, alpha, effect)
                key = {"pairs": pairs, "source_theme": source_theme, "target_theme": target_theme}
                key |= {"n": number, "count": count, "rate": count / number if number else None}
                key |= {f"p_{strata}": p[strata][row, column] for strata in ("kind", "dataset")}
                leaked = int(tested.loc[chosen, "leaked"].sum())
                yield key | {"low": low, "high": high, "design_effect": effect, "leaked": leaked}


def _outcomes(tested, draws, test, settings):
    """({outcome: booleans (cells,)}, {outcome: booleans (draws, cells)}) of a test."""
    alpha = settings["alpha"]
    if test == "noninferiority":
        # The statistic that gave the p, and how it moves; one-sided at half the level. How cells move together is that
        # of their plain differences, each in units of its own standard error.
        p, freedom = (tested[margin_column(settings["margins"][0], name)] for name in ("p", "df"))
        statistic = stats.t.isf(p, freedom)
        moved = statistic + _columns(tested, draws, "total") / tested["se"].to_numpy()
        return {"noninferior": (tested["noninferior"] == "yes").to_numpy()}, {
            "noninferior": moved >= stats.t.isf(alpha / 2, freedom)
        }
    if test == "published":
        difference, limit = tested["difference_published"], stats.norm.isf(alpha / 2) * tested["se_published"]
        effects = tested["effect_published"]
    else:
        level = alpha if test == "p" else tested["bh_threshold"]
        difference, limit = tested["difference"], stats.t.isf(level / 2, tested["df"]) * tested["se"]
        effects = tested["effect"] if test == "q" else effects_of(difference, tested["p"] <= alpha)
    moved = difference.to_numpy() + _columns(tested, draws, "items" if test == "published" else "total")
    up, down = moved > limit.to_numpy(), moved < -limit.to_numpy()
    effects = np.asarray(effects, dtype=object)
    observed = {IMPROVED: effects == IMPROVED, HARMED: effects == HARMED, "not_harmed": effects != HARMED}
    return observed, {IMPROVED: up, HARMED: down, "not_harmed": ~down}


def _draw(target, frame, data, runs):
    """Joint draws of the differences of a target around their observed values: {kind: (sources, array)}.

    Each target has draws of its own: from the same ones, all targets would move together.
    """
    # How cells move together is the same without those that leak.
    chosen = frame[(frame["data"] == data) & (frame["runs"] == (ALL if runs == WITHOUT_LEAKED else runs))]
    if chosen.empty:
        return {"items": ({}, None), "total": ({}, None)}
    sources = list(dict.fromkeys(chosen["source_1"]))
    places = {source: place for place, source in enumerate(sources)}
    rows, columns = ([places[source] for source in chosen[name]] for name in ("source_1", "source_2"))
    generator, result = np.random.default_rng([0, *target.encode()]), {}
    for kind in ("items", "total"):
        matrix = np.zeros((len(sources), len(sources)))
        matrix[rows, columns] = matrix[columns, rows] = chosen[kind]
        drawn = generator.multivariate_normal(
            np.zeros(len(sources)), matrix, DRAWS, check_valid="ignore", method="eigh"
        )
        result[kind] = (places, drawn)
    return result


def _columns(tested, draws, kind):
    """The draws of the tested cells, in their order: an array (draws, cells); zeros where there are none."""
    result = np.zeros((DRAWS, len(tested)))
    for column, cell in enumerate(tested.itertuples(index=False)):
        places, drawn = draws.get(cell.target, {kind: ({}, None)})[kind]
        if cell.source in places:
            result[:, column] = drawn[:, places[cell.source]]
    return result
