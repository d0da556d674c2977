"""What the labels cost against what they gain: per setting, texts to label, tokens, dollars, time, gain in concordance.

Own answers say what they cost and how long they took. Published labels don't: their tokens are estimated from the
lengths of the texts, dollars from the prices that the config names, and the time is unknown.
"""

import pandas as pd

from empathy_transfer.records.artefacts import read_csv, read_table, write_csv
from empathy_transfer.relabel.scores import BASELINE, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD

ANSWER_COLUMNS = ["tokens_in", "tokens_out", "cost", "latency"]
# English text has about four characters to a token.
CHARACTERS_PER_TOKEN = 4
COLUMNS = [
    *["encoder", "model", "setting", "texts_to_label", "input_tokens", "output_tokens", "dollars", "basis"],
    *["labelling_seconds", "training_seconds", "gain_ccc", "gain_low", "gain_high", "dollars_per_gain"],
]


def write_costs(scores_path, comparisons_path, set_paths, answers_paths, prices, costs_path):
    """Write costs.csv: a row per setting and encoder, settings without a language model among them.

    Args:
        scores_path, comparisons_path: of the stage. set_paths: paths of the sets of base texts and of texts to add.
        answers_paths: {model: paths of the answers that it gave about these sets}.
        prices: ``prompt_tokens`` and ``answer_tokens`` per text, and ``dollars`` {model: [input, output] per million}.
        costs_path: CSV to write. ``labelling_seconds`` is the time of all answers with one request at a time, empty
            where it is unknown; ``training_seconds`` that of a mean training; ``dollars_per_gain`` the price of 0.01
            CCC, where labels were bought and the interval of their gain lies above 0.
    """
    texts = pd.concat([read_table(path, columns=["text"])["text"] for path in set_paths])
    answers = {
        model: pd.concat([read_table(path, columns=ANSWER_COLUMNS) for path in paths])
        for model, paths in answers_paths.items()
    }
    write_csv(
        costs_path, weigh(read_relabelled_scores(scores_path), read_csv(comparisons_path), texts, answers, prices)
    )


def weigh(scores, comparisons, texts, answers, prices):
    """The costs as a frame; arguments are what the files of ``write_costs`` hold, ``answers`` by model."""
    guess = {"input_tokens": prices["prompt_tokens"] + texts.str.len().mean() / CHARACTERS_PER_TOKEN}
    guess |= {"output_tokens": prices["answer_tokens"], "basis": "estimated"}
    each_text = {}
    for model, given in answers.items():
        price = prices["dollars"].get(model)
        each_text[model] = measured_text(given) or guess | {
            "dollars": price and (guess["input_tokens"] * price[0] + guess["output_tokens"] * price[1]) / 1e6
        }
        each_text[model]["labelling_seconds"] = seconds_of_text(given)
    against = comparisons[(comparisons["comparison"] == "baseline") & (comparisons["metric"] == "ccc")]
    gains = against.set_index(["encoder", "model", "setting"])[["difference", "low", "high"]]
    rows = []
    for (encoder, model, setting), runs in scores.groupby(["encoder", "model", "setting"], sort=False):
        number = texts_to_label(runs)
        row = {"encoder": encoder, "model": model, "setting": setting, "texts_to_label": number}
        row |= {name: number * each_text[model][name] if number else 0.0 for name in ("input_tokens", "output_tokens")}
        row |= {"dollars": 0.0, "labelling_seconds": 0.0, "basis": "no labels bought"}
        row["training_seconds"] = runs["seconds"].mean()
        if number:
            each = {name: each_text[model][name] for name in ("dollars", "labelling_seconds")}
            row |= {name: None if value is None else number * value for name, value in each.items()}
            row["basis"] = each_text[model]["basis"]
        if (encoder, model, setting) in gains.index:
            row["gain_ccc"], row["gain_low"], row["gain_high"] = gains.loc[(encoder, model, setting)]
            if number and row["gain_low"] > 0 and row["dollars"] is not None:
                row["dollars_per_gain"] = row["dollars"] / (100 * row["gain_ccc"])
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def measured_text(answers):
    """Mean tokens and dollars of a text, as the server counted them; None where nobody was asked."""
    counted = answers[["tokens_in", "tokens_out", "cost"]].astype("float64").dropna()
    if counted.empty:
        return None
    means = counted.mean()
    found = {"input_tokens": means["tokens_in"], "output_tokens": means["tokens_out"], "dollars": means["cost"]}
    return found | {"basis": "measured"}


def seconds_of_text(answers):
    """Mean seconds that the answers about a text took; None where no answer was timed, as of published labels."""
    times = answers["latency"].astype("float64").dropna()
    return float(times.mean()) if len(times) else None


def texts_to_label(runs):
    """How many texts a model must label for a setting, mean over seeds: all base texts, those added, or none.

    None also where the runs of the baseline stand for the setting, as for a threshold as wide as the scale.
    """
    if (runs["model"] == CROWD).all() or (runs["trained_as"] == BASELINE).all():
        return 0.0
    kind = runs["kind"].iloc[0]
    added = (runs["n_train"] - runs["n_base"]).clip(lower=0)
    if kind in ("added", "both"):
        return float((added + (runs["n_base"] if kind == "both" else 0)).mean())
    # Cleanlab and trimming need no model: only the number of labels that they touch was taken over from the correction.
    return 0.0 if kind in ("cleanlab", "trimmed") else float(runs["n_base"].mean())
