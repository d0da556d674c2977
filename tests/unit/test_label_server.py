"""Asking a server: one that misbehaves, limits on money and number, keys that stay hidden, texts that stay here."""

import sqlite3
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_server import FAULTS, INVALID, BadServer
from empathy_transfer.labelling.budget import Budget, Pace, told_wait
from empathy_transfer.labelling.questions import CostLimitError, Question, SettingsError
from empathy_transfer.labelling.server import check_address, is_local, refuse_remote
from empathy_transfer.records.artefacts import read_table
from label_studies import SERVER, ask, numbered, write_set
from study_copy import ROOT

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("TEST_LABEL_KEY", KEY)
    monkeypatch.setenv("OPENAI_LOG", "debug")


def rows(folder, query):
    with sqlite3.connect(folder / "store/mine--scale_aware.sqlite") as connection:
        return connection.execute(query).fetchall()


def test_hundreds_of_requests_to_a_bad_server_are_all_accounted_for(tmp_path, capfd):
    count = 300
    texts = write_set(tmp_path / "set.parquet", numbered(count))
    # A request that hangs ends the patience of the client; one that only a busy machine holds up does not.
    with BadServer(hang=20.0) as server:
        settings = SERVER | {"base_url": server.base_url, "concurrency": 24, "timeout": 5.0}
        answers = read_table(ask(tmp_path, settings, texts), verify=False)
        first = dict(server.requests)
        # Nothing is left to ask.
        ask(tmp_path, settings, texts)
        assert dict(server.requests) == first
    faults = {number: FAULTS.get(number % 20) for number in range(count)}
    twice = {number for number, fault in faults.items() if fault not in (None, "no usage")}
    assert first == {number: 2 if number in twice else 1 for number in range(count)}
    assert server.most_flying <= 24 + count // 20  # requests that timed out still hang on the server
    assert list(answers["id"]) == [f"t{number}" for number in range(count)]
    assert set(answers["status"]) == {"answered"}
    # In the store: one valid answer for each text, and the invalid ones that came before it.
    kept = rows(tmp_path, "SELECT text_hash, attempt, reason FROM answers")
    assert len(set(kept)) == len(kept)
    assert sum(reason is None for _, _, reason in kept) == count
    invalid = sum(fault in (*INVALID, "refusal") for fault in faults.values())
    assert sorted({reason for _, _, reason in kept if reason}) == [
        "missing: soft_hearted",
        "not_json",
        "out_of_range: warm",
        "refused",
    ]
    assert len(kept) == count + invalid
    # What was said and written holds no key.
    assert server.keys == {f"Bearer {KEY}"}
    said = capfd.readouterr()
    assert f"{count} questions, 0 answered before" in said.out
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in said.out + said.err
    assert not any(KEY.encode() in content for content in written)


def test_costs_are_those_of_the_tokens_or_the_upper_bound(tmp_path):
    texts = write_set(tmp_path / "set.parquet", [*numbered(1), "This is text number 7 about a lamp."])
    with BadServer() as server:
        ask(tmp_path, SERVER | {"base_url": server.base_url}, texts)
    (known,), (unknown,) = rows(tmp_path, "SELECT cost FROM answers ORDER BY tokens_in IS NULL")
    assert known == pytest.approx((100 * 1.0 + 50 * 2.0) / 1e6)
    assert unknown > (200 * 2.0) / 1e6  # all tokens that the answer may have had, and more for what was sent


def test_an_answer_that_was_asked_for_twice_takes_what_both_attempts_took(tmp_path):
    # The first answer about text 4 is cut off, that about text 15 is good; both have 100 tokens in and 50 out.
    texts = write_set(tmp_path / "set.parquet", [f"This is text number {number} about a lamp." for number in (4, 15)])
    with BadServer() as server:
        answers = read_table(ask(tmp_path, SERVER | {"base_url": server.base_url}, texts), verify=False)
    assert answers["tokens_in"].tolist() == [200, 100]
    assert answers["tokens_out"].tolist() == [100, 50]
    assert answers["cost"].tolist() == pytest.approx([2 * 200 / 1e6, 200 / 1e6])
    ((spent, seconds),) = rows(tmp_path, "SELECT SUM(cost), SUM(latency) FROM answers")
    assert answers["cost"].sum() == pytest.approx(spent)
    assert answers["latency"].sum() == pytest.approx(seconds)


def test_no_request_starts_that_could_cost_more_than_the_limit_and_a_raised_one_goes_on(tmp_path):
    texts = write_set(tmp_path / "set.parquet", [text for text in numbered(60) if int(text.split()[4]) % 20 > 12])
    with BadServer() as server:
        settings = SERVER | {"base_url": server.base_url, "price": {"input": 1000.0, "output": 1000.0}}
        with pytest.raises(CostLimitError, match="raise max_cost to go on"):
            ask(tmp_path, settings | {"max_cost": 3.0}, texts)
        ((spent, kept),) = rows(tmp_path, "SELECT SUM(cost), COUNT(*) FROM answers")
        assert 0 < spent <= 3.0
        assert kept == sum(server.requests.values())
        # What was spent counts in the next run too.
        with pytest.raises(CostLimitError):
            ask(tmp_path, settings | {"max_cost": spent}, texts)
        assert kept == sum(server.requests.values())
        ask(tmp_path, settings | {"max_cost": 100.0}, texts)
        assert set(server.requests.values()) == {1}
        assert len(server.requests) == 21


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 200)), min_size=1, max_size=40),
    st.floats(0, 0.01),
    st.integers(1, 8),
)
def test_a_budget_is_never_exceeded_however_requests_overlap(requests, limit, flying):
    budget = Budget({"input": 1.0, "output": 2.0}, limit, max_tokens=200)
    open_questions, total = [], 0.0
    for size, tokens_out in requests:
        question = Question("t", "h", messages=[{"content": "x" * size}])
        try:
            reserved = budget.reserve(question)
        except CostLimitError:
            continue
        open_questions.append((reserved, budget.cost(question, question.size, tokens_out)))
        if len(open_questions) == flying:
            reserved, cost = open_questions.pop(0)
            budget.settle(reserved, cost)
            total += cost
    for reserved, cost in open_questions:
        budget.settle(reserved, cost)
        total += cost
    assert budget.spent == pytest.approx(total)
    assert total <= limit


def test_requests_keep_to_their_rate(monkeypatch):
    now, slept = [100.0], []
    monkeypatch.setattr("empathy_transfer.labelling.budget.time.monotonic", lambda: now[0])
    monkeypatch.setattr("empathy_transfer.labelling.budget.time.sleep", slept.append)
    pace = Pace(per_minute=120)
    for _ in range(3):
        pace.wait()
    now[0] += 10
    pace.wait()
    assert slept == [0.0, 0.5, 1.0, 0.0]


def test_each_try_of_a_request_keeps_to_the_rate(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(Pace, "wait", lambda pace: started.append(pace))
    # The first try fails with status 500 at 1 and with no completion at 9, and none at 15.
    texts = write_set(
        tmp_path / "set.parquet", [f"This is text number {number} about a lamp." for number in (1, 9, 15)]
    )
    with BadServer() as server:
        ask(tmp_path, SERVER | {"base_url": server.base_url}, texts)
        assert server.requests == {1: 2, 9: 2, 15: 1}
    assert len(started) == 5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "300"}, 300),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:21:40 GMT"}, 300),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-1"}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers, seconds, monkeypatch):
    monkeypatch.setattr("empathy_transfer.labelling.budget.time.time", lambda: 1000.0)
    assert told_wait(headers) == seconds


class Waits:
    """An event that notes how long it is waited for, and never waits."""

    seconds: ClassVar[list] = []

    def wait(self, seconds):
        self.seconds.append(seconds)
        return False

    def set(self):
        """Nobody waits."""


def test_a_server_is_waited_for_as_long_as_it_says_up_to_an_hour(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("empathy_transfer.labelling.server.Event", Waits)
    monkeypatch.setattr(Waits, "seconds", [])
    texts = write_set(tmp_path / "set.parquet", ["This is text number 20 about a lamp."])
    with BadServer(retry_after="7200") as server:
        with pytest.raises(RuntimeError, match=r"1 of 1 questions have no answer \(1 x status 429 \(busy\): not now\)"):
            ask(tmp_path, SERVER | {"base_url": server.base_url}, texts)
        assert (server.requests, Waits.seconds) == ({20: 1}, [])
    with BadServer(retry_after="300") as server:
        ask(tmp_path, SERVER | {"base_url": server.base_url}, texts)
        assert (server.requests, Waits.seconds) == ({20: 2}, [300.0])
    assert "the server asks to wait 300 s (status 429 (busy))" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("fault", "words", "requests"),
    [("401", "not now", 1), ("404", "not now", 1), ("400", "refuses all questions", 3)],
)
def test_a_server_that_refuses_key_model_or_settings_ends_the_job_at_once_and_its_words_hide_the_key(
    tmp_path, capfd, fault, words, requests
):
    texts = write_set(tmp_path / "set.parquet", numbered(40))
    with BadServer(always=fault, secret_in_errors=True) as server:
        with pytest.raises(SettingsError, match=words) as raised:
            ask(tmp_path, SERVER | {"base_url": server.base_url}, texts)
        assert sum(server.requests.values()) == requests
    assert KEY not in str(raised.value)
    assert "[key]" in str(raised.value)
    assert KEY not in "".join(capfd.readouterr())


def test_questions_without_an_answer_fail_the_job_and_are_asked_again_by_the_next(tmp_path):
    texts = write_set(tmp_path / "set.parquet", numbered(2))
    with BadServer(always="503") as server:
        settings = SERVER | {"base_url": server.base_url, "retries": 0}
        with pytest.raises(RuntimeError, match=r"2 of 2 questions have no answer \(2 x status 503 \(busy\): not now\)"):
            ask(tmp_path, settings, texts)
    with BadServer() as server:
        ask(tmp_path, SERVER | {"base_url": server.base_url}, texts)
        assert set(server.requests) == {0, 1}


def test_what_a_server_says_of_its_fault_is_told_without_the_key(tmp_path):
    texts = write_set(tmp_path / "set.parquet", numbered(40))
    with BadServer(always="500", secret_in_errors=True) as server:
        settings = SERVER | {"base_url": server.base_url, "retries": 0}
        with pytest.raises(
            SettingsError, match=r"3 questions .* the last one: status 500 \(busy\): not now Bearer \[key\]"
        ):
            ask(tmp_path, settings, texts)


def test_a_prompt_that_fails_is_reported_and_leaves_the_others_alone(tmp_path, capfd):
    texts = write_set(tmp_path / "set.parquet", numbered(40))
    sample = {"texts": 5, "seed": 0}
    with BadServer(always="500") as server:
        settings = SERVER | {"base_url": server.base_url, "retries": 0}
        table = read_table(ask(tmp_path, settings, texts, sample=sample), verify=False)
        # All texts of a set are another matter: half a set has no use.
        with pytest.raises(SettingsError, match=r"mine--scale_aware\.sqlite: the next run asks for the rest"):
            ask(tmp_path, settings, texts)
    reason = "3 questions in a row failed, the last one: status 500 (busy): not now"
    assert set(table["failure"]) == {reason}
    assert (len(table), set(table["status"]), set(table["cost"])) == (5, {"no_answer"}, {0.0})
    assert set(table["provider"] + " " + table["model"] + " " + table["prompt"]) == {"openai m-1 scale_aware"}
    assert f"failed: {reason}" in capfd.readouterr().out
    # The next run asks for what is missing, and the failure is gone.
    with BadServer() as server:
        table = read_table(ask(tmp_path, SERVER | {"base_url": server.base_url}, texts, sample=sample), verify=False)
    assert "failure" not in table
    assert set(table["status"]) == {"answered"}


def test_a_server_that_is_gone_ends_the_job(tmp_path):
    texts = write_set(tmp_path / "set.parquet", numbered(100))
    with BadServer() as server:
        address = server.base_url
    with pytest.raises(SettingsError, match="3 questions in a row failed, the last one: no connection"):
        ask(tmp_path, SERVER | {"base_url": address, "retries": 0}, texts)


def test_a_redirect_is_not_followed(tmp_path):
    texts = write_set(tmp_path / "set.parquet", numbered(1))
    with BadServer() as elsewhere, BadServer(always="redirect") as server:
        server.elsewhere = f"{elsewhere.base_url}/chat/completions"
        with pytest.raises(RuntimeError, match="no answer"):
            ask(tmp_path, SERVER | {"base_url": server.base_url, "retries": 0}, texts)
        assert not elsewhere.requests


def test_equal_texts_are_asked_about_once_and_repeats_each_time(tmp_path):
    text = "This is text number 15 about a lamp."
    texts = write_set(tmp_path / "set.parquet", [text, text])
    with BadServer() as server:
        settings = SERVER | {"base_url": server.base_url}
        answers = read_table(ask(tmp_path, settings, texts, repeats=2), verify=False)
        assert server.requests[15] == 2
    assert list(zip(answers["id"], answers["repeat"], strict=True)) == [("t0", 0), ("t0", 1), ("t1", 0), ("t1", 1)]
    assert [body["seed"] for body in server.bodies] == [0, 1]


def test_answers_follow_a_renamed_model_whose_file_is_renamed(tmp_path):
    texts = write_set(tmp_path / "set.parquet", ["This is text number 15 about a lamp."])
    with BadServer() as server:
        settings = SERVER | {"base_url": server.base_url}
        ask(tmp_path, settings, texts)
        assert sorted(path.suffix for path in (tmp_path / "store").iterdir()) in ([".lock", ".sqlite"], [".sqlite"])
        (tmp_path / "store/mine--scale_aware.sqlite").rename(tmp_path / "store/theirs--scale_aware.sqlite")
        ask(tmp_path, settings, texts, model_name="theirs")
        assert server.requests == {15: 1}


def test_a_change_of_how_items_combine_asks_nobody_again(tmp_path, capfd):
    texts = write_set(tmp_path / "set.parquet", ["This is text number 15 about a lamp."])
    summed = tmp_path / "batson_empathy.yaml"
    mean = (ROOT / "config/scales/batson_empathy.yaml").read_text(encoding="utf-8")
    summed.write_text(mean.replace("combine: mean", "combine: sum"), encoding="utf-8")
    with BadServer() as server:
        settings = SERVER | {"base_url": server.base_url}
        ask(tmp_path, settings, texts)
        ask(tmp_path, settings, texts, scale_path=summed)
        assert server.requests == {15: 1}
    assert "1 questions, 1 answered before" in capfd.readouterr().out


def test_a_request_holds_the_schema_and_the_decoding_settings(tmp_path):
    texts = write_set(tmp_path / "set.parquet", ["This is text number 15 about a lamp."])
    with BadServer() as server:
        ask(tmp_path, SERVER | {"base_url": server.base_url}, texts)
    (body,) = server.bodies
    assert {name: body[name] for name in ("model", "temperature", "top_p", "max_tokens", "seed")} == {
        "model": "m-1",
        "temperature": 0,
        "top_p": 0.01,
        "max_tokens": 200,
        "seed": 0,
    }
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == list(schema["properties"])
    assert schema["properties"]["warm"]["enum"] == [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("limit", "sent"), [(200, 600), (800, 800)])
def test_a_prompt_that_asks_for_reasoning_leaves_room_for_it(tmp_path, limit, sent):
    texts = write_set(tmp_path / "set.parquet", ["This is text number 15 about a lamp."])
    settings = SERVER | {"attempts": 1, "decoding": SERVER["decoding"] | {"max_tokens": limit}}
    with BadServer() as server:
        path = ask(tmp_path, settings | {"base_url": server.base_url}, texts, prompt="chain_of_thought")
    assert [body["max_tokens"] for body in server.bodies] == [sent]
    (decoding,) = read_table(path, verify=False)["decoding"]
    assert f'"max_tokens": {sent}' in decoding


def test_a_model_that_reasons_is_sent_what_it_takes(tmp_path):
    texts = write_set(tmp_path / "set.parquet", ["This is text number 15 about a lamp."])
    taken = {"temperature": None, "top_p": None, "limit_as": "max_completion_tokens", "max_tokens": 4000}
    with BadServer() as server:
        ask(tmp_path, SERVER | {"base_url": server.base_url, "decoding": SERVER["decoding"] | taken}, texts)
    (body,) = server.bodies
    assert body["max_completion_tokens"] == 4000
    assert body.keys().isdisjoint({"temperature", "top_p", "max_tokens", "limit_as"})


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://localhost@example.org/v1", False),
        ("http://10.0.0.5/v1", False),
        ("http://0.0.0.0/v1", False),
        ("http://[::ffff:10.0.0.5]/v1", False),
    ],
)
def test_only_this_machine_is_this_machine(address, local):
    assert is_local(address) is local


def test_texts_that_must_stay_here_are_not_sent_elsewhere(tmp_path):
    texts = write_set(tmp_path / "set.parquet", numbered(1))
    settings = SERVER | {"base_url": "https://llm.example.org/v1"}
    # What it advises is what the config takes.
    with pytest.raises(SettingsError, match=r"must not leave this machine.*add lamps to the list relabel: remote_llm"):
        ask(tmp_path, settings, texts)
    refuse_remote(settings["base_url"], True, "lamps")
    refuse_remote("http://localhost/v1", False, "lamps")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://llm.example.org/v1", "use https"),
        ("https://name:word@llm.example.org/v1", "keys come from the environment only"),
        ("https://llm.example.org/v1?key=word", "keys come from the environment only"),
        ("ftp://llm.example.org", "no address of a server"),
        ("llm.example.org", "no address of a server"),
    ],
)
def test_addresses_that_would_give_away_keys_are_refused(address, words):
    with pytest.raises(SettingsError, match=words) as raised:
        check_address(address)
    assert "word" not in str(raised.value).replace("password", "")


def test_a_remote_server_without_a_key_is_refused_before_anything_is_sent(tmp_path, monkeypatch):
    monkeypatch.delenv("TEST_LABEL_KEY")
    texts = write_set(tmp_path / "set.parquet", numbered(1))
    with pytest.raises(SettingsError, match="TEST_LABEL_KEY is not set"):
        ask(tmp_path, SERVER | {"base_url": "https://llm.example.org/v1"}, texts, remote_allowed=True)
