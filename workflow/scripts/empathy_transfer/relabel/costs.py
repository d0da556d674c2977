"""What the labels cost against what they gain: per setting, texts to label, tokens, dollars and gain in concordance.

Own answers say what they cost. Published labels don't, so their tokens are estimated from the lengths of the texts, and
dollars from the prices that the config names.
"""

import pandas as pd

from empathy_transfer.artefacts import read_csv, read_table, write_csv
from empathy_transfer.relabel.scores import read_scores
from empathy_transfer.relabel.training_sets import CROWD

# English text has about four characters to a token.
CHARACTERS_PER_TOKEN = 4
COLUMNS = [
    *["encoder", "model", "setting", "texts_to_label", "input_tokens", "output_tokens", "dollars", "basis", "seconds"],
    *["gain_ccc", "gain_low", "gain_high", "dollars_per_gain"],
]


def write_costs(scores_path, comparisons_path, set_paths, answers_paths, prices, costs_path):
    """Write costs.csv: a row per setting and encoder, settings without a language model among them.

    Args:
        scores_path, comparisons_path: of the stage. set_paths: paths of the sets of base texts and of texts to add.
        answers_paths: {model: paths of the answers that it gave about these sets}.
        prices: ``prompt_tokens`` and ``answer_tokens`` per text, and ``dollars`` {model: [input, output] per million}.
        costs_path: CSV to write. ``seconds`` is the mean training time; ``dollars_per_gain`` the price of 0.01 CCC.
    """
    lengths = pd.concat([read_table(path, columns=["text"])["text"] for path in set_paths]).str.len()
    guess = {"input_tokens": prices["prompt_tokens"] + lengths.mean() / CHARACTERS_PER_TOKEN}
    guess |= {"output_tokens": prices["answer_tokens"], "basis": "estimated"}
    texts = {}
    for model, paths in answers_paths.items():
        price = prices["dollars"].get(model)
        texts[model] = measured_text(paths) or guess | {
            "dollars": price and (guess["input_tokens"] * price[0] + guess["output_tokens"] * price[1]) / 1e6
        }
    against = read_csv(comparisons_path)
    against = against[(against["comparison"] == "baseline") & (against["metric"] == "ccc")]
    gains = against.set_index(["encoder", "model", "setting"])[["difference", "low", "high"]]
    rows = []
    for (encoder, model, setting), runs in read_scores(scores_path).groupby(
        ["encoder", "model", "setting"], sort=False
    ):
        number = texts_to_label(runs)
        row = {"encoder": encoder, "model": model, "setting": setting, "texts_to_label": number}
        row |= {name: number * texts[model][name] if number else 0.0 for name in ("input_tokens", "output_tokens")}
        row |= {"dollars": 0.0, "basis": "no labels bought", "seconds": runs["seconds"].mean()}
        if number:
            dollars = texts[model]["dollars"]
            row |= {"dollars": None if dollars is None else number * dollars, "basis": texts[model]["basis"]}
        if (encoder, model, setting) in gains.index:
            row["gain_ccc"], row["gain_low"], row["gain_high"] = gains.loc[(encoder, model, setting)]
            if row["gain_ccc"] > 0 and row["dollars"] is not None:
                row["dollars_per_gain"] = row["dollars"] / (100 * row["gain_ccc"])
        rows.append(row)
    write_csv(costs_path, pd.DataFrame(rows, columns=COLUMNS))


def measured_text(paths):
    """Mean tokens and dollars of a text's last answer, as the server counted them; None where nobody was asked."""
    frames = [read_table(path, columns=["tokens_in", "tokens_out", "cost"]) for path in paths]
    answers = pd.concat(frames).astype("float64").dropna()
    if answers.empty:
        return None
    means = answers.mean()
    found = {"input_tokens": means["tokens_in"], "output_tokens": means["tokens_out"], "dollars": means["cost"]}
    return found | {"basis": "measured"}


def texts_to_label(runs):
    """How many texts a model must label for a setting, mean over seeds: all base texts, those added, or none."""
    if (runs["model"] == CROWD).all():
        return 0.0
    kind = runs["kind"].iloc[0]
    added = (runs["n_train"] - runs["n_base"]).clip(lower=0)
    if kind in ("added", "both"):
        return float((added + (runs["n_base"] if kind == "both" else 0)).mean())
    # Cleanlab and trimming need no model: only the number of labels that they touch was taken over from the correction.
    return 0.0 if kind in ("cleanlab", "trimmed") else float(runs["n_base"].mean())
