"""How far people agree on the similarity of stories: tables of agreement, raters, equal columns and cultures."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from empathy_transfer.agreement.intervals import measured
from empathy_transfer.agreement.measures import ceiling_r, others_mean, pair_r
from empathy_transfer.agreement.scales import fishers_z, unchanged
from empathy_transfer.agreement.tables import (
    AGREEMENT_COLUMNS,
    DIFFERENCE_COLUMNS,
    EQUAL_COLUMNS,
    NUMBER_COLUMNS,
    RATER_COLUMNS,
    agreement_table,
    ceiling_by_number,
    compare_groups,
    equal_columns,
    rater_table,
    units_of,
)
from empathy_transfer.data.raw_files import check_raw
from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.similarity.rating_files import read_machines, read_pair_ratings

MACHINE_COLUMNS = """
    form aspect model raters items pearson_r pearson_low pearson_high ceiling_r ceiling_low ceiling_high difference low
    high reason
""".split()


class Tables(NamedTuple):
    """Frames of the stage's tables, each with the column group first."""

    agreement: pd.DataFrame
    raters: pd.DataFrame
    equal_raters: pd.DataFrame
    ceiling: pd.DataFrame
    machines: pd.DataFrame


def write_similarity_agreement(files, groups, compared, settings, record_folder, paths):
    """Write the tables of agreement of all groups of raters, and differences between some of them.

    Args:
        files: {group: path of its raw file}. groups: {group: its description, see `rating_files`, with `sha256`}.
        compared: pairs of groups whose agreement is compared. settings: `resamples` and `alpha` of the intervals.
        record_folder: where digests of files without a known one are recorded.
        paths: {name of a table in `Tables`, or cultures: CSV file to write}.

    Raises:
        DataError: a file is not the one of the config, or can't be read as it says.
    """
    ratings, parts = {}, {name: [] for name in Tables._fields}
    for name, about in groups.items():
        check_raw(f"raters_{name}", {about["file"]: files[name]}, {about["file"]: about["sha256"]}, record_folder)
        ratings[name] = read_pair_ratings(files[name], about)
        found = tables_of(ratings[name], read_machines(files[name], about), settings)
        for table, frame in found._asdict().items():
            frame.insert(0, "group", name)
            parts[table].append(frame)
    for table, frames in parts.items():
        write_csv(paths[table], pd.concat(frames, ignore_index=True))
    write_csv(paths["cultures"], cultures(ratings, compared, settings))


def tables_of(ratings, machines, settings):
    """The `Tables` of a group, yet without its name."""
    return Tables(
        agreement_table(ratings, settings)[AGREEMENT_COLUMNS],
        rater_table(ratings, settings)[RATER_COLUMNS],
        equal_columns(ratings)[EQUAL_COLUMNS],
        ceiling_by_number(ratings, settings)[NUMBER_COLUMNS],
        machine_table(ratings, machines, settings),
    )


def cultures(ratings, compared, settings):
    """Differences in agreement between groups: `group`, `other_group`, and the columns of `compare_groups`."""
    rows = [pd.DataFrame(columns=["group", "other_group", *DIFFERENCE_COLUMNS])]
    for first, second in compared:
        found = compare_groups(ratings[first], ratings[second], settings)
        found.insert(0, "group", first)
        found.insert(1, "other_group", second)
        rows.append(found)
    return pd.concat([part for part in rows if len(part)] or rows, ignore_index=True)


def machine_table(ratings, machines, settings):
    """Machines beside the human ceiling on the same items: a frame with `MACHINE_COLUMNS`.

    ``pearson_r`` is that with the mean of all raters but one, the mean over whom is left out: what a rater is measured
    by, too, so that neither has more raters in what it is compared with. ``difference`` is ceiling less machine.
    """
    rows = []
    for (form, aspect), units in units_of(ratings):
        values = units.to_numpy(float)
        for model in machines:
            known = machines[model].reindex(units.index).to_numpy(float)
            both = np.column_stack([known, values])[~np.isnan(known)]
            own, ceiling, gap = (
                measured(both, measure, scale, settings)
                for measure, scale in ((_machine_r, fishers_z), (_people_r, fishers_z), (_gap, unchanged))
            )
            about = (form, aspect, model, units.notna().any().sum(), len(both))
            rows.append((*about, *own[:3], *ceiling[:3], *gap))
    return pd.DataFrame(rows, columns=MACHINE_COLUMNS)


def _machine_r(values, counts):
    """Mean over raters of the Pearson r of the machine, the first column, with the mean of the others."""
    people, raters = values[:, 1:], range(values.shape[1] - 1)
    pairs = [np.column_stack([values[:, 0], others_mean(people, rater)]) for rater in raters]
    return np.mean([pair_r(pair, counts) for pair in pairs], axis=0)


def _people_r(values, counts):
    """The human ceiling of all columns but the first."""
    return ceiling_r(values[:, 1:], counts)


def _gap(values, counts):
    """How far the machine lies below the ceiling."""
    return _people_r(values, counts) - _machine_r(values, counts)
