"""Which estimator knows which kind of task, and what stands where there is no value."""

import numpy as np
import pytest

from empathy_transfer.features.source_estimates import COLUMNS, estimates, write_estimates
from empathy_transfer.features.transferability import ESTIMATORS, h_score, leep, log_me
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.records.files import sha256_file
from fake_jobs import fake_snakemake
from tiny_encoders import OF_A_JOB, make_model, save_as_job, write_vocabulary_encoder
from tiny_runs import WORDS, write_task

GENERATOR = np.random.default_rng(0)
VECTORS = GENERATOR.normal(size=(20, 6)).astype(np.float32)
GUESSES = GENERATOR.dirichlet([1, 1, 1], size=20)
CLASSES, VALUES, GROUPS = np.arange(20) % 4, GENERATOR.normal(size=20), np.arange(20) // 2


def of(*arguments):
    """Estimates as {estimator: (value, reason)}."""
    return {row["estimator"]: (row["value"], row["reason"]) for row in estimates(*arguments)}


def test_between_classifications_all_are_known():
    found = of(VECTORS, GUESSES, CLASSES, GROUPS, "classification")
    assert {reason for _, reason in found.values()} == {""}
    assert found["leep"][0] == leep(GUESSES, CLASSES)
    assert found["h_score"][0] == h_score(VECTORS, CLASSES)
    assert found["log_me"][0] == pytest.approx(log_me(VECTORS, np.eye(4)[CLASSES]))


@pytest.mark.parametrize(
    ("guesses", "labels", "kind", "known"),
    [
        (None, CLASSES, "classification", {"log_me", "h_score", "nearest_neighbours"}),
        (GUESSES, VALUES, "regression", {"log_me", "nearest_neighbours"}),
        (GUESSES, np.eye(4)[CLASSES], "multilabel", {"log_me"}),
    ],
)
def test_other_kinds_of_task_have_fewer(guesses, labels, kind, known):
    found = of(VECTORS, guesses, labels, GROUPS, kind)
    assert {name for name, (value, _) in found.items() if not np.isnan(value)} == known
    assert {reason for name, (_, reason) in found.items() if name not in known} == {"not_available"}


@pytest.mark.parametrize("labels", [np.zeros(20, int), CLASSES])
def test_constant_labels_or_features_have_a_reason(labels):
    vectors = VECTORS if not labels.any() else np.ones((20, 6), np.float32)
    found = of(vectors, GUESSES, labels, GROUPS, "classification")
    assert {reason for _, reason in found.values()} == {"constant"}
    assert all(np.isnan(value) for value, _ in found.values())


def test_one_group_has_no_neighbours():
    found = of(VECTORS, GUESSES, CLASSES, np.zeros(20), "classification")
    assert found["nearest_neighbours"][1] == "too_few"
    assert found["log_me"][1] == ""


@pytest.mark.parametrize("label", [0, 1, 2, 3])
@pytest.mark.parametrize("value", [0, 1])
def test_a_label_of_several_that_none_or_all_examples_have_leaves_no_value(label, value):
    labels = np.eye(4)[CLASSES]
    labels[:, label] = value
    found = of(VECTORS, None, labels, GROUPS, "multilabel")
    assert np.isnan(found["log_me"][0])
    assert {name: reason for name, (_, reason) in found.items()} == dict.fromkeys(ESTIMATORS, "not_available") | {
        "log_me": "undefined"
    }


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_vectors_that_are_not_finite_leave_no_value(number):
    vectors = VECTORS.copy()
    vectors[7, 2] = number
    found = of(vectors, GUESSES, CLASSES, GROUPS, "classification")
    assert {reason for _, reason in found.values()} == {"undefined"}
    assert all(np.isnan(value) for value, _ in found.values())


def test_one_example_is_too_few():
    found = of(VECTORS[:1], GUESSES[:1], CLASSES[:1], GROUPS[:1], "classification")
    assert {reason for _, reason in found.values()} == {"too_few"}


def test_a_class_of_one_item_gives_numbers():
    labels = np.array([0] * 10 + [1] * 9 + [2])
    found = of(VECTORS, GUESSES, labels, GROUPS, "classification")
    assert all(np.isfinite(value) for value, _ in found.values())


@pytest.fixture
def target(tmp_path, monkeypatch):
    """The settings of a tiny encoder, and the files of a target's task."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMPATHY_FIRST_LAYER_FOLDER", "first_layer")
    write_vocabulary_encoder(tmp_path / "encoder", WORDS)
    encoder = {"name": "encoder", "revision": None, "max_length": 16}
    return encoder, write_task(encoder, "mood", "classification", "f1_macro", ["good", "bad"])


def estimate(encoder, task, files):
    """Let a job write the estimates of sources with these files of adapter and head; returns the table."""
    output = {"estimates": "estimates/estimates.csv", "provenance": "estimates/provenance.json"}
    inputs = {"adapters": [adapter for adapter, _ in files], "heads": [head for _, head in files], **task}
    names = [f"source{place}" for place in range(len(files))]
    with open_job(fake_snakemake("estimate_sources", output)) as job:
        write_estimates(names, inputs, 1, OF_A_JOB, encoder, 20, sha256_file(task["tokens"]), job.output["estimates"])
    return read_csv(output["estimates"])


def test_each_source_is_read_from_its_files(target):
    found = find_encoder("encoder")
    files = [
        save_as_job(make_model(found, len(labels or [None]), seed=place), found, f"source{place}", labels)
        for place, labels in enumerate([["x", "y", "z"], None])
    ]
    table = estimate(*target, files)
    assert list(table.columns) == COLUMNS
    assert table["estimator"].tolist() == [*ESTIMATORS] * 2
    assert table["source"].unique().tolist() == ["source0", "source1"]
    assert (table["target"] == "mood").all()
    assert table["examples"].between(18, 22).all()
    of_classes, of_values = (table[table["source"] == name].set_index("estimator") for name in ("source0", "source1"))
    assert of_classes["value"].notna().all()
    # A regression's head knows no classes.
    assert set(of_values.index[of_values["value"].isna()]) == {"leep", "nce"}


def test_a_head_that_does_not_fit_its_labels_is_refused(target):
    found = find_encoder("encoder")
    unfit = save_as_job(make_model(found, 3), found, "source", ["x", "y"])
    with pytest.raises(SystemExit, match=r"head.safetensors.*has shape"):
        estimate(*target, [unfit])
