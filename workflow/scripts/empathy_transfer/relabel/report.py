"""The stage's results on one page: what correcting and adding labels gained, and whether controls do as well."""

import pandas as pd

from empathy_transfer.records.artefacts import read_csv, write_text
from empathy_transfer.relabel.scores import BASELINE, CHOSEN, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD, Setting
from empathy_transfer.report.markdown import markdown_table, plain_text
from empathy_transfer.statistics.verdicts import BETTER, HARMED, IMPROVED, NOT_TESTABLE, UNDECIDED, WORSE

ONE_SEED = f"{NOT_TESTABLE} (one seed)"
SETTINGS = {
    CHOSEN: "corrected at the chosen threshold",
    "random_essays": "as many labels replaced, on random texts",
    "flagged_dropped": "the flagged texts left out",
    "flagged_mean": "the flagged labels set to the training mean",
    "flagged_shuffled": "the model's labels shuffled among the flagged texts",
    "cleanlab": "as many labels replaced by cleanlab, no model",
    "trimmed": "as many of the largest losses left out, no model",
    "huber": "Huber loss, no model",
}
# File below the study's results, and what stands there.
MORE = {
    "tables/relabel.html": "all settings: median over seeds, best seed, gain",
    "figures/relabel_thresholds.png": "concordance on validation, share replaced and distance of labels by threshold",
    "figures/relabel_writers.png": "who wrote the texts",
    "relabel/comparisons.csv": "all comparisons in three metrics, with p, false discovery rate, detectable difference",
    "relabel/claims.csv": "the printed claims and their verdicts",
    "relabel/flags.csv": "all checks for signs of failure, also those that raise nothing",
    "relabel/costs.csv": "texts to label, tokens, dollars and time against the gain",
    "relabel/agreement.csv": "agreement of models with each other and with the crowd",
    "relabel/audit_summary.csv": "crowd labels that look wrong",
    "relabel/demographics.csv": "scores by group of writers",
}
LITERATURE = (
    "The paper also compares its best results with those of other systems. That table is not given here: its rows are "
    "not among the printed numbers that this workflow holds, and its test texts are restricted by their owners."
)


def write_report(scores_path, comparisons_path, claims_path, flags_path, level, page_path):
    """Write the page, in Markdown, from the CSV files of the stage; ``level`` is the error rate of their intervals."""
    scores, comparisons = read_relabelled_scores(scores_path), read_csv(comparisons_path)
    write_text(page_path, as_page(scores, comparisons, read_csv(claims_path), read_csv(flags_path), level))


def as_page(scores, comparisons, claims, flags, level):
    """The page as text; arguments are the frames of the files that ``write_report`` names."""
    lines = ["# Do labels from a language model help?", ""]
    lines += [
        f"Differences are in concordance (CCC) on the test texts, each with its {100 * (1 - level):g} % interval over "
        f"test texts and seeds. **{UNDECIDED}** means that the interval holds 0: it shows no gain, no loss, and "
        f"not that there is neither. **{UNDECIDED}, q** means that it does not, but that among all comparisons of its "
        f"kind the false discovery rate q is above {level:g}: the intervals are not widened for their number.",
        "",
    ]
    comparisons = comparisons.assign(sure=comparisons["q"] <= level)
    for encoder, part in scores.groupby("encoder", sort=False):
        against = comparisons[(comparisons["encoder"] == encoder) & (comparisons["metric"] == "ccc")]
        lines += [f"## {plain_text(encoder)}", "", *_about(part, against), "", *_short(against), ""]
        lines += ["### What was gained over the crowd's labels alone", "", *_gains(part, against), ""]
        lines += ["### Do controls do as well?", "", *_controls(against), ""]
    lines += ["## The printed claims", "", *_claims(claims), "", LITERATURE, ""]
    lines += ["## Signs of failure", "", *_flags(flags), ""]
    lines += ["## How to read this", ""]
    lines += [
        "- The test covers the choice of test texts and of seeds. The paper's t-tests over five against five seeds "
        "measure the noise of seeds only: `p_published` in `relabel/comparisons.csv`.",
        "- `by seed` takes the difference within each seed, whose runs share texts and first weights. Verdicts don't "
        "use it; it needs five seeds.",
        "- Best seeds are not shown here. The best of five lies about 1.2 standard deviations above their mean by "
        "chance.",
        "",
        "## Where more stands",
        "",
        *markdown_table(["file", "what it holds"], [(f"`{name}`", words) for name, words in MORE.items()]),
        "",
        "What the settings are called there, and what each is: docs/corrected-labels.md.",
    ]
    return "\n".join([*lines, ""])


def finding(row, above=IMPROVED, below=HARMED):
    """What the interval of a comparison says; nothing of one seed, since it covers the choice of test texts alone."""
    if row.seeds < 2 or pd.isna(row.low):
        return ONE_SEED
    if row.low <= 0 <= row.high:
        return UNDECIDED
    return (above if row.low > 0 else below) if row.sure else f"{UNDECIDED}, q {row.q:.3f}"


def setting_in_words(setting):
    """A setting's name in words."""
    if setting in SETTINGS:
        return SETTINGS[setting]
    kind, number = Setting.parse(setting).kind, Setting.parse(setting).number
    if kind == "alpha":
        return f"corrected above {number:g}"
    added = f"{100 * number:g} % of the other texts added" if kind in ("added", "both") else setting
    return f"corrected at the chosen threshold, and {added}" if kind == "both" else added


def _about(scores, against):
    """What was trained and tested, and the thresholds that were chosen."""
    baseline = scores[(scores["model"] == CROWD) & (scores["setting"] == BASELINE)]
    words = [f"With the crowd's labels alone CCC is {baseline['ccc'].mean():.3f}, mean of {len(baseline)} seeds"]
    if len(against):
        first = against.iloc[0]
        words.append(f" ({first['n_test']:.0f} test texts in {first['clusters']:.0f} groups that are drawn together)")
    lines = ["".join([*words, "."])]
    for model, part in scores[scores["setting"] == CHOSEN].sort_values("seed").groupby("model", sort=False):
        numbers = ", ".join(f"{number:g}" for number in part["number"])
        lines.append(
            f"Chosen on validation for {plain_text(model)}, by seed: {numbers}; this replaces "
            f"{100 * part['share_concerned'].mean():.0f} % of the labels on average."
        )
    return lines


def _short(against):
    """The answer in a sentence for each model and application, and a count over controls."""
    lines = []
    for row in _applications(against):
        about = f"{plain_text(row.model)}, {setting_in_words(row.setting)}"
        lines.append(f"- {about}: {_difference(row)}, **{finding(row)}**.")
    for model, rows in against[against["comparison"] == "control"].groupby("model", sort=False):
        found = [finding(row, WORSE, BETTER).split(",")[0] for row in rows.itertuples()]
        counts = [f"{found.count(word)} {word}" for word in (WORSE, BETTER, UNDECIDED, ONE_SEED) if word in found]
        lines.append(f"- {plain_text(model)}: of {len(found)} controls of its correction, {', '.join(counts)}.")
    return lines


def _applications(against):
    """Rows of correction, of the most texts added and of both, by model, the crowd's own added texts last."""
    rows = against[against["comparison"] == "baseline"]
    kinds = rows["setting"].str.split("=").str[0]
    most = pd.to_numeric(rows["setting"].str.split("=").str[1], errors="coerce")
    most = most.groupby([rows["model"], kinds]).transform("max") == most
    chosen = rows[(rows["setting"] == CHOSEN) | (kinds.isin(["added", "both"]) & most)]
    return sorted(chosen.itertuples(), key=lambda row: (row.model == CROWD, row.model, row.setting != CHOSEN))


def _gains(scores, against):
    """Table of the applications: mean concordance, gain, and what it is."""
    means = scores.groupby(["model", "setting"])["ccc"].mean()
    heads = ["labels", "setting", "mean CCC", "gain", "by seed", "finding"]
    rows = [
        (plain_text(row.model), setting_in_words(row.setting), f"{means[row.model, row.setting]:.3f}", _difference(row),
         _interval(row.low_paired, row.high_paired), f"**{finding(row)}**")
        for row in _applications(against)
    ]  # fmt: skip
    return markdown_table(heads, rows) if rows else ["No setting was compared with the baseline."]


def _controls(against):
    """Table of what isolates the model's part: each difference, and the control's own gain over the baseline."""
    own = {(row.model, row.setting): row for row in against[against["comparison"] == "baseline"].itertuples()}
    words = {
        "control": ("control is worse", "control is better"),
        "crowd_added": ("crowd's labels are worse", "crowd's labels are better"),
        "parts": ("both is better", "both is worse"),
    }
    rows = []
    for kind, (above, below) in words.items():
        for row in against[against["comparison"] == kind].itertuples():
            gain = own.get((row.other_model, row.other_setting))
            other = "the crowd's labels, " if row.other_model == CROWD and row.other_setting != "huber" else ""
            rows.append(
                (plain_text(row.model), setting_in_words(row.setting), other + setting_in_words(row.other_setting),
                 _difference(row), f"**{finding(row, above, below)}**", _difference(gain) if gain else "–")
            )  # fmt: skip
    heads = ["labels", "setting", "compared with", "difference", "finding", "gain of the latter"]
    if not rows:
        return ["This study trains no controls."]
    return [
        "A control that does as well means that the model's labels are not what helped. Undecided means that it may.",
        "",
        *markdown_table(heads, rows),
    ]


def _claims(claims):
    """Table of the claims of claims.csv."""
    heads = ["claim", "metric", "printed", "encoder", "model", "found (interval or range)", "verdict", "why"]
    rows = []
    for row in claims.itertuples():
        found = f"{_number(row.found)}{_bounds(row.low, row.high, '.3f')}"
        cells = [plain_text(value) for value in (row.claim, row.metric, row.printed, row.encoder, row.model)]
        rows.append([*cells, found, f"**{plain_text(row.verdict)}**", plain_text(row.explanation)])
    return markdown_table(heads, rows)


def _flags(flags):
    """Table of the flags that are raised, a row for all settings of the same labels that raise the same one."""
    flags = flags.assign(raised=flags["raised"].astype("string").str.lower() == "true")
    lines = [f"{flags['raised'].sum()} of {len(flags)} checks raise a flag."]
    rows = []
    for (sign, encoder, model), part in flags.groupby(["flag", "encoder", "model"], sort=False, dropna=False):
        raised = part[part["raised"]]
        if len(raised):
            first = raised.iloc[0]
            if len(raised) == 1:
                setting, value = first["setting"], f"{_number(first['value'])}{_bounds(first['low'], first['high'])}"
            else:
                setting = f"{len(raised)} of {len(part)}"
                value = f"{_number(raised['value'].min())} to {_number(raised['value'].max())}"
            number = "–" if pd.isna(first["n"]) else f"{first['n']:g}"
            cells = [plain_text(cell) for cell in (sign, encoder, model, setting)]
            rows.append([*cells, value, plain_text(f"{first['limit']:g}"), number])
    heads = ["sign", "encoder", "labels or system", "setting, or how many", "value", "limit", "texts"]
    return [*lines, "", *markdown_table(heads, rows)] if rows else lines


def _difference(row):
    """A difference with its interval."""
    return f"{row.difference:+.3f}{_bounds(row.low, row.high)}"


def _bounds(low, high, form="+.3f"):
    """An interval in brackets behind a number; nothing where there is none."""
    return "" if pd.isna(low) or pd.isna(high) else f" ({low:{form}} to {high:{form}})"


def _interval(low, high):
    """An interval alone, or a dash."""
    return _bounds(low, high).strip(" ()") or "–"


def _number(value):
    """A number with three decimals, or a dash."""
    return "–" if pd.isna(value) else f"{value:.3f}"
