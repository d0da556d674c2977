"""The stage's results on one page: the claims, how far people agree, cultures, and models beside the human ceiling."""

import pandas as pd

from empathy_transfer.records.artefacts import read_csv, write_text
from empathy_transfer.report.markdown import plain_text
from empathy_transfer.report.templates import render

# Of the differences between cultures, those that the page shows.
SHOWN = {"krippendorff_alpha": "alpha", "pearson_r": "Pearson r", "ceiling_r": "human ceiling"}
PEER_METRICS = {
    "pearson_r": "Pearson r",
    "spearman_r": "Spearman r",
    "mse": "MSE",
    "accuracy": "accuracy",
    "precision_macro": "precision",
    "recall_macro": "recall",
    "f1_macro": "macro F1",
}
# Below so many items, intervals over items are wide and rest on a jackknife.
FEW_ITEMS = 40


def write_similarity_report(paths, about, page_path):
    """Write the page, in Markdown.

    Args:
        paths: {name of a table: CSV file}: agreement, equal_raters, ceiling, cultures, peers, beside_ceiling, claims.
        about: `level`, the error rate of intervals, and `split`, that of the peers. page_path: file to write.
    """
    write_text(page_path, as_page({name: read_csv(path) for name, path in paths.items()}, about))


def as_page(tables, about):
    """The page as text; ``tables`` are the frames of the files."""
    agreement = tables["agreement"]
    smallest = agreement.groupby("group", sort=False)["items"].min()
    return render(
        __file__,
        percent=f"{100 * (1 - about['level']):g}",
        split=about["split"],
        few=[plain_text(f"{group} ({items:.0f})") for group, items in smallest.items() if items < FEW_ITEMS],
        claims=_claims(tables["claims"]),
        agreement=_agreement(agreement),
        equal=_equal(tables["equal_raters"]),
        numbers=_by_number(tables["ceiling"]),
        cultures=_cultures(tables["cultures"]),
        peers=_peers(tables["peers"], about["split"]),
        beside=_beside(tables["beside_ceiling"]),
        trained=bool((~tables["beside_ceiling"]["family"].isin(["peer", "machine"])).any()),
    )


def _claims(claims):
    """Rows of the claims."""
    rows = []
    for row in claims.itertuples():
        whose = next((value for value in (row.group, row.model) if pd.notna(value)), None)
        found = f"{_number(row.found, '.2f')}{_bounds(row.low, row.high)}"
        cells = [plain_text(value) for value in (row.claim, row.printed, whose)]
        rows.append([*cells, found, f"**{plain_text(row.verdict)}**", plain_text(row.explanation)])
    return rows


def _agreement(agreement):
    """Rows of the table of agreement."""
    names = ("alpha", "ordinal", "pearson", "spearman", "kappa", "ceiling")
    values = ("krippendorff_alpha", "alpha_ordinal", "pearson_r", "spearman_r", "cohen_kappa", "ceiling_r")
    shown = {name for name in names if name not in ("ordinal", "spearman", "kappa")}
    rows = []
    for row in agreement.to_dict("records"):
        cells = [plain_text(row[key]) for key in ("group", "form", "aspect")]
        cells += [f"{row['raters']:.0f}", f"{row['items']:.0f}"]
        for name, value in zip(names, values, strict=True):
            ends = _bounds(row[f"{name}_low"], row[f"{name}_high"]) if name in shown else ""
            cells.append(_number(row[value], ".2f") + ends)
        rows.append(cells)
    return rows


def _equal(equal):
    """Equal columns as sentences."""
    groups = {}
    for row in equal.itertuples(index=False):
        groups.setdefault(row[1:], []).append(row.group)
    return [
        plain_text(
            f"{', '.join(names)}: rater {rater}, {form} {aspect}, equals rater {other_rater}, {other_form} "
            f"{other_aspect}, on all {items} items."
        )
        for (form, aspect, rater, other_form, other_aspect, other_rater, items), names in groups.items()
    ]


def _by_number(ceiling):
    """Rows of the ceiling with one other rater, half of them and all, a row per group, form and aspect."""
    rows = []
    for (group, form, aspect), part in ceiling.groupby(["group", "form", "aspect"], sort=False):
        known = part.set_index("others")["ceiling_r"]
        most = int(known.index.max())
        half = max(1, round(most / 2))
        cells = [f"{_number(known[others], '.2f')} ({others})" for others in (1, half, most)]
        rows.append([plain_text(group), plain_text(form), plain_text(aspect), *cells])
    return rows


def _cultures(cultures):
    """Rows of the differences between groups that read the same form, and of the others in full stories."""
    rows = []
    for row in cultures[cultures["measure"].isin(SHOWN)].itertuples():
        if row.form == row.other_form:
            cells = [plain_text(f"{row.group} less {row.other_group}"), plain_text(row.aspect), SHOWN[row.measure]]
            cells += [_number(row.value, ".2f"), _number(row.other_value, ".2f")]
            cells += [_number(row.difference, "+.2f"), _interval(row.items_low, row.items_high)]
            rows.append([*cells, _interval(row.low, row.high)])
    return rows


def _peers(peers, split):
    """Rows of the peers of the split that is shown, a column per metric."""
    rows = []
    for (peer, part, label), found in peers.groupby(["peer", "split", "label"], sort=False):
        if part == split:
            known = found.set_index("metric")
            values = [
                _number(known.loc[name, "value"], ".3f")
                + (_bounds(known.loc[name, "low"], known.loc[name, "high"]) if name == "pearson_r" else "")
                for name in PEER_METRICS
            ]
            rows.append([plain_text(peer), plain_text(label), *values])
    return rows


def _beside(beside):
    """Rows of models beside the ceiling."""
    return [
        [
            plain_text(f"{row.model} ({row.family})"),
            plain_text(row.form),
            plain_text(row.label),
            _number(row.value, ".2f") + _bounds(row.low, row.high),
            plain_text(row.group),
            _number(row.ceiling_r, ".2f") + _bounds(row.ceiling_low, row.ceiling_high),
            _number(row.difference, "+.2f") + _bounds(row.difference_low, row.difference_high, "+.2f"),
        ]
        for row in beside.itertuples()
    ]


def _bounds(low, high, form=".2f"):
    """An interval in brackets behind a number; nothing where there is none."""
    return "" if pd.isna(low) or pd.isna(high) else f" ({_number(low, form)} to {_number(high, form)})"


def _interval(low, high):
    """An interval of a difference, or a dash."""
    return _bounds(low, high, "+.2f").strip(" ()") or "–"


def _number(value, form):
    """A number, or a dash."""
    if pd.isna(value):
        return "–"
    text = f"{value:{form}}"
    return text.lstrip("+-") if float(text) == 0 else text
