"""What servers send, read without trust: any reply gives a valid label, a named reason, or a stop with a word."""

import itertools
import json
import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bad_server import ITEMS, BadServer, completion
from empathy_transfer.labelling.budget import Budget, told_wait
from empathy_transfer.labelling.parsing import REASONS, read_answer
from empathy_transfer.labelling.prompts import read_prompt
from empathy_transfer.labelling.questions import Answer, CostLimitError, Failure, Question, SettingsError
from empathy_transfer.labelling.replies import BrokenBody, Fault, charged_tokens, read_reply
from empathy_transfer.labelling.scales import answer_schema, read_scale
from empathy_transfer.labelling.server import ChatServer
from empathy_transfer.labelling.store import Asked, open_store
from empathy_transfer.labelling.streaks import Streaks
from empathy_transfer.labelling.wording import quotes, told_fault
from label_studies import SERVER
from study_copy import ROOT

# More of them in a run by hand: EMPATHY_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("EMPATHY_EXAMPLES", "300"))
KEY = "sk-very-secret-0123456789"
TEXT = "This is text number 15 about my aunt, whose lamp went out in the rain."
SCALE = read_scale(ROOT / "config/scales/batson_empathy.yaml")
PROMPT = read_prompt(ROOT / "config/prompts/scale_aware.j2")
SCHEMA = answer_schema(SCALE, PROMPT.answer)


def error(message=None, **fields):
    return {"error": fields | ({"message": message} if message else {})}


def meaning(status, body):
    """What a reply's fault is about, as the asking of a text sees it."""
    fault = read_reply(status, json.dumps(body).encode())
    assert isinstance(fault, Fault)
    return fault.meaning(told_fault(fault, TEXT, KEY)[1])


NOT_THE_TEXT = {
    "billing limit": (400, error("Hard limit has been reached", code="billing_hard_limit_reached")),
    "billing as type": (422, error(type="billing_error")),
    "billing as 429": (429, error("Hard limit", type="billing_hard_limit_reached")),
    "quota": (429, error("You exceeded it", code="insufficient_quota")),
    "credit": (400, error("Your credit balance is too low.", type="invalid_request_error")),
    "balance": (402, error("Insufficient Balance", type="unknown_error")),
    "account": (403, {"message": "off", "code": "account_deactivated"}),
    "key": (401, "no"),
    "key in words": (400, error("API key not valid.", status="INVALID_ARGUMENT")),
    "unloaded model": (400, {"error": "No models loaded. Please load a model in the developer page."}),
    "model gone": (400, error("Model unloaded.", type="invalid_request_error")),
    "model crashed": (400, {"error": "The model has crashed without additional information."}),
    "model off": (400, error("The model `x` has been decommissioned", code="model_decommissioned")),
    "model unknown": (422, {"detail": "The model x does not exist"}),
    "model in a list": (404, [error("models/x is not found", status="NOT_FOUND")]),
    "credit in a good status": (200, error("Buy more", code=402)),
}
OF_THE_TEXT = {
    "filter": (400, error("Filtered", code="content_filter"), "refused"),
    "filter inside": (400, error(innererror={"code": "ResponsibleAIPolicyViolation"}), "refused"),
    "policy": (400, error(code="content_policy_violation"), "refused"),
    "moderation": (403, error("flagged", code=403, metadata={"reasons": ["x"], "flagged_input": "..."}), "refused"),
    "inspection": (400, error(code="data_inspection_failed"), "refused"),
    "length": (400, error("more than this model reads", code="context_length_exceeded"), "too_long"),
    "size": (400, error("the request exceeds the context", type="exceed_context_size_error"), "too_long"),
    "length in words": (400, error("This model's maximum context length is 4096 tokens."), "too_long"),
    "length as detail": (422, {"detail": [{"msg": "inputs: the text is too long", "loc": ["body"]}]}, "too_long"),
    "size of the body": (413, None, "too_long"),
    "unclear": (400, error("This request is not possible.", type="invalid_request_error"), None),
    "unclear, no words": (422, None, None),
    "passing": (429, error("Rate limit reached for requests", code="rate_limit_exceeded"), None),
    "passing by account": (429, error(code="account_rate_limit_exceeded"), None),
    "loading": (503, error("Loading model", type="unavailable_error"), None),
}


@pytest.mark.parametrize("name", NOT_THE_TEXT)
def test_faults_of_account_and_model_are_known_as_such(name):
    assert meaning(*NOT_THE_TEXT[name]) == "stop"


@pytest.mark.parametrize("name", OF_THE_TEXT)
def test_faults_of_the_text_are_known_as_such_and_others_mean_nothing(name):
    status, body, expected = OF_THE_TEXT[name]
    assert meaning(status, body) == expected


def test_words_of_a_message_that_quotes_the_text_mean_nothing():
    text = "I could not pay the billing department, and my aunt wept."
    fault = Fault(400, (), f"rejected: {text}")
    line, message = told_fault(fault, text, KEY)
    assert (line, message) == ("status 400; its message quotes the request", "")
    assert fault.meaning(message) is None
    assert fault.meaning(fault.message) == "stop"


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}, (100, 50)),
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 4150}, (100, 4050)),
        ({"prompt_tokens": 100, "completion_tokens": 0, "total_tokens": 4150}, (100, 4050)),
        ({"prompt_tokens": 100, "total_tokens": 150}, (100, 50)),
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 100}, (100, 50)),
        # Thoughts of a count of their own, greater than the whole that they should be part of; and part of it.
        (
            {"prompt_tokens": 9, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 70}},
            (9, 120),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 30}},
            (9, 50),
        ),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, (None, None)),
        ({"prompt_tokens": -5, "completion_tokens": -5, "total_tokens": -10}, (None, None)),
        ({"prompt_tokens": "100", "completion_tokens": True}, (None, None)),
        ({"prompt_tokens": 1.5, "completion_tokens": [50]}, (None, None)),
        ({"prompt_tokens": 10**30, "completion_tokens": 10**30}, (None, None)),
        ({}, (None, None)),
        ([], (None, None)),
        ("none", (None, None)),
    ],
)
def test_tokens_that_are_charged_for(usage, tokens):
    assert charged_tokens(usage) == tokens


def test_the_text_of_an_answer_in_parts_is_that_of_its_parts_without_thoughts():
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "{}"}]
    assert read_reply(200, json.dumps(completion(parts)).encode()).content == "{}"
    with pytest.raises(BrokenBody):
        read_reply(200, json.dumps(completion([{"type": "text"}])).encode())


def test_half_characters_become_whole_ones_that_can_be_stored():
    found = read_reply(200, json.dumps(completion("a\ud83d")).encode())
    assert found.content == "a\ufffd"


@given(st.text(min_size=20), st.data(), st.text(max_size=30), st.sampled_from([str, str.upper, json.dumps, ascii]))
def test_no_piece_of_a_text_is_shown_whatever_a_server_does_to_it(text, data, around, written):
    letters = [place for place, character in enumerate(text) if character.isalnum()]
    start = data.draw(st.integers(0, max(0, len(letters) - 20)))
    piece = text[letters[start] :] if letters else text
    line, _ = told_fault(Fault(400, (), around + written(piece) + around), text, "")
    if sum(character.isalnum() for character in piece) >= 20 and piece.isascii():
        assert line == "status 400; its message quotes the request"
    assert line.isprintable()


@pytest.mark.parametrize(
    ("said", "text", "found"),
    [
        ("The prompt is too long: 5000 tokens", "I prompt you: this is far too long to bear for me.", False),
        ("bad: My Aunt,\n whose LAMP went out", TEXT, True),
        ("bad: my aunt,\\n whose lamp went", TEXT, True),
        ("bad: " + ascii("Сегодня было тяжело"), "Сегодня было тяжело и грустно", True),
        ("cannot read: I am sad.", "I am sad.", True),
        ("not now", "", False),
    ],
)
def test_what_counts_as_a_quotation(said, text, found):
    assert quotes(said, text) is found


@given(st.integers(0, len(KEY) - 8), st.integers(8, len(KEY)))
def test_no_piece_of_a_key_is_shown(start, length):
    piece = KEY[start : start + length]
    line, _ = told_fault(Fault(401, (piece,), f"wrong key {piece}!"), TEXT, KEY)
    assert piece not in line
    assert not any(KEY[place : place + 8] in line for place in range(len(KEY) - 7))


@given(
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text() | st.from_regex(r"[\w, :+-]{0,40}"))
)
def test_a_wait_is_a_time_or_nothing(headers):
    seconds = told_wait(headers)
    assert seconds is None or (seconds > 0 and math.isfinite(seconds))


# Any reply at all. Each is (status, body, headers, label): a number, None for none, or ANY where nothing is promised.
ANY = object()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from([TEXT, KEY]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
scores = st.fixed_dictionaries({item: st.sampled_from(SCALE.scores("items")) for item in ITEMS})
wrappers = st.sampled_from(
    [
        "{}",
        " \n{}\n",
        "```json\n{}\n```",
        "```\n{}```",
        "````JSON\n{}\n````",
        "~~~\n{}\n~~~",
        "`{}`",
        "```json\n{}",
        "<think>I would say {{4}}.</think>\n\n{}",
        "They feel.</think>```json\n{}\n```",
        "\ufeff{}",
    ]
)
spoilers = st.sampled_from(
    [
        "Here it is: {}",
        "{}\n{}",
        "{}, I think",
        "[{}]",
        "```json\n{}\n```\n```json\n{}\n```",
        "```\n{}\n````",
        "{}</think>",
        '"{}"',
        "",
        "  ",
        "I can't.",
    ]
)
usages = st.dictionaries(
    st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "completion_tokens_details"]),
    st.integers(-5, 9000) | json_values,
)
codes = st.sampled_from(
    "billing_hard_limit_reached insufficient_quota content_filter context_length_exceeded rate_limit busy x".split()
)
errors = st.fixed_dictionaries(
    {}, optional={"code": codes | json_values, "type": codes | json_values, "message": json_values}
)
statuses = st.sampled_from(
    [200, 201, 204, 304, 307, 400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 500, 503, 529]
)
headers = st.sampled_from(
    [
        {},
        {"Content-Type": "text/plain"},
        {"Retry-After": "9e9"},
        {"Location": "http://localhost:1/"},
        {"Content-Encoding": "br"},
    ]
)


@st.composite
def replies(draw):
    """A reply of a server: good, good but for one part, cut off, an error, or noise."""
    kind = draw(st.sampled_from("good good spoilt odd cut error noise".split()))
    given_scores = draw(scores)
    written = json.dumps(given_scores, indent=draw(st.sampled_from([None, 2])))
    label = sum(given_scores.values()) / len(ITEMS)
    head = draw(headers)
    if kind == "good":
        body = completion(draw(wrappers).format(written), draw(st.sampled_from(["stop", "length"])), draw(usages))
        return 200, body, head, None if "Content-Encoding" in head else label
    if kind == "spoilt":
        return 200, completion(draw(spoilers).replace("{}", written), usage=draw(usages)), head, None
    if kind == "odd":
        body = completion(written, refusal=None)
        place = draw(st.sampled_from("choices choice message content refusal finish_reason model usage".split()))
        choice = body["choices"][0]
        holder, name = {
            "choices": (body, "choices"),
            "choice": (body["choices"], 0),
            "message": (choice, "message"),
            "content": (choice["message"], "content"),
            "refusal": (choice["message"], "refusal"),
            "finish_reason": (choice, "finish_reason"),
        }.get(place, (body, place))
        holder[name] = draw(json_values)
        whole = place in ("finish_reason", "model", "usage", "refusal")
        return 200, body, head, ANY if whole else None
    if kind == "cut":
        whole = json.dumps(completion(written)).encode()
        return 200, whole[: draw(st.integers(0, len(whole) - 1))], head, None
    if kind == "error":
        return (
            draw(statuses),
            draw(errors | st.builds(lambda found: {"error": found}, errors) | json_values),
            head,
            None,
        )
    return draw(statuses), draw(st.binary(max_size=40)), head, None


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A server that replies as it is told to, its client, and an open store."""
    os.environ["TEST_LABEL_KEY"] = KEY
    with BadServer() as server, open_store(tmp_path_factory.mktemp("store") / "a.sqlite", flush=False) as store:
        given = SERVER | {"base_url": server.base_url, "retries": 0, "concurrency": 1}
        yield server, ChatServer(given, Budget(None, None)), store
    del os.environ["TEST_LABEL_KEY"]


numbers = itertools.count()


@settings(max_examples=EXAMPLES)
@given(st.lists(replies(), min_size=1, max_size=4))
def test_any_reply_gives_a_valid_label_a_named_reason_or_a_stop(asked, scripted):
    server, client, store = asked
    client.budget = Budget({"input": 1.0, "output": 2.0}, 100.0, max_tokens=200)
    client.streaks = Streaks(concurrency=1)
    sent = iter(scripted)
    server.script = lambda order, number: next(sent)[:3]
    messages = PROMPT.messages(SCALE, TEXT)
    questions = [
        Question(f"t{place}", f"h{next(numbers)}", messages=messages, schema=SCHEMA, text=TEXT)
        for place in range(len(scripted))
    ]
    results, told = {}, []
    try:
        for result in client.answers(questions):
            results[result.question.item] = result
    except (SettingsError, CostLimitError) as stop:
        told.append(str(stop))
    assert told or set(results) == {question.item for question in questions}
    for item, result in results.items():
        if isinstance(result, Failure):
            told.append(result.cause)
            continue
        assert isinstance(result, Answer)
        assert math.isfinite(result.cost)
        assert result.cost >= 0
        label = scripted[int(item[1:])][3]
        parsed = read_answer("openai", result.raw, result.reason, result.finish, SCALE, PROMPT)
        if parsed.valid:
            assert label is ANY or parsed.label == pytest.approx(label)
            assert parsed.label == pytest.approx(sum(parsed.scores.values()) / len(ITEMS))
            assert result.cost > 0
        else:
            assert label in (None, ANY)
            assert parsed.reason.split(":")[0] in REASONS
        store.add(Asked(*["x"] * 6), result.question, "plain", "batson", result, parsed)
        told += [result.finish or "", result.served_model or ""]
    for item, label in ((f"t{place}", reply[3]) for place, reply in enumerate(scripted)):
        # What can be read is read, unless the server had to be left before.
        assert label in (None, ANY) or isinstance(results.get(item), Answer) or len(told) > 0
    costs = [result.cost for result in results.values() if isinstance(result, Answer)]
    assert client.budget.spent - client.budget.lost == pytest.approx(sum(costs))
    assert client.budget.reserved == pytest.approx(0)
    for line in told:
        assert line.isprintable()
        assert not quotes(line, TEXT)
        assert KEY not in line
