"""From raw answers to labels: a step of its own, so that another way to read answers asks nobody again."""

import pandas

from empathy_transfer.errors import DataError
from empathy_transfer.labelling.parsing import read_answer
from empathy_transfer.labelling.prompts import read_prompt
from empathy_transfer.labelling.scales import read_scale
from empathy_transfer.records.artefacts import read_table, write_table

FIRST = ["id", "label", "valid", "reason"]
LAST = ["provider", "model", "model_version", "prompt", "scale"]


def parse_labels(answers_path, scale_path, prompt_path, labels_path, most_invalid=1.0):
    """Read each raw answer and write its label, or why it has none.

    Args:
        answers_path: the export of a model's answers about a set.
        scale_path: the scale, whose items and way to combine them hold now.
        prompt_path: the template that was asked.
        labels_path: a row per answer: id, label, valid, reason, a column per item (missing where the answer is one
            score, or invalid), provider, model, model_version, prompt, scale; and repeat, if asked so.
        most_invalid: greatest share of labels that may be invalid.

    Returns:
        How many labels are invalid, and why, in one line for whoever watches the run.

    Raises:
        DataError: more labels are invalid.
    """
    scale, prompt = read_scale(scale_path), read_prompt(prompt_path)
    answers = read_table(answers_path)
    parsed = [
        read_answer(row["provider"], _text(row["raw"]), row["status"], _text(row["finish"]), scale, prompt)
        for row in answers.to_dict("records")
    ]
    labels = pandas.DataFrame(
        {
            "id": answers["id"],
            "label": pandas.Series([answer.label for answer in parsed], dtype="float64"),
            "valid": pandas.Series([answer.valid for answer in parsed], dtype=bool),
            "reason": pandas.Series([answer.reason for answer in parsed], dtype="str"),
        }
    )
    for item in scale.items:
        labels[item] = pandas.Series([answer.scores.get(item) for answer in parsed], dtype="float64")
    labels = pandas.concat([labels, answers[LAST]], axis=1)
    # A server knows best what it is; llama.cpp only says where its file lies, whose digest is the version.
    served = answers["served_model"].where(answers["provider"] != "llama_cpp")
    labels["model_version"] = served.fillna(answers["model_version"])
    if (answers["repeat"] > 0).any():
        labels["repeat"] = answers["repeat"]
    line = invalid_line(labels)
    if (~labels["valid"]).sum() > most_invalid * len(labels):
        raise DataError(
            f"{answers_path}: {line}. At most {most_invalid:.0%} may be invalid. Another prompt, or more room for the "
            "answer (`max_tokens`), may help. All answers are kept: docs/label-with-an-llm.md."
        )
    write_table(labels_path, labels)
    print(line)
    return line


def invalid_line(labels):
    """How many labels are invalid, and why, in one line."""
    invalid = labels[~labels["valid"]]
    share = 100 * len(invalid) / len(labels) if len(labels) else 0.0
    causes = ", ".join(f"{count} x {reason}" for reason, count in invalid["reason"].value_counts().items())
    return f"{len(labels):,} answers, {len(invalid):,} invalid ({share:.1f} %)" + (f": {causes}" if causes else "")


def _text(value):
    """A text of a table; None where it is missing."""
    return value if isinstance(value, str) else None
