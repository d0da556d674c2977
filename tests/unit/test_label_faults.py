"""Servers whose errors are no answers, whose bills are longer than they say, and whose answers nobody can read."""

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from bad_server import GOOD, BadServer, completion
from empathy_transfer.labelling.labels import parse_labels
from empathy_transfer.labelling.questions import CostLimitError, SettingsError, Unanswered
from empathy_transfer.records.artefacts import read_table
from label_studies import DECODING, SERVER, ask, write_set
from study_copy import ROOT

ANSWERED = 10
WELL = completion(json.dumps(GOOD))
REFUSED = {"error": {"message": "This request is not possible.", "type": "invalid_request_error"}}
FILTERED = {"error": {"code": "content_filter", "message": "The prompt was filtered."}}


def error(message=None, **fields):
    return {"error": fields | ({"message": message} if message else {})}


def texts_of(folder, count):
    """A set of texts that the server answers well if nothing else is said."""
    return write_set(folder / "set.parquet", [f"This is text number {20 * n + 15} about a lamp." for n in range(count)])


def kept(folder, what="reason, COUNT(*)", rest="GROUP BY reason ORDER BY reason"):
    with sqlite3.connect(folder / "store/mine--scale_aware.sqlite") as connection:
        return connection.execute(f"SELECT {what} FROM answers {rest}").fetchall()


def refuse(limit, *reply):
    """A script that answers so many requests well, and all others by a reply."""
    return lambda order, number: reply if order >= limit else None


def ask_server(server, folder, texts, **settings):
    return ask(folder, SERVER | {"base_url": server.base_url, "retries": 0} | settings, texts)


@pytest.mark.parametrize(
    ("limit", "status", "body", "words"),
    [
        (ANSWERED, 400, error("Hard limit reached", code="billing_hard_limit_reached"), "billing_hard_limit_reached"),
        (ANSWERED, 400, {"error": "No models loaded. Please load a model."}, "No models loaded"),
        (ANSWERED, 402, error("Insufficient Balance"), "status 402: Insufficient Balance"),
        (0, 200, error("Buy more", code=402), "status 402: Buy more"),
    ],
)
def test_errors_of_account_model_and_server_end_the_job_and_are_no_answers(tmp_path, limit, status, body, words):
    texts = texts_of(tmp_path, 30)
    with BadServer(script=refuse(limit, status, body)) as server:
        with pytest.raises(SettingsError, match=words):
            ask_server(server, tmp_path, texts)
        assert len(server.bodies) <= limit + SERVER["concurrency"]
    assert kept(tmp_path) == ([(None, limit)] if limit else [])
    # The server is mended: only what has no answer is asked.
    with BadServer() as server:
        answers = read_table(ask_server(server, tmp_path, texts), verify=False)
        assert len(server.bodies) == 30 - limit
    assert set(answers["status"]) == {"answered"}


@pytest.mark.parametrize(("status", "count"), [(400, 15), (422, 60)])
def test_refusals_that_no_answer_follows_are_no_answers_whatever_they_say(tmp_path, status, count):
    texts = texts_of(tmp_path, count)
    with BadServer(script=refuse(ANSWERED, status, REFUSED)) as server:
        with pytest.raises(
            Unanswered, match=rf"refus.*: status {status} \(invalid_request_error\): This request is not"
        ):
            ask_server(server, tmp_path, texts)
        # After more than 20 in a row, and what was in flight, nothing more is sent.
        most = ANSWERED + 20 + 2 * SERVER["concurrency"] - 1
        assert min(count, ANSWERED + 21) <= len(server.bodies) <= min(count, most)
    assert kept(tmp_path) == [(None, ANSWERED)]
    with BadServer() as server:
        ask_server(server, tmp_path, texts)
        assert len(server.bodies) == count - ANSWERED


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, REFUSED, "refused"),
        (403, FILTERED, "refused"),
        (413, b"", "too_long"),
    ],
)
def test_a_refusal_among_answers_is_about_its_text_and_can_be_asked_again(tmp_path, status, body, reason):
    texts = texts_of(tmp_path, 12)
    refused = {15, 55, 95, 235}
    with BadServer(script=lambda order, number: (status, body) if number in refused else None) as server:
        answers = read_table(ask_server(server, tmp_path, texts), verify=False)
        assert len(server.bodies) == 12 + len(refused)  # two attempts each
    told = dict(zip(answers["id"], answers["status"], strict=True))
    assert {name for name, status in told.items() if status == reason} == {"t0", "t2", "t4", "t11"}
    assert set(told.values()) == {reason, "answered"}
    with BadServer() as server:
        ask_server(server, tmp_path, texts)
        assert not server.bodies
        answers = read_table(ask_server(server, tmp_path, texts, refused_again=True), verify=False)
        assert set(answers["status"]) == {"answered"}
        assert set(server.requests) == refused
        # What has a label now is asked about no more.
        ask_server(server, tmp_path, texts, refused_again=True)
        assert len(server.bodies) == len(refused)


def test_refusals_of_the_model_itself_are_answers_that_were_paid_for_until_there_are_too_many(tmp_path):
    texts = texts_of(tmp_path, 80)
    refusal = completion(None, refusal="I would rather not.")
    with BadServer(script=refuse(ANSWERED, 200, refusal)) as server:
        with pytest.raises(Unanswered, match=r"24 refusals in a row"):
            ask_server(server, tmp_path, texts)
        asked = len(server.bodies)
    assert asked <= ANSWERED + 24 + SERVER["concurrency"]
    assert kept(tmp_path) == [(None, ANSWERED), ("refused", asked - ANSWERED)]
    ((cost,),) = kept(tmp_path, "SUM(cost)", "")
    assert cost == pytest.approx(asked * 200 / 1e6)


UNREADABLE = {
    "cut off": (
        completion('{"sympathetic": 4', finish="length"),
        "10 x cut_off.*limit of 200 tokens.*raise max_tokens",
    ),
    "thoughts only": (completion(None, "length", reasoning_content="They feel"), "10 x cut_off.*raise max_tokens"),
    "empty": (completion(""), "10 x no_answer"),
    "prose": (completion("I feel with them, so I would say 4."), "10 x not_json"),
    "refused": (completion(None, refusal="No."), "10 x refused"),
    "filtered": (completion(None, "content_filter"), "10 x refused"),
}


@pytest.mark.parametrize(("kind", "count"), [*((kind, 60) for kind in UNREADABLE), ("cut off", 4)])
def test_a_job_ends_early_where_none_of_the_first_answers_can_be_read(tmp_path, kind, count):
    body, words = UNREADABLE[kind]
    texts = texts_of(tmp_path, count)
    few = count < 10
    with BadServer(script=refuse(0, 200, body)) as server:
        words = words.replace("10 x", "4 x") if few else words
        with pytest.raises(Unanswered, match=f"none of the {'4' if few else 'first 10'} answers can be read .{words}"):
            ask_server(server, tmp_path, texts)
        assert len(server.bodies) == (8 if few else 10)
    # All were paid for, so all are kept.
    ((number,),) = kept(tmp_path, "COUNT(*)", "")
    assert number == (8 if few else 10)


def test_answers_of_which_some_can_be_read_are_asked_for_to_the_end(tmp_path):
    texts = texts_of(tmp_path, 40)
    bad = completion("4 of 7")
    with BadServer(script=lambda order, number: (200, bad) if number % 200 != 15 else None) as server:
        path = ask_server(server, tmp_path, texts, attempts=1)
    assert kept(tmp_path) == [(None, 4), ("not_json", 36)]
    assert len(read_table(path, verify=False)) == 40


def test_fenced_answers_are_read_and_paid_for_once(tmp_path):
    texts = texts_of(tmp_path, 12)
    fenced = completion(f"```json\n{json.dumps(GOOD, indent=2)}\n```")
    with BadServer(script=refuse(0, 200, fenced)) as server:
        ask_server(server, tmp_path, texts)
        assert len(server.bodies) == 12
    assert kept(tmp_path) == [(None, 12)]


def test_answers_that_an_earlier_reader_could_not_read_are_read_and_not_asked_for_again(tmp_path):
    texts = texts_of(tmp_path, 3)
    with BadServer() as server:
        ask_server(server, tmp_path, texts)
        with sqlite3.connect(tmp_path / "store/mine--scale_aware.sqlite") as connection:
            connection.execute("DROP TRIGGER no_update")
            fenced = f"```\n{json.dumps(GOOD)}\n```"
            connection.execute(
                "UPDATE answers SET raw = ?, reason = 'not_json', label = NULL, digest = NULL", (fenced,)
            )
        path = ask_server(server, tmp_path, texts)
        assert len(server.bodies) == 3
    answers = read_table(path, verify=False)
    assert set(answers["raw"]) == {fenced}
    note = parse_labels_of(tmp_path, path)
    assert note == "3 answers, 0 invalid (0.0 %)"


def parse_labels_of(folder, answers):
    """The closing line of the reading of some answers."""
    frame = read_table(answers, verify=False)
    copied = write_set(folder / "answers_of.parquet", ["x"] * len(frame), **{c: frame[c] for c in frame if c != "id"})
    scale, prompt = ROOT / "config/scales/batson_empathy.yaml", ROOT / "config/prompts/scale_aware.j2"
    return parse_labels(copied, scale, prompt, folder / "labels.parquet")


PRICES = {"input": 1000.0, "output": 1000.0}  # a tenth of a cent for each token


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        # 50 tokens of an answer and 4,000 of thoughts, which only the total shows.
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 4150}, (100, 4050)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, (None, None)),
    ],
)
def test_thoughts_and_what_is_not_counted_are_paid_for(tmp_path, usage, tokens):
    texts = texts_of(tmp_path, 1)
    with BadServer(script=refuse(0, 200, completion(json.dumps(GOOD), usage=usage))) as server:
        ask_server(server, tmp_path, texts, price=PRICES, max_cost=1000)
        (body,) = server.bodies
    # Of what is unknown, all that it may have cost: a token for each byte sent, and the limit of the answer.
    sent = sum(len(message["content"].encode()) for message in body["messages"])
    ((*found, cost),) = kept(tmp_path, "tokens_in, tokens_out, cost", "")
    assert tuple(found) == tokens
    assert cost == pytest.approx(4.15) if tokens[0] else cost > (sent + DECODING["max_tokens"]) / 1000


def test_the_limit_holds_for_thoughts_that_max_tokens_does_not(tmp_path):
    texts = texts_of(tmp_path, 60)
    # Each answer costs 5.1 dollars, of which 4.85 are for thoughts; 200 tokens are the most that was asked for.
    usage = {"prompt_tokens": 100, "completion_tokens": 150, "total_tokens": 5100}
    thinking = completion(json.dumps(GOOD), usage=usage)
    with BadServer(script=refuse(0, 200, thinking)) as server:
        for limit in (40, 60):
            with pytest.raises(CostLimitError, match="raise max_cost"):
                ask_server(server, tmp_path, texts, price=PRICES, max_cost=limit)
            ((spent, number),) = kept(tmp_path, "SUM(cost), COUNT(*)", "")
            assert number == len(server.bodies)
            assert spent == pytest.approx(5.1 * number)
            assert limit - 12 < spent <= limit


def test_requests_without_an_answer_that_may_have_been_charged_for_count_with_the_most_that_they_may_cost(tmp_path):
    texts = texts_of(tmp_path, 40)
    # 1.3 to 2 dollars each: 200 tokens of an answer, and a token for each byte that is sent.
    with BadServer(script=lambda order, number: (200, b"{") if order % 2 else None) as server:
        settings = {"price": PRICES, "max_cost": 20.0, "retries": 2}
        with pytest.raises(CostLimitError, match="raise max_cost"):
            ask_server(server, tmp_path, texts, **settings)
        asked = len(server.bodies)
        assert 4 < asked < 40
        # The next run knows of them.
        with pytest.raises(CostLimitError, match="raise max_cost"):
            ask_server(server, tmp_path, texts, **settings)
        assert len(server.bodies) <= asked + 1
    ((spent,),) = kept(tmp_path, "SUM(cost)", "")
    with sqlite3.connect(tmp_path / "store/mine--scale_aware.sqlite") as connection:
        ((lost,),) = connection.execute("SELECT SUM(cost) FROM losses").fetchall()
    assert 1.3 * (asked // 2) < lost < 20 - spent


def test_an_answer_that_drips_is_lost_when_its_time_is_over(tmp_path):
    texts = texts_of(tmp_path, 1)
    begun = time.monotonic()
    with BadServer(always="drip") as server, pytest.raises(Unanswered, match="1 x timeout"):
        ask_server(server, tmp_path, texts, timeout=0.5)
    assert time.monotonic() - begun < 20  # the whole would take 30 s


def test_two_jobs_of_one_store_ask_each_question_once(tmp_path):
    sets = [texts_of(tmp_path, 30)] * 2
    with BadServer() as server, ThreadPoolExecutor(2) as pool:
        paths = [tmp_path / f"answers{number}.parquet" for number in range(2)]
        settings = SERVER | {"base_url": server.base_url}
        jobs = [
            pool.submit(ask, tmp_path, settings, texts, answers_path=path)
            for texts, path in zip(sets, paths, strict=True)
        ]
        wait(jobs)
        assert [job.exception() for job in jobs] == [None, None]
        assert len(server.bodies) == 30
    one, other = (read_table(path, verify=False) for path in paths)
    assert one.equals(other)


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {"Content-Type": "x"}])
def test_the_type_that_a_server_gives_its_answer_does_not_matter(tmp_path, headers):
    texts = texts_of(tmp_path, 1)
    with BadServer(script=refuse(0, 200, WELL, headers)) as server:
        ask_server(server, tmp_path, texts)
    assert kept(tmp_path) == [(None, 1)]


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (b"[" + b" " * 5_000_000 + b"]", {}, "longer than 4,194,304 bytes"),
        (b"\x1f\x8b", {"Content-Encoding": "gzip"}, "compressed"),
        (b'{"choices": [], "choices": []}', {}, "no completion"),
        (json.dumps(completion(4)).encode(), {}, "content is no text"),
    ],
)
def test_answers_of_any_size_and_form_are_read_within_bounds(tmp_path, body, headers, words):
    texts = texts_of(tmp_path, 1)
    with BadServer(script=refuse(0, 200, body, headers)) as server, pytest.raises(Unanswered, match=words):
        ask_server(server, tmp_path, texts)


def test_what_a_server_says_is_shown_without_the_text_and_without_control_characters(tmp_path, capfd):
    text = "My neighbour Ada has lost her lamp in text number 15 and weeps."
    texts = write_set(tmp_path / "set.parquet", [text])
    with BadServer(script=refuse(0, 503, error(f"bad input: {text}"))) as server:
        quoted = "status 503; its message quotes the request"
        with pytest.raises(Unanswered, match=quoted):
            ask_server(server, tmp_path, texts)
        server.script = refuse(0, 503, error("over\x1b[31mloaded\r\n\u202enow " + "x" * 5000))
        with pytest.raises(Unanswered) as raised:
            ask_server(server, tmp_path, texts)
    message = str(raised.value)
    assert "status 503: over [31mloaded now xxx" in message
    assert len(message) < 700
    assert "Ada" not in message + "".join(capfd.readouterr())
