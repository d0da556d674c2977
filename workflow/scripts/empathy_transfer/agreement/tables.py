"""Agreement of any long table of ratings: per form and aspect, per rater, by number of raters, and between groups.

A long table has a row per rating with the columns item, aspect, form, rater (text) and value (a number). Any number of
raters; a missing rating has no row.
"""

import itertools

import numpy as np
import pandas as pd

from empathy_transfer.agreement.intervals import difference, measured, measured_twice
from empathy_transfer.agreement.measures import MEASURES, ceiling_of, others_mean, pair_r
from empathy_transfer.agreement.scales import fishers_z
from empathy_transfer.statistics.resampling import LEAST_CLUSTERS

KEYS = ["item", "aspect", "form", "rater"]
# The first columns are what others read; ends of intervals follow.
ENDS = {
    "krippendorff_alpha": "alpha",
    "alpha_ordinal": "ordinal",
    "pearson_r": "pearson",
    "spearman_r": "spearman",
    "cohen_kappa": "kappa",
    "ceiling_r": "ceiling",
}
AGREEMENT_COLUMNS = [
    *"form aspect raters items krippendorff_alpha alpha_low alpha_high pearson_r spearman_r cohen_kappa".split(),
    *"alpha_ordinal ceiling_r".split(),
    *[f"{name}_{end}" for name in list(ENDS.values())[1:] for end in ("low", "high")],
    "reason",
]
RATER_COLUMNS = "form aspect rater items mean sd ceiling_r ceiling_low ceiling_high".split()
EQUAL_COLUMNS = "form aspect rater other_form other_aspect other_rater items".split()
NUMBER_COLUMNS = "form aspect others raters items ceiling_r ceiling_low ceiling_high".split()
DIFFERENCE_COLUMNS = """
    form other_form aspect measure value other_value difference low high items_low items_high raters other_raters items
    other_items reason
""".split()


def units_of(ratings):
    """Yield ((form, aspect), frame of values with a row per item and a column per rater), in order of appearance."""
    for key, part in ratings.groupby(["form", "aspect"], sort=False):
        yield key, part.pivot(index="item", columns="rater", values="value")


def agreement_table(ratings, settings):
    """Agreement per form and aspect: a frame with `AGREEMENT_COLUMNS`.

    ``items`` counts those with two ratings or more, which all numbers rest on. ``settings``: `resamples` and `alpha`.
    """
    rows = []
    for (form, aspect), units in units_of(ratings):
        values = units.to_numpy(float)
        row = {"form": form, "aspect": aspect, "raters": int(units.notna().any().sum())}
        row["items"] = int((units.notna().sum(axis=1) >= 2).sum())
        for name, (measure, scale) in MEASURES.items():
            found = measured(values, measure, scale, settings)
            row |= {name: found.number, f"{ENDS[name]}_low": found.low, f"{ENDS[name]}_high": found.high}
            row.setdefault("reason", found.reason)
        rows.append(row)
    return pd.DataFrame(rows, columns=AGREEMENT_COLUMNS)


def rater_table(ratings, settings):
    """Each rater's mean, standard deviation and Pearson r with the mean of the others: `RATER_COLUMNS`."""
    rows = []
    for (form, aspect), units in units_of(ratings):
        values = units.to_numpy(float)
        for place, rater in enumerate(units.columns):
            own = units[rater].dropna()
            pair = np.column_stack([values[:, place], others_mean(values, place)])
            found = measured(pair, pair_r, fishers_z, settings)
            rows.append((form, aspect, rater, len(own), own.mean(), own.std(), *found[:3]))
    return pd.DataFrame(rows, columns=RATER_COLUMNS)


def ceiling_by_number(ratings, settings):
    """The human ceiling by the number of other raters in the mean that a rater is compared with: `NUMBER_COLUMNS`."""
    rows = []
    for (form, aspect), units in units_of(ratings):
        values, raters = units.to_numpy(float), int(units.notna().any().sum())
        items = int((units.notna().sum(axis=1) >= 2).sum())
        for others in range(1, raters):
            found = measured(values, ceiling_of(others), fishers_z, settings)
            rows.append((form, aspect, others, raters, items, *found[:3]))
    return pd.DataFrame(rows, columns=NUMBER_COLUMNS)


def equal_columns(ratings):
    """Columns of ratings that are equal on all items that both have, whoever gave them: a frame with `EQUAL_COLUMNS`.

    A rater's column of one form and aspect is compared with all others, since a column can be copied to a wrong place.
    Only those with five items or more in common, and with more than one value on them, are told.
    """
    wide = ratings.pivot(index="item", columns=["form", "aspect", "rater"], values="value")
    columns, values, rows = list(wide.columns), wide.to_numpy(float), []
    for one, other in itertools.combinations(range(len(columns)), 2):
        both = ~np.isnan(values[:, [one, other]]).any(axis=1)
        own, others = values[both, one], values[both, other]
        if len(own) >= LEAST_CLUSTERS and (own == others).all() and np.ptp(own) > 0:
            rows.append((*columns[one], *columns[other], len(own)))
    return pd.DataFrame(rows, columns=EQUAL_COLUMNS)


def compare_groups(first, second, settings):
    """Differences in agreement between two groups of raters with items of their own: a frame with `DIFFERENCE_COLUMNS`.

    A row per form of each, aspect and measure, first less second. ``low`` and ``high`` cover the choice of items and of
    raters, since two groups stand for more people than were asked; ``items_low`` and ``items_high`` that of items.
    """
    rows = []
    sides = [{key: _measured_units(units, settings) for key, units in units_of(ratings)} for ratings in (first, second)]
    for (form, aspect), (other_form, other_aspect) in itertools.product(*sides):
        if aspect == other_aspect:
            both = [sides[0][form, aspect], sides[1][other_form, aspect]]
            sizes = [side[size] for size in ("raters", "items") for side in both]
            for name in MEASURES:
                of_items, found = (difference(*(side[name][covered] for side in both)) for covered in (0, 1))
                about = (form, other_form, aspect, name, *(side[name][0].number for side in both))
                rows.append((*about, *found[:3], *of_items[1:3], *sizes, found.reason))
    return pd.DataFrame(rows, columns=DIFFERENCE_COLUMNS)


def _measured_units(units, settings):
    """All measures of the units of a form and aspect, each over items and over raters too, and how many of both."""
    values = units.to_numpy(float)
    found = {name: measured_twice(values, measure, scale, settings) for name, (measure, scale) in MEASURES.items()}
    return found | {"raters": int(units.notna().any().sum()), "items": int((units.notna().sum(axis=1) >= 2).sum())}
