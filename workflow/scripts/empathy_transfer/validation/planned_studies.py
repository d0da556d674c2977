"""A study that is planned: its pairs of tasks, and what many such studies would measure, all of them at once.

Everything is in percent of a target's baseline. What is true and what luck does are normal deviates with the standard
deviations of `Spreads`. Tests of transfers are those of a study (`paired_tests`): the variance over items, plus those
that seeds add, which are estimated anew in each study with as many degrees of freedom as the seeds leave.
"""

from typing import NamedTuple

import numpy
from scipy import special

from empathy_transfer.report.style import THEMES
from empathy_transfer.statistics.t_tests import LEVEL, POWER, degrees_of_freedom, variance_of
from empathy_transfer.validation.simulated_studies import Design

SPREAD_ITEMS = 300  # test items at which `Spreads.item` holds
# Mean ratings (definition, link, conduciveness) of the tasks of the published study, by theme (its Table 2).
RATINGS = {
    "direct": ((5, 3.5, 5), (4.5, 5, 3), (4, 5, 3), (3.5, 4, 3.5), (4.5, 4, 4), (5, 4.5, 4)),
    "abstract": ((5, 2, 3.5), (3, 3, 3.5), (3, 3, 3.5), (2.5, 2.5, 1), (3, 3, 3.5), (2.5, 2.5, 3)),
    "adjacent": ((3, 1.5, 3.5), (3, 2, 4.5), (2, 1, 2), (1.5, 1, 1.5), (3, 4, 3), (3, 2.5, 3.5)),
}
# The themes of tasks in the order in which datasets take them: as in the published study, about half of the tasks of a
# dataset share their theme, and each six tasks have two of each.
ORDER = "dajdajddaajjddajja"


class Plan(NamedTuple):
    """The size of a study: tasks in datasets of equal size, seeds of each run, test items of each task."""

    tasks: int = 18
    datasets: int = 9
    seeds: int = 3
    items: int = 300

    @property
    def trainings(self):
        """Number of trainings, on full and half data."""
        return 2 * self.seeds * self.tasks**2


class Spreads(NamedTuple):
    """Standard deviations in percent of a baseline.

    What transfer truly does differs between targets, sources, their datasets, pairs of datasets, and pairs. What a run
    scores differs between seeds (`seed`; that of a baseline `baseline_spread` times as much; runs of one seed correlate
    by `seed_correlation`), by the luck of the source's adapter (`adapter`), and by the choice of 300 test items
    (`item`).
    """

    target: float = 3.0
    source: float = 1.5
    target_dataset: float = 2.0
    source_dataset: float = 2.0
    dataset_pair: float = 1.5
    pair: float = 2.0
    seed: float = 2.0
    baseline_spread: float = 1.5
    seed_correlation: float = 0.4
    adapter: float = 2.0
    item: float = 4.0


class Layout(NamedTuple):
    """What stands where: theme and kind (0, 1: regression) of each task, its dataset, and the design of the pairs."""

    themes: numpy.ndarray
    kinds: numpy.ndarray
    datasets: numpy.ndarray
    design: Design

    def of_theme(self, theme, role):
        """Which pairs have a source (or target) of a theme."""
        return (self.themes == THEMES.index(theme))[getattr(self.design, role)]

    def tasks_of(self, theme):
        """How many tasks a theme has."""
        return int((self.themes == THEMES.index(theme)).sum())


class PlannedLuck(NamedTuple):
    """What many studies measure beside the effect that is looked for: all arrays begin with the studies.

    `measured` is what luck does to each pair in percent, `differing` what truly differs between tasks and datasets;
    `se` and `df` are those of the tests of each target (studies x targets). `covers_seeds` is whether tests do.
    """

    measured: numpy.ndarray
    differing: numpy.ndarray
    se: numpy.ndarray
    df: numpy.ndarray
    covers_seeds: bool


def layout(plan):
    """The `Layout` of a plan: themes and ratings as of the published tasks; a third of each theme are regressions."""
    numbers = numpy.arange(plan.tasks)
    letters = {"d": "direct", "a": "abstract", "j": "adjacent"}
    names = [letters[ORDER[number % len(ORDER)]] for number in numbers]
    places = [names[:number].count(name) for number, name in enumerate(names)]  # among the tasks of its theme
    themes, datasets = numpy.array([THEMES.index(name) for name in names]), numbers * plan.datasets // plan.tasks
    kinds = (numpy.array(places) % 3 == 2).astype(int)
    source, target = (ends[~numpy.eye(plan.tasks, dtype=bool)] for ends in numpy.indices((plan.tasks, plan.tasks)))
    ratings = numpy.array([RATINGS[name][place % 6] for name, place in zip(names, places, strict=True)])
    design = Design(source, target, datasets[source], datasets[target], ratings[target] - ratings[source])
    return Layout(themes, kinds, datasets, design)


def simulate_luck(plan, where, spreads, studies, seed):
    """The `PlannedLuck` of so many studies of a plan with a `Layout`. The same seed gives the same luck."""
    generator = numpy.random.default_rng(seed)
    design, (tasks, datasets) = where.design, (plan.tasks, plan.datasets)

    def normal(*shape):
        """Normal deviates of all studies."""
        return generator.standard_normal((studies, *shape))

    differing = spreads.target * normal(tasks)[:, design.target] + spreads.source * normal(tasks)[:, design.source]
    differing += spreads.target_dataset * normal(datasets)[:, design.target_dataset]
    differing += spreads.source_dataset * normal(datasets)[:, design.source_dataset]
    of_datasets = design.source_dataset * datasets + design.target_dataset
    differing += spreads.dataset_pair * normal(datasets * datasets)[:, of_datasets]
    differing += spreads.pair * normal(len(design.source))
    item = spreads.item * numpy.sqrt(SPREAD_ITEMS / plan.items)
    # Of the difference of a seed: what all transfers to a target have in common, and what each has of its own.
    common = spreads.seed**2 * (spreads.baseline_spread**2 * (1 - spreads.seed_correlation))
    common += spreads.seed**2 * spreads.seed_correlation * (1 - spreads.baseline_spread) ** 2
    own = spreads.seed**2 * (1 - spreads.seed_correlation)
    measured = spreads.adapter / numpy.sqrt(plan.seeds) * normal(tasks)[:, design.source]
    measured += numpy.sqrt((common + item**2) / plan.seeds) * normal(tasks)[:, design.target]
    measured += numpy.sqrt((own + item**2) / plan.seeds) * normal(len(design.source))
    parts = _variance_parts(plan, item**2, common, own + spreads.adapter**2, generator, studies)
    se = numpy.sqrt(variance_of(parts))
    return PlannedLuck(measured, differing, se, _degrees_of_freedom(parts), plan.seeds > 1)


def p_values(percent, luck, design):
    """Two-sided p of the test of each pair: studies x pairs."""
    statistics = numpy.abs(percent) / luck.se[:, design.target]
    return 2 * special.stdtr(luck.df[:, design.target], -statistics)


def discoveries(p, alpha=LEVEL):
    """(which pairs are found at a false discovery rate of alpha, the p that was enough in each study)."""
    number = p.shape[1]
    held = numpy.sort(p, axis=1) <= alpha * numpy.arange(1, number + 1) / number
    found = numpy.where(held.any(axis=1), number - numpy.argmax(held[:, ::-1], axis=1), 0)
    threshold = alpha * numpy.maximum(found, 1) / number
    return p <= numpy.where(found, threshold, 0.0)[:, None], threshold


def detectable_changes(luck, level):
    """Change that a test of each target finds with a power of 80 % at a level (per study): studies x targets, percent.

    The sum of two quantiles of t, which is near the noncentral t of `t_tests` and as fast as many studies need.
    """
    quantiles = special.stdtrit(luck.df, 1 - numpy.broadcast_to(level, len(luck.df))[:, None] / 2)
    return (quantiles + special.stdtrit(luck.df, POWER)) * luck.se


def _variance_parts(plan, items, common, own, generator, studies):
    """The parts of the variance of a mean difference as studies estimate them, as `t_tests` wants them.

    A part is (variance, degrees of freedom, measured variance), of which the first and the last are studies x targets.
    """
    cells, seeds, shape = plan.tasks - 1, plan.seeds, (studies, plan.tasks)

    def estimated(value, freedom):
        """Estimates of a variance with so many degrees of freedom."""
        return value * generator.chisquare(freedom, shape) / freedom

    of_choice = 2 * estimated(items, plan.items - 1) / seeds
    parts = [(of_choice, plan.items - 1, of_choice)]
    if seeds < 2:
        return parts
    for between, of_items, freedom, weight in (
        (cells * common + own + (cells + 1) * items, (cells + 1) * items, seeds - 1, 1 / cells),
        (own + items, items, (seeds - 1) * (cells - 1), 1 - 1 / cells),
    ):
        if freedom:
            found = estimated(between, freedom)
            parts.append((numpy.maximum(found - of_items, 0.0) * weight / seeds, freedom, found * weight / seeds))
    return parts


def _degrees_of_freedom(parts):
    """Those of the tests of all studies and targets."""
    found = numpy.empty(parts[0][0].shape)
    for place in numpy.ndindex(found.shape):
        found[place] = degrees_of_freedom(
            [(part[place], freedom, measured[place]) for part, freedom, measured in parts]
        )
    return found
