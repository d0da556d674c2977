"""The store of answers: only ever added to, whole after a kill, one question once."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from empathy_transfer.labelling.parsing import Parsed
from empathy_transfer.labelling.questions import Answer, Question
from empathy_transfer.labelling.store import COLUMNS, KEY, Asked, StoreError, decoding_text, open_store, store_path
from study_copy import ROOT

ASKED = Asked("openai", "m", "1", "prompt", "scale", decoding_text({"temperature": 0, "seed": 1}))


def add(store, text="t0", repeat=0, attempt=0, asked=ASKED, reason=None, cost=0.5):
    question = Question("id", text, repeat, attempt)
    parsed = Parsed(reason=reason) if reason else Parsed(4.0, {"warm": 4.0})
    store.add(asked, question, "plain", "batson", Answer(question, '{"warm": 4}', cost=cost), parsed)


def test_answers_are_found_by_what_was_asked_with_all_attempts_in_order(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        add(store, attempt=1)
        add(store, attempt=0, reason="not_json")
        add(store, repeat=1)
        add(store, asked=Asked(*["other"] * 6))
    with open_store(tmp_path / "a.sqlite") as store:
        found = store.answers(ASKED)
        assert store.cost() == 2.0
    assert {key: [row["attempt"] for row in rows] for key, rows in found.items()} == {("t0", 0): [0, 1], ("t0", 1): [0]}
    assert [row["reason"] for row in found["t0", 0]] == ["not_json", None]
    assert found["t0", 0][1]["raw"] == '{"warm": 4}'
    assert found["t0", 0][1]["items"] == '{"warm": 4.0}'


@pytest.mark.parametrize("field", range(6))
def test_each_part_of_the_key_makes_it_another_question(tmp_path, field):
    values = list(vars(ASKED).values())
    values[field] += "x"
    with open_store(tmp_path / "a.sqlite") as store:
        add(store)
        assert store.answers(Asked(*values)) == {}
        add(store, asked=Asked(*values))


def test_the_same_question_is_not_stored_twice(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        add(store)
        with pytest.raises(StoreError, match="has an answer already"):
            add(store)
        assert len(store.answers(ASKED)["t0", 0]) == 1


@pytest.mark.parametrize("statement", ["UPDATE answers SET label = 7", "DELETE FROM answers"])
def test_nobody_changes_or_deletes_an_answer(tmp_path, statement):
    with open_store(tmp_path / "a.sqlite") as store:
        add(store)
        with pytest.raises(sqlite3.DatabaseError, match="only ever added"):
            store.connection.execute(statement)


def test_a_killed_process_loses_nothing_that_was_added(tmp_path):
    code = (
        "import sys, os; sys.path[:0] = [{scripts!r}, {tests!r}, {unit!r}]\n"
        "from test_answer_store import add\nfrom empathy_transfer.labelling.store import open_store\n"
        "with open_store({path!r}) as store:\n"
        "    for number in range(7): add(store, f't{{number}}')\n"
        "    os.kill(os.getpid(), 9)\n"
    ).format(
        scripts=str(ROOT / "workflow/scripts"),
        tests=str(ROOT / "tests"),
        unit=os.path.dirname(__file__),
        path=str(tmp_path / "a.sqlite"),
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=600)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with open_store(tmp_path / "a.sqlite") as store:
        assert len(store.answers(ASKED)) == 7


def test_a_file_that_is_no_store_or_is_damaged_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE mine (x)")
    with pytest.raises(StoreError, match="no store of answers"), open_store(tmp_path / "other.sqlite"):
        pass
    (tmp_path / "text.sqlite").write_text("not a database, but long enough to be read as one " * 100)
    with pytest.raises(StoreError, match="damaged"), open_store(tmp_path / "text.sqlite"):
        pass


def test_a_row_that_the_disk_has_changed_is_seen_wherever_it_was_hit(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        add(store)
        names = [name for name in COLUMNS if name not in KEY]
    whole = (tmp_path / "a.sqlite").read_bytes()
    for name in names:
        (tmp_path / "a.sqlite").write_bytes(whole)
        with sqlite3.connect(tmp_path / "a.sqlite") as connection:
            connection.execute("DROP TRIGGER no_update")
            connection.execute(f"UPDATE answers SET {name} = COALESCE({name}, 1) || '1'")
        connection.close()
        with (
            open_store(tmp_path / "a.sqlite") as store,
            pytest.raises(StoreError, match=r"a\.sqlite is damaged: row 1"),
        ):
            store.answers(ASKED)


def test_a_store_of_the_first_format_keeps_its_answers_and_takes_more(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        add(store)
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("ALTER TABLE answers DROP COLUMN digest")
        connection.execute("DROP TABLE losses")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    for _ in range(2):
        with open_store(tmp_path / "a.sqlite") as store:
            assert store.answers(ASKED)["t0", 0][0]["raw"] == '{"warm": 4}'
    with open_store(tmp_path / "a.sqlite") as store:
        add(store, "t1")
        assert len(store.answers(ASKED)) == 2
        store.add_loss(0.25)
        assert store.cost() == 1.25


def test_a_store_that_can_not_be_written_is_named(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        store.connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match=r"a\.sqlite: an answer can't be written"):
            add(store)


def test_a_file_is_named_after_model_and_prompt_and_decoding_ignores_order():
    assert store_path("store", "gpt", "plain").as_posix() == "store/gpt--plain.sqlite"
    assert decoding_text({"b": 1, "a": 2}) == decoding_text({"a": 2, "b": 1})
