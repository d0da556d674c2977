"""A real llama.cpp server in this process, on a tiny model with random weights: answers held to the schema."""

import signal
import sqlite3
import subprocess
import sys

import pytest

from empathy_transfer.labelling.llama import gguf_version
from empathy_transfer.labelling.parsing import parse_answer
from empathy_transfer.labelling.questions import SettingsError
from empathy_transfer.labelling.scales import read_scale
from empathy_transfer.records.artefacts import read_table
from label_studies import DECODING, ask, numbered, write_set
from study_copy import ROOT
from tiny_gguf import write_tiny_gguf

TEXTS = 6
KILLED_AFTER = 2


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    path = write_tiny_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")
    return {
        "provider": "llama_cpp",
        "model": "tiny",
        "gguf": str(path),
        "context": 2048,
        "decoding": DECODING,
        "attempts": 1,
        "concurrency": 2,
        "timeout": 600,
        "retries": 1,
    }


def kept(folder):
    with sqlite3.connect(f"file:{folder}/store/mine--scale_aware.sqlite?mode=ro", uri=True) as connection:
        return dict(connection.execute("SELECT text_hash, raw FROM answers"))


def test_a_killed_job_goes_on_where_it_was_and_every_answer_fits_the_schema(tmp_path, settings, capfd):
    texts = write_set(tmp_path / "set.parquet", numbered(TEXTS))
    # The first run is a process of its own, which kills itself once some answers are there.
    code = (
        "import os, sys; sys.path[:0] = sys.argv[1:3]\n"
        "from empathy_transfer.labelling.store import AnswerStore\nfrom label_studies import ask\n"
        "plain, added = AnswerStore.add, []\n"
        "def add(*given):\n"
        "    plain(*given)\n"
        "    added.append(given)\n"
        f"    if len(added) == {KILLED_AFTER}: os.kill(os.getpid(), 9)\n"
        "AnswerStore.add = add\n"
        "ask(sys.argv[3], eval(sys.argv[5]), sys.argv[4])\n"
    )
    folders = [str(ROOT / "workflow/scripts"), str(ROOT / "tests"), str(tmp_path), str(texts)]
    command = [sys.executable, "-c", code, *folders, repr(settings)]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, timeout=600)
    assert done.returncode == -signal.SIGKILL, done.stderr
    before = kept(tmp_path)
    assert len(before) == KILLED_AFTER
    capfd.readouterr()

    answers = read_table(ask(tmp_path, settings, texts, threads=1), verify=False)
    said = capfd.readouterr()
    assert f"{TEXTS} questions, {len(before)} answered before" in said.out
    assert f"{TEXTS - len(before)}/{TEXTS - len(before)}: 0 invalid, 0 failed" in said.out
    after = kept(tmp_path)
    assert len(after) == TEXTS
    assert before.items() <= after.items()
    scale = read_scale(ROOT / "config/scales/batson_empathy.yaml")
    assert all(parse_answer(raw, scale, "items").valid for raw in answers["raw"])
    assert set(answers["model_version"]) == {gguf_version(settings["gguf"])}
    assert (answers["tokens_out"] > 10).all()
    # The server writes no text of a set into the log.
    assert "lamp" not in said.out + said.err


def test_one_overall_score_and_another_scale_work_too(tmp_path, settings):
    texts = write_set(tmp_path / "set.parquet", numbered(1))
    answers = read_table(ask(tmp_path, settings, texts, prompt="plain", scale="anxiety_short"), verify=False)
    parsed = parse_answer(answers["raw"][0], read_scale(ROOT / "config/scales/anxiety_short.yaml"), "overall")
    assert parsed.valid
    assert 0 <= parsed.label <= 21


def test_a_file_that_is_no_model_is_refused(tmp_path, settings):
    texts = write_set(tmp_path / "set.parquet", numbered(1))
    with pytest.raises(SettingsError, match="no such GGUF file"):
        ask(tmp_path, settings | {"gguf": str(tmp_path / "none.gguf")}, texts)
    (tmp_path / "text.gguf").write_text("no model")
    with pytest.raises(SettingsError, match=r"text\.gguf: llama.cpp can't serve this file"):
        ask(tmp_path, settings | {"gguf": str(tmp_path / "text.gguf")}, texts)
