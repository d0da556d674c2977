"""What all models answered about the pairs of stories, side by side with all labels of the pairs."""

from dataclasses import dataclass

import pandas as pd

from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_json, read_table
from empathy_transfer.similarity.runs import EMBEDDING, FLOOR, UNTRAINED, ZERO_SHOT, SimilarityRun
from empathy_transfer.similarity.story_pairs import read_pairs

# What tells one model from all others; `seed` 0 stands for those without any.
KEY = ["family", "model", "form", "trained_on", "seed"]
FACTS = ["encoder", "loss", "n_train"]


@dataclass(frozen=True)
class HeldOutPairs:
    """Pairs of one form: ``table`` has id, fold, first, second, and the rating by each of the ``labels``."""

    table: pd.DataFrame
    labels: list


def read_tested(paths, tasks):
    """Read the pairs that are tested: {form: `HeldOutPairs`}.

    Args:
        paths: their tables, `<fold>/<task>/test.parquet`. tasks: {task: [label, form]}.

    Raises:
        DataError: the tables of two labels have other pairs or folds, or a pair is tested in two folds.
    """
    found = {}
    for path in paths:
        label, form = tasks[path.parent.name]
        frame = read_pairs(path).assign(fold=path.parent.parent.name)
        found.setdefault(form, {}).setdefault(label, []).append(frame)
    tested = {}
    for form, by_label in found.items():
        table, labels = None, list(by_label)
        for label, frames in by_label.items():
            frame = pd.concat(frames, ignore_index=True).rename(columns={"label": label})
            if frame["id"].duplicated().any():
                raise DataError(f"pairs of {label} ({form} stories): a pair is tested in two folds. Prepare them anew.")
            if table is None:
                table = frame
                continue
            # Each row of one has its row in the other, with the same texts.
            merged = table.merge(frame, on=["id", "fold", "first", "second"])
            if not len(merged) == len(table) == len(frame):
                raise DataError(
                    f"pairs of {labels[0]} and {label} ({form} stories): other pairs or folds, so that a model of one "
                    "label can't be tested on the other. Prepare both from the same files."
                )
            table = merged
        order = ["id", "fold", "first", "second", *labels]
        tested[form] = HeldOutPairs(table[order].sort_values("id", ignore_index=True), labels)
    return tested


def read_answers(run_paths, embedding_paths, zero_shot_paths):
    """Read what all models answered: a frame of `KEY`, fold, split, id, prediction and `FACTS`, in one order.

    Args:
        run_paths: records of trainings, beside their `predictions.parquet` and `validation.parquet`.
        embedding_paths: predictions of the baselines, `<model>/<form>/predictions.parquet`.
        zero_shot_paths: labels of language models, `<model>/<form>/<label>/labels.parquet`: of each label its own.

    A language model's answer that could not be read is no prediction; its pair is left out.
    """
    parts = []
    for path in sorted(run_paths):
        record = read_json(path)
        key = SimilarityRun.of(record).columns
        facts = {name: record.get(name) for name in FACTS} | {"loss": record["loss"]["name"]}
        for split, name in {"test": "predictions", "validation": "validation"}.items():
            frame = read_table(path.with_name(f"{name}.parquet"), columns=["id", "prediction"])
            parts.append(frame.assign(**key, **facts, split=split))
    for path in sorted(embedding_paths):
        record = read_json(path.with_name("run.json"))
        key = _untrained(EMBEDDING, path.parent.parent.name, path.parent.name)
        frame = read_table(path, columns=["id", "prediction"])
        parts.append(frame.assign(**key, encoder=record["encoder"], loss=None, n_train=0, split="test"))
    for path in sorted(zero_shot_paths):
        model, form, label = path.parent.parent.parent.name, path.parent.parent.name, path.parent.name
        frame = read_table(path, columns=["id", "label", "valid"])
        frame = frame[frame["valid"]].rename(columns={"label": "prediction"})[["id", "prediction"]]
        # It was asked about one label, so it answers that one alone.
        key = _untrained(ZERO_SHOT, model, form) | {"asked": label}
        parts.append(frame.assign(**key, encoder=model, loss=None, n_train=0, split="test"))
    answers = pd.concat(parts, ignore_index=True)
    return answers.reindex(columns=[*KEY, "fold", "asked", "split", "id", "prediction", *FACTS])


def floor_answers(tested, training_means):
    """The constant answer of each fold for each label, in the columns of `read_answers`.

    ``training_means`` is {(form, label, fold): mean rating of the training pairs}.
    """
    parts = []
    for form, about in tested.items():
        for label in about.labels:
            means = {fold: mean for (own, one, fold), mean in training_means.items() if (own, one) == (form, label)}
            frame = about.table[["id", "fold"]].assign(prediction=about.table["fold"].map(means))
            parts.append(frame.assign(**_untrained(FLOOR, "training_mean", form), asked=label, split="test"))
    return pd.concat(parts, ignore_index=True)


def _untrained(family, model, form):
    """The key of a model that is not trained here."""
    return {"family": family, "model": model, "form": form, "trained_on": UNTRAINED, "seed": 0}
