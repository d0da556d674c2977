"""The context ablation: what is shuffled, what is answered, and what is compared."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from empathy_transfer.controls.context_ablation import CONDITIONS, ablate_context, check_same, shuffle_contexts
from empathy_transfer.controls.context_effects import (
    COLUMNS,
    add_family,
    target_effects,
    write_context_ablation,
)
from empathy_transfer.controls.context_figure import draw_context_ablation
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.tokens import tokenise_task
from empathy_transfer.frame.job import open_job
from empathy_transfer.models.trained_models import load_trained
from empathy_transfer.records.artefacts import (
    ArtefactError,
    read_json,
    read_table,
    write_json,
    write_table,
)
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.records.runs import BASELINE, TransferRun
from empathy_transfer.scores.run_scores import scores_of
from empathy_transfer.training.evaluation import predict
from fake_jobs import fake_snakemake
from tiny_encoders import OF_A_JOB, SCHEDULE, SPECIAL, items_of, save_as_job, write_vocabulary_encoder
from tiny_runs import train_transfer

SETTINGS = SCHEDULE | OF_A_JOB | {"learning_rate": 0.05, "warmup_share": 0.0, "dropout": 0.0, "max_test": 16}
SETTINGS |= {"loss": {"name": "cross_entropy"}}
TESTS = {"resamples": 200, "alpha": 0.05, "absent_classes": "drop"}
WORDS = ["good", "bad", "day", "night", "i", "am"]


def test_each_context_goes_to_an_item_of_another_group():
    groups = [f"g{place // 3}" for place in range(30)]
    contexts = [None if place % 5 == 0 else f"{group} {place}" for place, group in enumerate(groups)]
    shuffled = shuffle_contexts(contexts, groups, seed=1)
    assert [context is None for context in shuffled] == [context is None for context in contexts]
    assert sorted(filter(None, shuffled)) == sorted(filter(None, contexts))
    for group, context in zip(groups, shuffled, strict=True):
        assert context is None or context.split()[0] != group
    assert shuffled == shuffle_contexts(contexts, groups, seed=1)
    assert shuffled != shuffle_contexts(contexts, groups, seed=2)


def test_a_group_of_half_of_the_items_is_the_largest_that_can_be_shuffled():
    contexts = ["a1", "a2", "b", "c"]
    assert set(shuffle_contexts(contexts, ["a", "a", "b", "c"], seed=0)[:2]) == {"b", "c"}
    with pytest.raises(ValueError, match="3 of 4 test items with a context are one group"):
        shuffle_contexts(contexts, ["a", "a", "a", "c"], seed=0)
    assert shuffle_contexts([None, None], ["a", "b"], seed=0) == [None, None]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A trained baseline whose task has contexts: the paths that an ablation needs."""
    monkeypatch.chdir(tmp_path)
    write_vocabulary_encoder(tmp_path / "encoder", WORDS)
    encoder = {"name": "encoder", "revision": None, "max_length": 16}
    random = np.random.default_rng(1)
    output = {split: f"data/mood/{split}.parquet" for split in SPLITS}
    output |= {"task_json": "data/mood/task.json", "provenance": "data/mood/provenance.json"}
    with open_job(fake_snakemake("prepare_task", output)) as job:
        for split, n in zip(SPLITS, (48, 16, 24), strict=True):
            good = random.integers(0, 2, n)
            frame = {
                "id": [f"{split}{row:02d}" for row in range(n)],
                "text": "i am",
                "group": [f"{split}{row // 2}" for row in range(n)],
            }
            frame |= {
                "context": [["bad day", "good night"][value] for value in good],
                "label": [["bad", "good"][value] for value in good],
            }
            frame = pandas.DataFrame(frame)
            frame.loc[0, "context"] = None
            write_table(job.output[split], frame)
        write_json(
            job.output["task_json"],
            {"task": "mood", "kind": "classification", "metric": "f1_macro", "labels": ["bad", "good"]},
        )
    output = {"tokens": "tokens/tokens.safetensors", "provenance": "tokens/provenance.json"}
    with open_job(fake_snakemake("tokenise_task", output)) as job:
        tokenise_task(
            {split: f"data/mood/{split}.parquet" for split in SPLITS},
            "data/mood/task.json",
            encoder,
            job.output["tokens"],
        )
    inputs = {"tokens": "tokens/tokens.safetensors", "task_json": "data/mood/task.json"}
    output = train_transfer(TransferRun(BASELINE, "mood", "full", 1), inputs, "run", SETTINGS, encoder)
    used = {name: output[name] for name in ("adapter", "head", "predictions")}
    return used | {"test": "data/mood/test.parquet", "task_json": "data/mood/task.json", "encoder": encoder}


def ablate(run, folder="context/mood"):
    """Ablate the context of a run; returns the record of the scores."""
    inputs = {name: path for name, path in run.items() if name != "encoder"}
    output = {condition: f"{folder}/{condition}/predictions.parquet" for condition in CONDITIONS}
    output |= {"scores": f"{folder}/scores.json", "provenance": f"{folder}/provenance.json"}
    with open_job(fake_snakemake("ablate_context", output)) as job:
        ablate_context(inputs, job.output, SETTINGS, run["encoder"], seed=1, threads=1)
    return read_json(output["scores"])


def test_a_run_is_answered_anew_with_each_context(run):
    record = ablate(run)
    trained, earlier = read_json("run/run.json"), read_table(run["predictions"])
    assert (record["target"], record["seed"], record["n_test"]) == ("mood", 1, trained["n_test"])
    (score,) = [row for row in scores_of(earlier, trained) if row["main"]]
    assert record["values"]["intact"] == {"f1_macro": pytest.approx(score["value"])}
    assert record["metric"] == score["metric"] == "f1_macro"
    intact, blanked, shuffled = (
        read_table(f"context/mood/{condition}/predictions.parquet") for condition in CONDITIONS
    )
    assert np.allclose(intact["p_good"], earlier["p_good"], atol=1e-4)
    for table in (intact, blanked, shuffled):
        assert table["id"].equals(earlier["id"])
        assert table["label"].equals(earlier["label"])
    # All texts are the same, so without their contexts all answers are; with another's, they are that one's.
    assert np.ptp(blanked["p_good"]) < 1e-7
    assert not np.allclose(shuffled["p_good"], intact["p_good"], atol=1e-7)
    assert np.allclose(sorted(shuffled["p_good"]), sorted(intact["p_good"]), atol=1e-7)


def test_both_engines_answer_as_the_run_did(run):
    encoder = find_encoder("encoder")
    items = items_of([5, 9, 7], context=True, vocabulary=len(SPECIAL) + len(WORDS))
    logits = [
        predict(load_trained(run["adapter"], run["head"], encoder, SETTINGS | {"engine": name}), items, "test")
        for name in ("fast", "reference")
    ]
    assert np.allclose(*logits, atol=1e-4)
    model = load_trained(run["adapter"], run["head"], encoder, SETTINGS)
    _, unfit = save_as_job(model, encoder, "unfit", labels=["bad", "good", "neither"])
    with pytest.raises(ArtefactError, match="has shape"):
        load_trained(run["adapter"], unfit, encoder, SETTINGS)


def test_another_model_is_refused(run):
    tensors = read_table(run["predictions"])
    turned = tensors["prediction"].map({"good": "bad", "bad": "good"}).tolist()
    with pytest.raises(RuntimeError, match="does not answer as in"):
        check_same(turned, tensors["prediction"].tolist(), tensors["label"], run["predictions"])
    for unit in (1e-4, 1.0, 1e4):
        earlier, labels = np.array([0.5, 1.5]) * unit, np.array([0.0, 2.0]) * unit
        check_same([0.501 * unit, 1.499 * unit], earlier, labels, "run")
        with pytest.raises(RuntimeError):
            check_same([0.55 * unit, 1.45 * unit], earlier, labels, "run")
        # Answers that are all but constant: the labels' spread tells what is rounding.
        check_same([unit, unit], np.full(2, 1.001 * unit), labels, "run")


def test_a_model_is_compared_with_itself(run):
    records = {1: (ablate(run), Path("context/mood"))}
    rows = {row["condition"]: row for row in target_effects(records, run["test"], TESTS)}
    values = records[1][0]["values"]
    for condition in ("blanked", "shuffled"):
        expected = values[condition]["f1_macro"] - values["intact"]["f1_macro"]
        assert rows[condition]["difference"] == pytest.approx(expected)
    assert rows["blanked"]["clusters"] == len(
        set(read_table(run["test"]).set_index("id").loc[read_table(run["predictions"])["id"], "group"])
    )
    output = {"table": "analysis/context_ablation.csv", "provenance": "analysis/context_ablation.provenance.json"}
    with open_job(fake_snakemake("compare_contexts", output)) as job:
        write_context_ablation(["context/mood/scores.json"], {"mood": run["test"]}, TESTS, job.output["table"])
    table = pandas.read_csv(output["table"])
    assert list(table["condition"]) == ["blanked", "shuffled"]
    assert list(table["with_context"]) == [records[1][0]["with_context"]] * 2


def test_losses_count_by_their_false_discovery_rate():
    rows = [
        {"target": name, "condition": "blanked", "difference": -0.1, "p": p, "reason": ""}
        for name, p in zip("abc", (0.01, 0.04, 0.9), strict=True)
    ]
    rows.append({"target": "d", "condition": "blanked", "difference": -0.1, "p": None, "reason": "too_few"})
    found = add_family(pandas.DataFrame(rows, columns=COLUMNS), 0.05)
    assert found["q"].iloc[:3].tolist() == pytest.approx([0.03, 0.06, 0.9])
    assert found["effect"].tolist() == ["harmed", "undecided", "undecided", ""]
    figure = draw_context_ablation(found, {name: {"title": name.upper()} for name in "dabc"})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["D", "A", "B", "C"]


def test_the_figure_tells_no_test_from_no_difference():
    row = {"target": "a", "condition": "blanked", "difference": -0.1, "p": 0.9, "low": -0.3, "high": 0.1, "reason": ""}
    few = {"target": "b", "condition": "shuffled", "difference": -0.2, "p": None, "reason": "too_few"}
    tasks = {"a": {"title": "A"}, "b": {"title": "B"}}

    def drawn(rows):
        figure = draw_context_ablation(add_family(pandas.DataFrame(rows, columns=COLUMNS), 0.05), tasks)
        points = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", "", None)]
        words = [text.get_text() for text in figure.legends[0].get_texts()]
        return {round(float(line.get_xdata()[0]), 1): line.get_marker() for line in points}, words

    markers, words = drawn([row, few])
    assert markers == {-0.1: "o", -0.2: "x"}
    assert "no test: too few groups of items" in words
    assert not [label for label in drawn([row])[1] if label.startswith("no test")]
