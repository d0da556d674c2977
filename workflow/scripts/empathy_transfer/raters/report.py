"""The results of raters on one page: what is better than what, where raters err, what they cost, and printed claims."""

import pandas as pd

from empathy_transfer.raters.comparisons import PLACE
from empathy_transfer.raters.words import (
    MAIN,
    METRICS,
    PLAIN,
    architecture_in_words,
    loss_in_words,
    model_in_words,
    variant_in_words,
)
from empathy_transfer.records.artefacts import read_csv, read_json, write_text
from empathy_transfer.report.comparison_words import bounds_in_words, difference_in_words, finding
from empathy_transfer.report.markdown import plain_text
from empathy_transfer.report.templates import render
from empathy_transfer.statistics.verdicts import UNDECIDED


def write_rater_report(frames, provenance_paths, level, page_path):
    """Write the page, in Markdown.

    Args:
        frames: paths of the stage's CSV files by name: claims, cells, comparisons, slices and leaks.
        provenance_paths: of all runs, for time and memory. level: error rate of intervals. page_path: file to write.
    """
    costs = pd.DataFrame([cost_of(path) for path in provenance_paths])
    write_text(page_path, as_page(*(read_csv(frames[name]) for name in frames), costs, level))


def cost_of(path):
    """Architecture, variant, seconds and peak memory (MB) of a run, from its provenance."""
    record, run = read_json(path), read_json(path.with_name("run.json"))
    spent = record.get("reused", record)
    names = {name: run[name] for name in ("scheme", "pairs", "architecture", "variant", "n_train", "epochs")}
    return names | {"seconds": run["seconds"], "memory": spent["peak_memory_mb"]}


def as_page(claims, cells, comparisons, slices, leaks, costs, level):
    """The page as text; arguments are the frames of the files that ``write_rater_report`` names."""
    places, comparisons = [], comparisons.assign(sure=comparisons["q"] <= level)
    for (scheme, pairs), part in cells[cells["metric"].isin(MAIN.values())].groupby([*PLACE], sort=False):
        metric = part["metric"].iloc[0]
        against = comparisons[(comparisons["scheme"] == scheme) & (comparisons["pairs"] == pairs)]
        against = against[against["metric"] == metric]
        places.append(
            {
                "name": f"{plain_text(pairs)}, {scheme} splits",
                "metric": METRICS[metric],
                "about": part.iloc[0].to_dict(),
                "leaks": leak_lines(leaks, scheme, pairs),
                "winner": winner_line(part, against),
                "cells": [row_of_cell(row) for row in part.sort_values("value", ascending=False).itertuples()],
                "groups": {
                    word: [row_of_comparison(row) for row in against[against["comparison"] == word].itertuples()]
                    for word in ("architecture", "loss", "variant")
                },
                "slices": slice_rows(slices, part, scheme, pairs),
            }
        )
    words = {"percent": f"{100 * (1 - level):g}", "level": f"{level:g}", "UNDECIDED": UNDECIDED}
    return render(__file__, places=places, claims=claim_rows(claims), costs=cost_rows(costs), **words)


def winner_line(cells, comparisons):
    """The best plain rater by its mean, and whether the runner-up of each kind is surely below it."""
    plain = cells[cells["variant"] == PLAIN].sort_values("value", ascending=False)
    best = plain.iloc[0]
    name = f"{architecture_in_words(best['architecture'])}, {loss_in_words(best['loss'])}"
    line = f"The highest mean has the {name}: {best['value']:.3f}{bounds_in_words(best['low'], best['high'], '.3f')}"
    line += f", the constant answer {best['floor']:.3f}."
    mine = comparisons[(comparisons["variant"] == PLAIN) & comparisons["comparison"].isin(["architecture", "loss"])]
    beaten = tested = 0
    for row in mine.itertuples():
        sides = [(row.architecture, row.loss), (row.other_architecture, row.other_loss)]
        if (best["architecture"], best["loss"]) in sides and row.seeds > 1:
            sign = 1 if sides[0] == (best["architecture"], best["loss"]) else -1
            tested += 1
            beaten += sign * row.difference > 0 and row.sure
    return f"{line} Of {tested} others that differ in one thing, {beaten} are below it by more than chance."


def row_of_cell(row):
    """A row of the table of means."""
    value = f"{row.value:.3f}{bounds_in_words(row.low, row.high, '.3f')}"
    return architecture_in_words(row.architecture), model_in_words(row.loss, row.variant), value, f"{row.floor:.3f}"


def row_of_comparison(row):
    """A row of the tables of comparisons."""
    sides = [
        f"{architecture_in_words(architecture)}, {loss_in_words(loss)}, {variant_in_words(variant)}"
        for architecture, loss, variant in (
            (row.architecture, row.loss, row.variant),
            (row.other_architecture, row.other_loss, row.other_variant),
        )
    ]
    return *map(plain_text, sides), difference_in_words(row), f"**{finding(row)}**"


def leak_lines(leaks, scheme, pairs):
    """What test pairs of a scheme have in common with training pairs, a line for each kind that occurs."""
    found = leaks[(leaks["scheme"] == scheme) & (leaks["pairs"] == pairs) & (leaks["held_out"] == "test")]
    found = found[found["items"] > 0]
    return [
        f"Of the test pairs {row.items:g} ({100 * row.share:.1f} %) share with {row.against} pairs: "
        f"{plain_text(str(row.kind).replace('_', ' '))}."
        for row in found.itertuples()
    ]


def slice_rows(slices, cells, scheme, pairs):
    """Errors by level and length of the best plain rater of each architecture."""
    rows, plain = [], cells[cells["variant"] == PLAIN].sort_values("value", ascending=False)
    known = slices[(slices["scheme"] == scheme) & (slices["pairs"] == pairs) & (slices["variant"] == PLAIN)]
    for best in plain.drop_duplicates("architecture").itertuples():
        part = known[(known["architecture"] == best.architecture) & (known["loss"] == best.loss)]
        name = f"{architecture_in_words(best.architecture)}, {loss_in_words(best.loss)}"
        for (kind, value), both in part.groupby(["slice", "value_of_slice"], sort=False):
            measures = {row.measure: row for row in both.itertuples()}
            cells_of = [_measured(measures.get(measure)) for measure in ("right", "error")]
            rows.append((name, kind, plain_text(str(value)), f"{both['items'].iloc[0]:g}", *cells_of))
    return rows


def _measured(row):
    """A measure of a slice with its interval, or a dash."""
    if row is None:
        return "–"
    return f"{row.value:.2f}{bounds_in_words(row.low, row.high, '.2f')}"


def cost_rows(costs):
    """Median seconds, throughput and memory of runs by architecture and variant, under the first scheme of a task."""
    rows = []
    for (pairs, architecture, variant), part in costs.groupby(["pairs", "architecture", "variant"], sort=False):
        first = part[part["scheme"] == part["scheme"].iloc[0]]
        throughput = (first["n_train"] * first["epochs"] / first["seconds"]).median()
        sizes = f"{first['seconds'].median():.1f}", f"{throughput:.1f}", f"{first['memory'].median():.0f}"
        rows.append((plain_text(pairs), architecture_in_words(architecture), variant_in_words(variant), *sizes))
    return rows


def claim_rows(claims):
    """Rows of the claims of claims.csv."""
    rows = []
    for row in claims.itertuples():
        number = "–" if pd.isna(row.found) else f"{row.found:+.3f}{bounds_in_words(row.low, row.high)}"
        model = "" if pd.isna(row.model) else architecture_in_words(row.model)
        cells = (row.claim, row.printed, row.task, model)
        rows.append((*map(plain_text, map(str, cells)), number, f"**{row.verdict}**", plain_text(row.explanation)))
    return rows
