"""A small study with its results in a bucket, through `profiles/s3` and a server on this machine that speaks S3.

The tests go on from each other's results, as a user would.
"""

import importlib.util
import logging
import os
import shutil
from pathlib import Path

import pytest

from study_copy import StudyCopy
from tiny_encoders import write_vocabulary_encoder
from tiny_study import WORDS

CONFIG = """
study: tiny
datasets: config/datasets_demo
ratings: resources/ratings_demo.csv
tasks: [letters_hope, notes_care]
demo: {seed: 1, rows: 160}
encoder: {name: encoder, max_length: 16}
data: [full]
seeds: [1]
controls: []
training:
  override: {epochs: 1, batch_size: 16, max_train: 32, max_validation: 16, max_test: 16}
"""
SCORES = "results/tiny/analysis/scores.csv"
RUN = (SCORES, "--configfile", "config/tiny.yaml", "--cores", "2")
BUCKET, FOLDER = "studies", "some/folder"
KEYS = {"SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "key-of-the-test", "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret-of-the-test"}
NEEDED = ("snakemake_storage_plugin_s3", "moto", "flask")


@pytest.fixture(scope="module")
def server():
    """A server that keeps buckets in memory; the address."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        message = f"{', '.join(missing)} missing; to run these tests: make test-storage"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(scope="module")
def bucket(server):
    """The bucket, as boto3 gives it; the first upload makes it."""
    import boto3

    access, secret = KEYS.values()
    options = {"aws_access_key_id": access, "aws_secret_access_key": secret, "region_name": "us-east-1"}
    return boto3.resource("s3", endpoint_url=server, **options).Bucket(BUCKET)


@pytest.fixture(scope="module")
def local(tmp_path_factory, server):
    """A finished study without storage."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("local") / "study")
    study.write("config/tiny.yaml", CONFIG)
    write_vocabulary_encoder(study.folder / "encoder", WORDS)
    clean = study.clone(study.folder.with_name("clean"))
    run = study.run(*RUN, OMP_NUM_THREADS="1")
    assert run.status == 0, run.text
    study.clean = clean
    return study


class StoredStudy(StudyCopy):
    """A copy of the repository whose results are in the bucket."""

    server = None

    def run(self, *arguments, **environment):
        """Run Snakemake with the profile."""
        place = ("--default-storage-prefix", f"s3://{BUCKET}/{FOLDER}", "--storage-s3-endpoint-url", self.server)
        return super().run(*arguments, "--profile", "profiles/s3", *place, OMP_NUM_THREADS="1", **KEYS | environment)

    def forget_copies(self):
        """Remove all local copies, those of logs too."""
        for name in ("results", "logs"):
            shutil.rmtree(self.folder / name)


@pytest.fixture(scope="module")
def stored(local, server):
    """A copy of the repository with nothing computed."""
    study = StoredStudy(local.clean.folder)
    study.server = server
    return study


def fetched(bucket, folder):
    """All objects of the bucket, fetched to a folder under the names that the study's files have."""
    for listed in bucket.objects.all():
        path = folder / Path(listed.key).relative_to(FOLDER)
        path.parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(listed.key, str(path))
    return StudyCopy(folder)


def test_results_in_the_bucket_equal_those_of_a_run_without_it(local, stored, bucket, tmp_path):
    run = stored.run(*RUN)
    assert run.status == 0, run.text
    found = fetched(bucket, tmp_path / "fetched")
    assert found.digests("tiny") == local.digests("tiny")
    assert stored.digests("tiny") == local.digests("tiny")
    assert (found.folder / "logs/tiny/baseline/full/seed=1/notes_care.log").is_file()
    records = [path for path in local.files("results/tiny") if path.endswith(("provenance.json", "provenance.csv"))]
    assert set(records) <= set(found.files("results/tiny"))


def test_with_all_copies_deleted_nothing_runs(stored):
    stored.forget_copies()
    run = stored.run(*RUN)
    assert run.status == 0, run.text
    assert run.jobs == ()


def test_a_changed_setting_runs_what_it_does_without_storage(local, stored, bucket, tmp_path):
    for study in (local, stored):
        study.edit_yaml("config/datasets_demo/demo_notes.yaml", change_training)
    if (stored.folder / "results").exists():
        stored.forget_copies()
    with_storage, without = stored.run(*RUN), local.run(*RUN, OMP_NUM_THREADS="1")
    assert (with_storage.status, without.status) == (0, 0), with_storage.text + without.text
    changed = {"train_baseline": 1, "train_transfer": 2, "score_target": 2, "collect_scores": 1}
    assert with_storage.rules == without.rules == changed
    assert with_storage.trained == without.trained
    assert "missing" not in with_storage.text
    assert fetched(bucket, tmp_path / "fetched").digests("tiny") == local.digests("tiny")


def change_training(dataset):
    """Give a task a learning rate of its own."""
    dataset["tasks"]["notes_care"].setdefault("training", {})["learning_rate"] = 0.002


def test_keys_stand_in_no_file(stored, bucket, tmp_path):
    for study in (stored, fetched(bucket, tmp_path / "fetched")):
        for path in study.files("."):
            content = (study.folder / path).read_bytes()
            assert not any(key.encode() in content for key in KEYS.values()), path


def test_results_of_a_run_without_storage_are_not_taken_for_copies(local, stored):
    before = local.digests("tiny")
    other = StoredStudy(local.folder)
    other.server = stored.server
    run = other.run(*RUN, "--dry-run")
    assert run.status != 0
    assert "made without storage" in run.text
    assert local.digests("tiny") == before


def test_copies_are_not_changed_by_a_run_without_storage(stored):
    run = StudyCopy(stored.folder).run(*RUN, "--force")
    assert run.status != 0
    assert f"storage: s3://{BUCKET}/{FOLDER}/; asked for: none" in run.text
    assert not run.trained
