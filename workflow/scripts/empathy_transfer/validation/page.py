"""The figures of the validation as tables of the manual's page, between two marks."""

from empathy_transfer.report.markdown import markdown_table

START, END = "<!-- figures: written by `make validate` -->", "<!-- end of figures -->"
TITLES = {
    "level": "False positives of the tests at 5 %",
    "power": "Power of the primary test of the definition",
    "published": "What the published protocol finds where ratings have no effect",
    "coverage": "Coverage of the 95 % intervals of cells",
    "cells": "False positives and power of single cells whose runs share their luck",
    "means": "Intervals of means over pairs, and claims on all of many transfers",
    "themes": "Intervals of counts by theme where nothing differs",
    "variants": "Wrong and right verdicts on variants of tasks",
    "leaks": "Planted leaks that are found, and clean items that are flagged",
    "predictors": "Predictors that are found better or worse than a random order",
    "claims": "Wrong and right verdicts on claims",
    "reliability": "Coverage of intervals of reliabilities and of what is corrected by them",
}
HEADS = ["condition", "statistic", "percent (95 % interval)", "simulations", "bar"]


def figures(table):
    """The figures as Markdown, a table for each part: the text between the marks."""
    lines = []
    for part, title in TITLES.items():
        rows = table[table["part"] == part]
        if rows.empty:
            continue
        values = [f"{100 * row.value:.1f} ({100 * row.low:.1f} to {100 * row.high:.1f})" for row in rows.itertuples()]
        columns = rows["condition"], rows["statistic"], values, rows["simulations"], map(_bar, rows.itertuples())
        lines += ["", f"### {title}", "", *markdown_table(HEADS, zip(*columns, strict=True))]
    return "\n".join([*lines, ""])


def with_figures(page, table):
    """The page with the text between its marks replaced.

    Raises:
        ValueError: the page lacks a mark.
    """
    if START not in page or END not in page:
        raise ValueError(f"the page lacks a line {START} or {END}")
    head, rest = page.split(START, 1)
    return f"{head}{START}\n{figures(table)}\n{END}{rest.split(END, 1)[1]}"


def _bar(row):
    """The bar and whether it was met."""
    if row.bar_low != row.bar_low:
        return ""
    if row.bar_low == 0:
        bar = f"at most {100 * row.bar_high:g}"
    elif row.bar_high == 1:
        bar = f"at least {100 * row.bar_low:g}"
    else:
        bar = f"{100 * row.bar_low:g} to {100 * row.bar_high:g}"
    return bar if row.met == "yes" else f"{bar}: **missed**"
