"""Raw files come from their address only where the user accepted the terms, and only with the right digest."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from study_copy import StudyCopy

TABLE = "number,text,mood\n" + "".join(f"n{row},words {row},{['glad', 'sad'][row % 2]}\n" for row in range(60))
DESCRIPTION = """
title: Own
paper: none
licence: none
terms: Be kind with it.
language: en
data_source: other
language_setting: other
group: one text
folder: own
files:
  table.csv: {{url: "{url}/table.csv", sha256: {digest}}}
reader: table
columns: {{id: number, text: text}}
context: none
tasks:
  own_mood:
    title: Mood
    label: mood
    kind: classification
    labels: [glad, sad]
    metric: f1_macro
    label_source: human
    theme: direct
"""
CHECKED = "results/full/raw/own.json"


class Quiet(SimpleHTTPRequestHandler):
    """A file server that keeps no log."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Address of a server on this machine that has the table."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "table.csv").write_text(TABLE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def study(tmp_path, address):
    """A function that makes a study with one dataset at that address, of this digest."""

    def make(digest, accepted=("own",)):
        study = StudyCopy.of_repository(tmp_path / "study", datasets="own", accept_terms=list(accepted))
        study.write("own/own.yaml", DESCRIPTION.format(url=address, digest=digest))
        return study

    return make


def test_an_accepted_file_is_downloaded_checked_and_used(study):
    digest = hashlib.sha256(TABLE.encode()).hexdigest()
    run = study(digest).run(CHECKED, "--cores", "1")
    assert run.status == 0, run.text
    assert "To be downloaded: own, under the terms that you accepted: Be kind with it." in run.text


def test_a_file_with_another_digest_is_refused_and_not_kept(study):
    made = study("0" * 64)
    run = made.run(CHECKED, "--cores", "1")
    assert run.status != 0
    assert "table.csv" in run.text
    assert not (made.folder / "resources/downloads/own/table.csv").exists()
    assert not (made.folder / CHECKED).exists()


def test_nothing_is_downloaded_without_acceptance(study):
    made = study(hashlib.sha256(TABLE.encode()).hexdigest(), accepted=())
    run = made.run(CHECKED, "--cores", "1")
    assert run.status != 0
    assert "add 'own' to accept_terms to download it" in run.text
    assert not (made.folder / "resources/downloads").exists()
