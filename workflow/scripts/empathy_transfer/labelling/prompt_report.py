"""Which prompt to take: parse rate, agreement with people and with itself, and cost, from a sample of texts."""

from pathlib import Path

import numpy as np
import pandas

from empathy_transfer.metrics import ccc, pearson_r, rmse
from empathy_transfer.records.artefacts import read_table, write_csv, write_text
from empathy_transfer.report import html
from empathy_transfer.statistics.intervals import correlation_interval

COLUMNS = """
    model prompt scale provider texts parsed compared pearson_r pearson_low pearson_high ccc rmse bias
    retested retest_pearson_r retest_difference tokens_in tokens_out cost cost_full hours_full failure
""".split()
COUNTS = ("texts", "compared", "retested")
INTERVAL = ("pearson_low", "pearson_high")  # stands beside the r on the page
TITLES = {
    "parsed": "parsed %",
    "pearson_r": "Pearson r",
    "ccc": "CCC",
    "rmse": "RMSE",
    "retest_pearson_r": "retest r",
    "retest_difference": "retest |difference|",
    "tokens_in": "tokens in",
    "tokens_out": "tokens out",
    "cost": "cost of the sample",
    "cost_full": "cost of all texts",
    "hours_full": "hours for all texts",
}
FEWEST = 4  # texts that an interval of a correlation needs; of fewer, nothing is said


def report_prompts(
    answer_paths, label_paths, names, set_paths, validation_set, concurrency, level, csv_path, html_path
):
    """Compare prompts on a sample.

    Args:
        answer_paths, label_paths: the answers and labels of each model and prompt.
        names: [{"model", "prompt"}] in the same order.
        set_paths: all sets, which a model labels in the end, as <set>.parquet.
        validation_set: the set that the sample was drawn from, with the crowd's labels.
        concurrency: {model: requests in flight}.
        level: error rate of the interval of r, .05 for one of 95 %.
        csv_path, html_path: the report; columns as in `COLUMNS`.
    """
    sets = {path.stem: read_table(path, columns=["id", "label"]) for path in map(Path, set_paths)}
    human = sets[validation_set].set_index("id")["label"]
    all_texts = sum(map(len, sets.values()))
    rows = []
    for answers, labels, name in zip(answer_paths, label_paths, names, strict=True):
        tables = read_table(answers), read_table(labels)
        rows.append(_row(*tables, human, all_texts, concurrency[name["model"]], level) | name)
    frame = pandas.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COUNTS, "Int64"))
    write_csv(csv_path, frame)
    write_text(html_path, _page(frame, level))
    print(frame.to_string(index=False))


def _row(answers, labels, human, all_texts, concurrency, level):
    """The figures of one model and prompt, as far as there is enough to say; of one that failed, why."""
    about = {"scale": labels["scale"].iloc[0], "provider": labels["provider"].iloc[0]}
    if "failure" in answers:
        return about | {"failure": answers["failure"].iloc[0]}
    labels = labels if "repeat" in labels else labels.assign(repeat=0)
    first = labels[labels["repeat"] == 0].set_index("id")
    valid = first[first["valid"]]["label"]
    pairs = pandas.concat([human.rename("human"), valid.rename("model")], axis=1, join="inner").dropna()
    texts = len(first)
    calls = answers[answers["repeat"] == 0]
    seconds = calls["latency"].mean()
    bought = about["provider"] != "recorded"
    return {
        **about,
        "texts": texts,
        "parsed": labels["valid"].mean(),
        "compared": len(pairs),
        **_agreement(pairs["human"].to_numpy(), pairs["model"].to_numpy(), level),
        **_retest(labels),
        "tokens_in": calls["tokens_in"].astype(float).mean(),
        "tokens_out": calls["tokens_out"].astype(float).mean(),
        "cost": answers["cost"].sum() if bought else None,
        "cost_full": calls["cost"].mean() * all_texts if bought else None,
        "hours_full": seconds * all_texts / concurrency / 3600 if np.isfinite(seconds) else None,
    }


def _agreement(human, model, level):
    """Agreement of a model's labels with the crowd's; `bias` is the mean of model minus crowd, in label units."""
    if len(human) < FEWEST:
        return {}
    r = pearson_r.value(human, model)
    low, high = correlation_interval(r, len(human), level)
    return {
        "pearson_r": r,
        "pearson_low": low,
        "pearson_high": high,
        "ccc": ccc.value(human, model),
        "rmse": rmse.value(human, model),
        "bias": float(np.mean(model - human)),
    }


def _retest(labels):
    """Agreement of the first two answers to the same question, over texts with two valid ones."""
    wide = labels[labels["valid"]].pivot(index="id", columns="repeat", values="label")
    if 0 not in wide or 1 not in wide:
        return {"retested": 0}
    twice = wide[[0, 1]].dropna()
    if len(twice) < FEWEST:
        return {"retested": len(twice)}
    return {
        "retested": len(twice),
        "retest_pearson_r": pearson_r.value(twice[0], twice[1]),
        "retest_difference": float((twice[0] - twice[1]).abs().mean()),
    }


def _page(frame, level):
    """The report as one HTML page."""
    shown = [name for name in COLUMNS if name not in (*INTERVAL, "failure")]
    heads = [html.Cell(TITLES.get(name, name)) for name in shown]
    lines = [html.Row([html.Cell(_shown(name, row)) for name in shown]) for row in frame.to_dict("records")]
    failed = frame.dropna(subset="failure").to_dict("records")
    notes = [
        "parsed: answers with exactly the scores that were asked for; bias: mean of model minus crowd.",
        f"In brackets: {100 * (1 - level):g} % interval of r, which covers the choice of texts alone; "
        f"nothing is shown for fewer than {FEWEST} texts.",
        "retest: the same question asked twice; recorded labels can't be asked again.",
        "Tokens, costs and hours count every attempt at an answer. Costs in dollars by the prices in the config; hours "
        "with the config's requests in flight.",
        *(f"{row['model']}, {row['prompt']} failed: {row['failure']}" for row in failed),
    ]
    if failed:
        notes.append("Ask again what has no answer: snakemake validate_prompts --forcerun ask_sample")
    return html.page("Prompts on a sample", [html.Table("Labels by prompt, on a sample of texts", heads, lines, notes)])


def _shown(name, row):
    """A cell of a row as text."""
    value = row[name]
    if name == "parsed" and pandas.notna(row["failure"]):
        return "failed"
    if pandas.isna(value):
        return "–"
    if name == "pearson_r" and pandas.notna(row["pearson_low"]):
        interval = f"{value:.3f} ({row['pearson_low']:.2f} to {row['pearson_high']:.2f})"
        return interval.replace(" ", "\u00a0")  # stays on one line
    if name == "parsed":
        return f"{100 * value:.1f}"
    if name in ("tokens_in", "tokens_out"):
        return f"{value:.0f}"
    return f"{value:.4f}" if name.startswith("cost") else f"{value:.3f}" if isinstance(value, float) else str(value)
