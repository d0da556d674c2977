"""The stage's results on one page: what correcting and adding labels gained, and whether controls do as well."""

import pandas as pd

from empathy_transfer.records.artefacts import read_csv, write_text
from empathy_transfer.relabel.scores import BASELINE, CHOSEN, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD, Setting
from empathy_transfer.report.comparison_words import ONE_SEED, bounds_in_words, difference_in_words, finding
from empathy_transfer.report.markdown import plain_text
from empathy_transfer.report.templates import render
from empathy_transfer.statistics.verdicts import BETTER, HARMED, IMPROVED, UNDECIDED, WORSE

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


def write_report(scores_path, comparisons_path, claims_path, flags_path, level, page_path):
    """Write the page, in Markdown, from the CSV files of the stage; ``level`` is the error rate of their intervals."""
    scores, comparisons = read_relabelled_scores(scores_path), read_csv(comparisons_path)
    write_text(page_path, as_page(scores, comparisons, read_csv(claims_path), read_csv(flags_path), level))


def as_page(scores, comparisons, claims, flags, level):
    """The page as text; arguments are the frames of the files that ``write_report`` names."""
    comparisons = comparisons.assign(sure=comparisons["q"] <= level)
    encoders = []
    for encoder, part in scores.groupby("encoder", sort=False):
        against = comparisons[(comparisons["encoder"] == encoder) & (comparisons["metric"] == "ccc")]
        found = {"about": _about(part, against), "answers": _short(against), "gains": _gains(part, against)}
        encoders.append({"name": plain_text(encoder), **found, "controls": _controls(against)})
    flags = flags.assign(raised=flags["raised"].astype("string").str.lower() == "true")
    counts = {"raised": flags["raised"].sum(), "checks": len(flags), "flags": _flags(flags), "claims": _claims(claims)}
    words = {"percent": f"{100 * (1 - level):g}", "level": f"{level:g}", "UNDECIDED": UNDECIDED}
    return render(__file__, encoders=encoders, **counts, **words)


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
        lines.append(f"- {about}: {difference_in_words(row)}, **{finding(row, IMPROVED, HARMED)}**.")
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
    """Rows of the applications: mean concordance, gain, and what it is."""
    means = scores.groupby(["model", "setting"])["ccc"].mean()
    return [
        (
            plain_text(row.model),
            setting_in_words(row.setting),
            f"{means[row.model, row.setting]:.3f}",
            difference_in_words(row),
            _interval(row.low_paired, row.high_paired),
            f"**{finding(row, IMPROVED, HARMED)}**",
        )
        for row in _applications(against)
    ]


def _controls(against):
    """Rows of what isolates the model's part: each difference, and the control's own gain over the baseline."""
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
                (
                    plain_text(row.model),
                    setting_in_words(row.setting),
                    other + setting_in_words(row.other_setting),
                    difference_in_words(row),
                    f"**{finding(row, above, below)}**",
                    difference_in_words(gain) if gain else "–",
                )
            )
    return rows


def _claims(claims):
    """Rows of the claims of claims.csv."""
    rows = []
    for row in claims.itertuples():
        found = f"{_number(row.found)}{bounds_in_words(row.low, row.high, '.3f')}"
        cells = [plain_text(value) for value in (row.claim, row.metric, row.printed, row.encoder, row.model)]
        rows.append([*cells, found, f"**{plain_text(row.verdict)}**", plain_text(row.explanation)])
    return rows


def _flags(flags):
    """Rows of the flags that are raised, one for all settings of the same labels that raise the same one."""
    rows = []
    for (sign, encoder, model), part in flags.groupby(["flag", "encoder", "model"], sort=False, dropna=False):
        raised = part[part["raised"]]
        if len(raised):
            first = raised.iloc[0]
            if len(raised) == 1:
                setting, value = (
                    first["setting"],
                    f"{_number(first['value'])}{bounds_in_words(first['low'], first['high'])}",
                )
            else:
                setting = f"{len(raised)} of {len(part)}"
                value = f"{_number(raised['value'].min())} to {_number(raised['value'].max())}"
            number = "–" if pd.isna(first["n"]) else f"{first['n']:g}"
            cells = [plain_text(cell) for cell in (sign, encoder, model, setting)]
            rows.append([*cells, value, plain_text(f"{first['limit']:g}"), number])
    return rows


def _interval(low, high):
    """An interval alone, or a dash."""
    return bounds_in_words(low, high).strip(" ()") or "–"


def _number(value):
    """A number with three decimals, or a dash."""
    return "–" if pd.isna(value) else f"{value:.3f}"
