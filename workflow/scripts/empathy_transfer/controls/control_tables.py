"""All targets' comparisons with their controls side by side: controls.csv, and a table to read."""

import pandas as pd
from scipy.stats import false_discovery_control

from empathy_transfer.controls.control_tests import COLUMNS, CONTROLS, TEXT_COLUMNS, TRANSFERS
from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.report import html
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.scores.tables import DATA_TITLES
from empathy_transfer.significance.paired_tests import ALL, ITEMS, effects_of
from empathy_transfer.statistics.verdicts import HARMED, HIGHER, IMPROVED, LOWER

CONTROL_TITLES = {
    "self": "on itself",
    "random_identity": "on a random adapter near the identity",
    "random_full": "on a random adapter of full variance",
    "longer": "twice the epochs",
}
FAMILY_COLUMNS = ["family", "q", "effect"]
TITLE = "Gain net of capacity"


def write_controls(tests_paths, settings, controls_path):
    """Write controls.csv from what `control_tests.write_control_tests` wrote per target; ``settings`` has `alpha`."""
    frames = [read_control_tests(path) for path in tests_paths]
    found = add_control_families(pd.concat(frames) if frames else pd.DataFrame(columns=COLUMNS), settings["alpha"])
    write_csv(controls_path, found)
    for line in conclusions(found):
        print(line)


def tabulate_controls(controls_path, tasks, html_path):
    """Write the table of controls.csv as HTML; ``tasks`` is {task: its title and more}."""
    write_text(html_path, as_html(read_control_tests(controls_path), tasks))


def read_control_tests(path):
    """Read the comparisons of a target, or controls.csv, with their types."""
    frame = read_csv(path, dtype=dict.fromkeys([*TEXT_COLUMNS, "effect"], str))
    return frame.fillna(dict.fromkeys([name for name in ("reason", "effect") if name in frame], ""))


def add_control_families(tests, alpha):
    """The comparisons with `FAMILY_COLUMNS`.

    The single transfers of a data condition are one family for each control (`family` tests): `q` is their false
    discovery rate by Benjamini and Hochberg, and `effect` goes by it. Controls and means over transfers are no family:
    their `effect` goes by p.
    """
    tests = tests.reset_index(drop=True).assign(family=float("nan"), q=float("nan"))
    single = ~tests["compared"].isin([*CONTROLS, TRANSFERS]) & tests["p"].notna()
    for _, family in tests[single].groupby(["data", "runs", "reference"]):
        tests.loc[family.index, "family"] = len(family)
        tests.loc[family.index, "q"] = false_discovery_control(family["p"], method="bh")
    level = tests["q"].where(single, tests["p"])
    tests["effect"] = effects_of(tests["difference"], level <= alpha, tests["covers"]).where(tests["p"].notna(), "")
    return tests[[*COLUMNS[:-1], *FAMILY_COLUMNS, "reason"]]


def conclusions(found):
    """In words, per data condition and control: for how many targets transfer gains more than capacity does.

    Targets whose baseline is near constant answers are counted apart: what is above it may still be nothing.
    """
    means = found[(found["compared"] == TRANSFERS) & (found["runs"] == ALL) & (found["effect"] != "")]
    lines = []
    for (data, reference), rows in means.groupby(["data", "reference"], sort=False):
        sound = rows[rows["reason"] != "undefined"]
        above, below = (int(sound["effect"].isin(words).sum()) for words in ([IMPROVED, HIGHER], [HARMED, LOWER]))
        against = "the baseline" if reference == BASELINE else f"the control '{CONTROL_TITLES[reference]}'"
        line = (
            f"{DATA_TITLES[data]}: the mean transfer scores higher than {against} for {above} of "
            f"{len(sound)} targets, lower for {below}; no difference found for the others."
        )
        if left := len(rows) - len(sound):
            line += f" Not counted: {left} whose baseline is near constant answers."
        if (sound["covers"] == ITEMS).any():
            line += " With one seed this is of these trained models alone: another training may turn it."
        lines.append(line)
    return lines


def as_html(found, tasks):
    """A table per data condition as one HTML page that needs nothing else."""
    tables = []
    for data, cells in found[found["runs"] == ALL].groupby("data", sort=False):
        ran = {*cells["reference"], *cells["compared"]}
        present = [control for control in CONTROLS if control in ran]
        heads = ["target", "baseline", *(CONTROL_TITLES[control] for control in present), "mean transfer"]
        heads += [f"transfer − {CONTROL_TITLES[control]}" for control in present]
        rows = [_row(tasks[target]["title"], group, present) for target, group in cells.groupby("target", sort=False)]
        caption = (
            f"{TITLE}, {DATA_TITLES[data]}: scores of each target's baseline, of its controls and of the mean over all "
            "transfers to it; then the mean gain of transfer over each control with its interval."
        )
        codes = set(cells["reason"])
        notes = conclusions(cells) + [f"{code}: {REASONS[code][1]}." for code in REASONS if code in codes]
        tables.append(html.Table(caption, list(map(html.Cell, heads)), rows, notes))
    return html.page(TITLE, tables, "No controls in this study.")


def _row(title, cells, present):
    """The row of a target."""
    known = {(row.compared, row.reference): row for row in cells.itertuples()}
    baseline = next((row.reference_value for (_, reference), row in known.items() if reference == BASELINE), None)
    texts = [_number(baseline)]
    for compared in [*present, TRANSFERS]:
        texts.append(_number(known[compared, BASELINE].value if (compared, BASELINE) in known else None))
    for control in present:
        texts.append(_gain(known.get((TRANSFERS, control))))
    return html.Row([html.Cell(text) if text else html.Cell("not run", "blank") for text in texts], html.Cell(title))


def _number(value):
    """A score with three decimals, or an empty text."""
    return "" if value is None or value != value else f"{value:.3f}"


def _gain(row):
    """A difference with its interval; the difference alone where there is no test."""
    if row is None:
        return ""
    signed = f"{row.difference:+.3f}"
    text = signed if row.low != row.low else f"{signed} [{row.low:+.3f}, {row.high:+.3f}]"
    return text.replace("-", "−")
