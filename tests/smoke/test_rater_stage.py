"""The whole grid of raters on a tiny encoder and generated pairs, from raw files to the page."""

import csv
import json

import numpy as np
import pandas
import pytest
import yaml

from empathy_transfer.data.readers.epitome_pairs import FILES
from empathy_transfer.records.files import sha256_file
from study_copy import StudyCopy
from tiny_encoders import write_vocabulary_encoder

WORDS = "i am so sorry good bad day night you feel here now".split()
LOSSES = {"epitome_level": ["cross_entropy", "focal", "kl_divergence", "corn"]}
LOSSES["epitome_share"] = ["squared_error", "absolute_error", "contrastive", "contrastive_released", "cosine_embedding"]
RATER = ("rater", "--configfile", "config/tiny.yaml", "--cores", "2")


def write_raw_files(folder):
    """The three files of EPITOME, generated: more of the words of comfort, a higher level."""
    random = np.random.default_rng(0)
    levels = random.integers(0, 3, (160, 3))
    for place, name in enumerate(FILES.values()):
        path = folder / "epitome" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["sp_id", "rp_id", "seeker_post", "response_post", "level", "rationales"])
            for number, own in enumerate(levels):
                post = " ".join(WORDS[(number + step) % 12] for step in range(6))
                reply = " ".join(["sorry"] * int(own.sum()) + [WORDS[number % 12], WORDS[number % 7]])
                rows.writerow([f"p{number // 2}", f"r{number}", post, reply, own[place], ""])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished run of the stage in a copy of the repository."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("raters") / "study")
    write_raw_files(study.folder / "raw")
    write_vocabulary_encoder(study.folder / "encoder", WORDS)

    def allow(content):
        """The generated files have digests of their own."""
        for name in content["files"]:
            content["files"][name]["sha256"] = sha256_file(study.folder / "raw/epitome" / name)

    study.edit_yaml("config/pairs/epitome_pairs.yaml", allow)
    encoder = {"name": str(study.folder / "encoder"), "revision": None, "max_length": 32}
    adapter = {"adaptation": {"type": "seq_bn", "reduction_factor": 4}}
    config = {
        "study": "tiny",
        "raw_dir": "raw",
        "analysis": {"resamples": 200},
        "rater": {
            "encoder": encoder,
            "seeds": [1],
            "pairs": {"epitome_level": ["grouped"]},
            "variants": {"adapter": adapter},
            "training": {"epochs": 2, "max_train": 64, "max_validation": 16, "learning_rate": 1.0e-3, "dropout": 0.0},
        },
    }
    study.write("config/tiny.yaml", yaml.safe_dump(config))
    run = study.run(*RATER)
    assert run.status == 0, run.text
    return study, run


def test_every_architecture_is_trained_with_every_loss(study):
    _, run = study
    trained = {
        tuple(job.names[name] for name in ("pairs", "architecture", "loss", "variant", "scheme", "seed"))
        for job in run.jobs
        if job.rule == "train_rater"
    }
    plain = {("epitome_level", side, loss) for side in ("bi", "cross") for loss in LOSSES["epitome_level"]}
    plain |= {("epitome_share", side, loss) for side in ("bi", "cross") for loss in LOSSES["epitome_share"]}
    plain -= {("epitome_share", "cross", "cosine_embedding")}
    expected = {(*model, "plain", "grouped", "1") for model in plain}
    first = {("epitome_level", "cross_entropy"), ("epitome_share", "squared_error")}
    changed = [("cross", "without_segments"), ("cross", "adapter"), ("bi", "adapter")]
    expected |= {
        (pairs, side, loss, variant, "grouped", seed)
        for pairs, loss in first
        for side, variant in changed
        for seed in "1"
    }
    assert trained == expected
    assert not run.trained  # nothing of the transfer study


def test_every_rater_has_its_scores_beside_the_constant_answer_s(study):
    folder = study[0].folder / "results/tiny"
    scores = pandas.read_csv(folder / "rater/scores.csv")
    keys = ["scheme", "pairs", "architecture", "loss", "variant", "seed"]
    assert not scores.duplicated([*keys, "metric"]).any()
    metrics = scores.groupby("pairs")["metric"].agg(set)
    assert {"accuracy", "precision_weighted", "recall_weighted", "f1_weighted"} <= metrics["epitome_level"]
    assert {"mse", "mae", "pearson_r", "spearman_r", "cosine"} <= metrics["epitome_share"]
    cosine = scores[scores["metric"] == "cosine"]
    assert (cosine["floor"] > 0.8).all()  # of a constant answer, where all labels are above 0
    for row in scores[scores["metric"] == "recall_weighted"].itertuples():
        same = scores[(scores[keys] == [getattr(row, key) for key in keys]).all(axis=1)].set_index("metric")["value"]
        assert same["recall_weighted"] == pytest.approx(same["accuracy"])


def test_the_page_tables_and_figures_are_there(study):
    folder = study[0].folder / "results/tiny"
    page = (folder / "rater/report.md").read_text(encoding="utf-8")
    for words in (
        "epitome_level, grouped splits",
        "epitome_share, grouped splits",
        "## The printed claims",
        "CORN",
    ):
        assert words in page
    claims = pandas.read_csv(folder / "rater/claims.csv")
    assert set(claims["name"]) >= {"focal loss best", "bi-encoder better for levels"}
    for name in ("figures/raters.png", "figures/rater_curves.svg", "tables/raters.html", "tables/raters.tex"):
        assert (folder / name).stat().st_size > 1000, name
    assert "Cross-encoders on epitome_level, grouped splits" in (folder / "tables/raters.html").read_text()


def test_a_run_tells_its_loss_and_tests_the_epoch_of_the_least_validation_loss(study):
    runs = study[0].folder / "results/tiny/rater/runs/grouped/epitome_level/bi/focal/plain"
    record = json.loads((runs / "seed=1/run.json").read_text())
    assert record["loss"] == "focal"
    assert record["loss_settings"] == {"name": "focal", "alpha": 0.25, "gamma": 2.0}
    epochs = [json.loads(line) for line in (runs / "seed=1/epochs.jsonl").read_text().splitlines()]
    losses = [epoch["validation_loss"] for epoch in epochs]
    assert record["best_epoch"] == 1 + losses.index(min(losses))


def test_a_second_run_has_nothing_to_do_and_a_new_loss_setting_retrains_its_own_runs(study):
    copy, _ = study
    assert copy.dry_run(*RATER).jobs == ()
    config = yaml.safe_load((copy.folder / "config/tiny.yaml").read_text())
    config["rater"]["losses"] = {"classification": {"focal": {"alpha": 0.5, "gamma": 2.0}}}
    copy.write("config/other.yaml", yaml.safe_dump(config))
    again = copy.dry_run("rater", "--configfile", "config/other.yaml")
    retrained = {job.names["loss"] for job in again.jobs if job.rule == "train_rater"}
    assert retrained == {"focal"}
    assert again.rules["train_rater"] == 2  # of two architectures
