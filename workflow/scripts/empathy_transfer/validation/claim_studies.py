"""Simulated studies as the rules of claims see them: pairs with their tests, from scores whose truth is known.

A study has the pairs of the published one. All that moves scores is in percent of a target's baseline: what the truth
is (`Changes`), and the luck of items and seeds (`Luck`). The scores of runs are drawn, seed by seed; tests, families
and evidence are then made of them by the functions that make them in a study. What items do to a score is drawn as a
number of its own: the validation of cells draws them one by one.
"""

import functools
from typing import NamedTuple

import numpy
import pandas
from scipy import stats

from empathy_transfer.claims.transfer_evidence import TESTS, study_evidence
from empathy_transfer.significance.families import add_families
from empathy_transfer.significance.paired_tests import ALL, TEXT_COLUMNS, frame_of_tests
from empathy_transfer.statistics.seed_variance import paired_variance
from empathy_transfer.statistics.t_tests import detectable, t_test

SETTINGS = {"alpha": 0.05, "margins": [5]}
BASELINES = (0.35, 0.65)
# Resamples stand for those of items; they only say how far seeds differ by items.
RESAMPLES = 100


class Luck(NamedTuple):
    """How precise a study is: its seeds and items, and standard deviations in percent of a target's baseline.

    `seed_sd` is that of a transfer between seeds, of the baseline `baseline_spread` times as much; runs of one seed
    correlate by `seed_correlation`. `adapter_sd` is that of a trained source between seeds, which moves all transfers
    from it. `item_sd` is what the choice of test items does to a run by itself, beside what it does to all of a target.
    """

    seeds: int = 3
    items: int = 300
    seed_sd: float = 2.0
    item_sd: float = 4.0
    adapter_sd: float = 2.0
    baseline_spread: float = 1.5
    seed_correlation: float = 0.4


class Changes(NamedTuple):
    """What transfer truly changes, in percent of the baseline.

    `mean` is that of all pairs. `gains` are {(source theme, target theme): percent}, None standing for all themes.
    Standard deviations of what differs between tasks and datasets stand at the end. With `share` a pair either gains
    `gain` or nothing: those do that these differences put in the upper `share`.
    """

    mean: float = 0.0
    gains: tuple = ()
    share: float = 0.0
    gain: float = 0.0
    source: float = 0.0
    target: float = 0.0
    source_dataset: float = 0.0
    target_dataset: float = 0.0
    dataset_pair: float = 0.0
    pair: float = 0.0


class Noise(NamedTuple):
    """What luck did to a study, in percent of baselines: it is the same whatever the truth is.

    `baselines` are scores (targets); `moved` the mean difference of each pair (pairs); `se` and `freedom` those of the
    tests of a target (targets). `as_source` and `as_target` are gains of variants (variants x tasks x seeds): of a
    transfer from the variant over that from its task, and of what a source adds to the variant's baseline over what it
    adds to its task's.
    """

    baselines: numpy.ndarray
    moved: numpy.ndarray
    se: numpy.ndarray
    freedom: numpy.ndarray
    as_source: numpy.ndarray
    as_target: numpy.ndarray


def true_changes(design, themes, changes, generator):
    """True changes of all pairs in percent: array (pairs,). ``themes`` is the theme of each task by position."""
    tasks, datasets = design.source.max() + 1, design.source_dataset.max() + 1
    normal = generator.standard_normal
    own = changes.source * normal(tasks)[design.source] + changes.target * normal(tasks)[design.target]
    own += changes.source_dataset * normal(datasets)[design.source_dataset]
    own += changes.target_dataset * normal(datasets)[design.target_dataset]
    own += changes.dataset_pair * normal((datasets, datasets))[design.source_dataset, design.target_dataset]
    own += changes.pair * normal(len(design.source))
    if changes.share:
        sd = numpy.sqrt(sum(size**2 for size in changes[4:]))
        own = changes.gain * (own > sd * stats.norm.isf(changes.share))
    own = own + changes.mean
    for (source, target), percent in changes.gains:
        chosen = numpy.ones(len(own), dtype=bool)
        for theme, places in ((source, design.source), (target, design.target)):
            if theme is not None:
                chosen &= themes[places] == theme
        own = own + percent * chosen
    return own


def draw_noise(design, luck, variants, seed):
    """The `Noise` of a study.

    Args:
        design: `simulated_studies.Design`. luck: `Luck`. variants: (their number, position of their task).
        seed: a list of numbers.
    """
    generator = numpy.random.default_rng(seed)
    tasks, (number, made_from) = int(design.source.max()) + 1, variants
    baselines = generator.uniform(*BASELINES, tasks)
    adapters, of_variants = (luck.adapter_sd * generator.standard_normal((n, luck.seeds)) for n in (tasks, number))
    moved, se, freedom = numpy.empty(len(design.source)), numpy.empty(tasks), numpy.empty(tasks)
    as_source, as_target = numpy.full((2, number, tasks, luck.seeds), numpy.nan)
    for target in range(tasks):
        rows = numpy.flatnonzero(design.target == target)
        sources = design.source[rows]
        transfers, baseline, common = _runs_of_target(generator, luck, adapters[sources])
        moved[rows] = (transfers - baseline).mean(axis=1)
        tested = t_test(0.0, _variance_parts(generator, luck, transfers - baseline), SETTINGS["alpha"])
        se[target], freedom[target] = tested["se"], tested["df"]
        if target == made_from:
            for variant in range(number):
                own, own_baseline, _ = _runs_of_target(generator, luck, adapters[sources])
                as_target[variant, sources] = (own - own_baseline) - (transfers - baseline)
        else:
            of_task = transfers[sources == made_from]
            as_source[:, target] = of_variants + _luck_of_runs(generator, luck, number, common) - of_task
    return Noise(baselines, moved, se, freedom, as_source, as_target)


def study_frame(design, tasks, noise, luck, changes):
    """The frame of significance.csv of a study with these true changes (pairs), as `study_evidence` takes it.

    ``tasks`` is {task: its theme, kind and dataset}, in the order of positions.
    """
    names = numpy.array(list(tasks))
    baseline = noise.baselines[design.target]
    percent = changes + noise.moved
    se, freedom = noise.se[design.target], noise.freedom[design.target]
    error = baseline * se / 100
    smallest = detectable(noise.se, noise.freedom, SETTINGS["alpha"])[design.target]
    difference = baseline * percent / 100
    rows = {"source": names[design.source], "target": names[design.target], "data": "full", "runs": ALL}
    rows |= {"metric": "pearson_r", "n_test": luck.items, "clusters": luck.items, "method": "bootstrap"}
    rows |= {"covers": "items_and_seeds", "seeds": luck.seeds, "baseline": baseline, "transfer": baseline + difference}
    rows |= {"difference": difference, "percent": percent, "se": error, "df": freedom}
    half_width = stats.t.isf(SETTINGS["alpha"] / 2, freedom) * error
    rows |= {"low": difference - half_width, "high": difference + half_width}
    rows |= {"p": 2 * stats.t.sf(numpy.abs(difference) / error, freedom)}
    rows |= {"mde": smallest * baseline / 100, "mde_percent": smallest, "reason": ""}
    frame = add_families(frame_of_tests(pandas.DataFrame(rows), SETTINGS), tasks, SETTINGS)
    # As in `read_study`; also, rules read texts of this type in half the time.
    return frame.astype(dict.fromkeys(TEXT_COLUMNS, "object")).assign(leaked=False)


def evidence_of(frame, tasks, variants=None):
    """The `Evidence` of a simulated study; its half-data transfers are taken to be as its full-data ones."""
    evidence = study_evidence(frame, tasks, ALL, TESTS, variants=variants)
    return evidence._replace(pairs=pandas.concat([evidence.pairs, evidence.pairs.assign(data="half")]))


def variants_of_study(names, made_from, tasks, noise, gain):
    """What variants of a task gain beside it, seed by seed, as the rule on variants reads it.

    Args:
        names: of the variants. made_from: position of their task. tasks: names of all tasks. noise: `Noise`.
        gain: what variants truly gain in either role, in percent of the baseline.

    Test items move no gain as a whole here (`shared_variance`).
    """
    rows = []
    for role, moved in (("source", noise.as_source), ("target", noise.as_target)):
        for variant, of_variant in zip(names, moved, strict=True):
            for place, other in enumerate(tasks):
                at = place if role == "source" else made_from
                for seed, luck in enumerate(of_variant[place] if place != made_from else ()):
                    row = {"variant": variant, "role": role, "other": other, "data": "full", "seed": seed}
                    row |= {"seeds": len(of_variant[place]), "shared_variance": 0.0, "clusters": numpy.nan}
                    rows.append(row | {"gain": noise.baselines[at] * (gain + luck) / 100})
    return pandas.DataFrame(rows)


def _runs_of_target(generator, luck, adapters):
    """Transfers (sources x seeds), baseline (seeds) and what all runs of a seed have in common (seeds)."""
    common = numpy.sqrt(luck.seed_correlation) * generator.standard_normal(luck.seeds)
    baseline = _luck_of_runs(generator, luck, 1, common, luck.baseline_spread)[0]
    return adapters + _luck_of_runs(generator, luck, len(adapters), common), baseline, common


def _luck_of_runs(generator, luck, number, common, spread=1.0):
    """What seeds and items do to runs (number x seeds), but for the luck of a source's adapter."""
    own, items = generator.standard_normal((2, number, luck.seeds))
    return luck.seed_sd * spread * (common + numpy.sqrt(1 - luck.seed_correlation) * own) + luck.item_sd * items


def _variance_parts(generator, luck, differences):
    """The parts of the variance of a mean difference, as `paired_tests.primary_test` has them, from (cells x seeds)."""
    cells, seeds = numpy.indices(differences.shape)
    drawn = _resampled_items(*differences.shape) * luck.item_sd
    variance = paired_variance(cells.ravel(), seeds.ravel(), differences.ravel(), drawn, luck.items, few=False)
    # A variance over so many items, of two means over seeds.
    items = 2 * luck.item_sd**2 / luck.seeds * generator.chisquare(luck.items - 1) / (luck.items - 1)
    return [(items, luck.items - 1), *variance.parts(luck.seeds)]


@functools.cache
def _resampled_items(cells, seeds):
    """What resampled items do to the differences of transfers and baseline ((cells * seeds) x resamples), in SDs."""
    generator = numpy.random.default_rng(0)
    transfers, baseline = (generator.standard_normal((n, seeds, RESAMPLES)) for n in (cells, 1))
    return (transfers - baseline).reshape(cells * seeds, RESAMPLES)
