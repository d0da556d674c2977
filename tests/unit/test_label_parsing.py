"""The strict reader of answers, on answers of all kinds; and the scales that say what a good one is."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from empathy_transfer.errors import DataError
from empathy_transfer.labelling.parsing import REASONS, parse_answer, parse_recorded, read_answer
from empathy_transfer.labelling.prompts import read_prompt
from empathy_transfer.labelling.scales import answer_schema, read_scale
from study_copy import ROOT

SCALES = {path.stem: read_scale(path) for path in sorted((ROOT / "config/scales").glob("*.yaml"))}
BATSON, ANXIETY = SCALES["batson_empathy"], SCALES["anxiety_short"]
SIX = ["sympathetic", "moved", "compassionate", "tender", "warm", "soft_hearted"]
FULL = dict(zip(SIX, [7, 6.5, 5, 4, 3.5, 1], strict=True))

scales = st.sampled_from(list(SCALES.values()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def parse(answer, scale=BATSON, kind="items", reasoning=False):
    return parse_answer(answer if isinstance(answer, str | None) else json.dumps(answer), scale, kind, reasoning)


@st.composite
def full_answers(draw):
    """A scale and an answer with a score for each of its items."""
    scale = draw(scales)
    return scale, {item: draw(st.sampled_from(scale.scores("items"))) for item in scale.items}


def test_a_full_answer_has_the_mean_of_its_six_items():
    parsed = parse(FULL)
    assert parsed.valid
    assert parsed.label == pytest.approx(27 / 6)  # 7 + 6.5 + 5 + 4 + 3.5 + 1
    assert parsed.scores == FULL


def test_a_scale_of_sums_has_the_sum_and_the_range_of_seven_items():
    parsed = parse(dict(zip(ANXIETY.items, [3, 2, 1, 0, 0, 0, 1], strict=True)), ANXIETY)
    assert parsed.label == 7.0
    assert ANXIETY.label_range == (0, 21)
    assert parse({"score": 21}, ANXIETY, "overall").label == 21.0


def test_reversed_items_count_the_other_way_round(tmp_path):
    text = (ROOT / "config/scales/batson_empathy.yaml").read_text(encoding="utf-8") + "reversed: [warm]\n"
    (tmp_path / "turned.yaml").write_text(text, encoding="utf-8")
    turned = read_scale(tmp_path / "turned.yaml")
    assert parse(FULL, turned).label == pytest.approx((27 - 3.5 + 4.5) / 6)  # 3.5 on 1 to 7 is 4.5 turned round
    assert turned.digest(overall=False) == BATSON.digest(overall=False)  # nothing else is asked


def test_a_sum_in_place_of_a_mean_changes_only_what_is_asked_for_one_score():
    summed = dataclasses.replace(BATSON, combine="sum")
    assert (BATSON.label_range, summed.label_range) == ((1, 7), (6, 42))
    assert summed.digest(overall=False) == BATSON.digest(overall=False)
    assert summed.digest(overall=True) != BATSON.digest(overall=True)
    # Answers that were paid for before are found again.
    assert BATSON.digest(overall=False) == BATSON.digest(overall=True) == "a7cb25c8764bf075"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "no_answer"),
        (" \n", "no_answer"),
        ("4.5, 3, 2, 1, 1, 1", "not_json"),
        (json.dumps(FULL)[:-3], "not_json"),
        (f"Here it is: {json.dumps(FULL)}", "not_json"),
        (f"{json.dumps(FULL)} {json.dumps(FULL)}", "not_json"),
        ("[" * 100_000, "not_json"),
        ("1" * 10_000, "not_json"),
        ([7, 6, 5, 4, 3, 2], "not_an_object"),
        ({**FULL, "kind": 3}, "unknown_key"),
        ({key: FULL[key] for key in SIX[:5]}, "missing: soft_hearted"),
        ('{"moved": 1, "moved": 1}', "repeated_key"),
        ({**FULL, "tender": "4"}, "not_a_number: tender"),
        ({**FULL, "tender": True}, "not_a_number: tender"),
        ({**FULL, "tender": None}, "not_a_number: tender"),
        ({**FULL, "tender": [4]}, "not_a_number: tender"),
        ({**FULL, "tender": math.nan}, "not_a_number: tender"),
        (json.dumps(FULL).replace("3.5", "1e999"), "out_of_range: warm"),
        ({**FULL, "tender": 0.5}, "out_of_range: tender"),
        ({**FULL, "tender": 7.5}, "out_of_range: tender"),
        ({**FULL, "tender": 4.25}, "between_steps: tender"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_any_other_answer_is_invalid_and_says_why(answer, reason):
    parsed = parse(answer)
    assert parsed.reason == reason
    assert parsed.label is None
    assert parsed.scores == {}


@given(
    full_answers(),
    st.sampled_from(["`", "```", "````", "~~~"]),
    st.sampled_from(["", "json", "JSON", "json5"]),
    st.sampled_from(["", " ", "\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(
        ["", "<think>{4}</think>", "<thinking>```json\n{}\n```</thinking>\n", "They feel.\n</think>\n\n", "\ufeff"]
    ),
)
def test_an_answer_is_read_in_a_fence_of_any_kind_and_after_thoughts(drawn, fence, language, space, closed, before):
    scale, answer = drawn
    fenced = f"{fence}{language}{space}{json.dumps(answer)}{space}{fence if closed else ''}\n"
    wrapped = before + fenced
    assert parse(wrapped, scale) == parse(answer, scale)
    # What is not clearly the answer stays unread: words around it, two of them, a fence that is no fence.
    for spoilt in (
        f"{before}I say {fenced}",
        f"{wrapped}\nSo be it.",
        wrapped * 2,
        f"{before}{json.dumps(answer)}\n{fence}",
    ):
        assert not parse(spoilt, scale).valid


def test_thoughts_within_an_answer_are_a_part_of_it():
    told = {"reasoning": "I </think> {so}", **FULL}
    assert parse(told, reasoning=True).label == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("raw", "finish", "reason"),
    [
        (None, "length", "cut_off"),
        ("", "length", "cut_off"),
        (json.dumps(FULL)[:-1], "length", "cut_off"),
        ("<think>They", "length", "cut_off"),
        (json.dumps({"tender": 4}), "length", "missing: sympathetic"),
        (json.dumps(FULL), "length", None),
        (json.dumps(FULL)[:-1], "stop", "not_json"),
        (None, None, "no_answer"),
    ],
)
def test_an_answer_that_ended_at_its_limit_says_so_unless_it_is_whole(raw, finish, reason):
    prompt = read_prompt(ROOT / "config/prompts/scale_aware.j2")
    assert read_answer("openai", raw, "answered", finish, BATSON, prompt).reason == reason


def test_reasoning_must_be_there_if_it_was_asked_for_and_only_then():
    assert parse({"reasoning": "because", **FULL}, reasoning=True).label == pytest.approx(4.5)
    assert parse(FULL, reasoning=True).reason == "missing: reasoning"
    assert parse({"reasoning": "because", **FULL}).reason == "unknown_key"


@given(full_answers(), st.randoms())
def test_each_full_answer_is_valid_in_any_order_and_lies_in_the_range(drawn, random):
    scale, answer = drawn
    shuffled = list(answer.items())
    random.shuffle(shuffled)
    parsed = parse(dict(shuffled), scale)
    assert parsed == parse(answer, scale)
    assert parsed.valid
    assert scale.label_range[0] <= parsed.label <= scale.label_range[1]


@given(full_answers(), st.data())
def test_an_answer_without_one_of_its_items_never_has_a_label(drawn, data):
    scale, answer = drawn
    gone = data.draw(st.sampled_from(sorted(answer)))
    parsed = parse({key: value for key, value in answer.items() if key != gone}, scale)
    assert parsed.reason == f"missing: {gone}"
    assert parsed.label is None


@given(full_answers(), st.data(), json_values)
def test_an_item_that_is_no_score_of_the_scale_never_has_a_label(drawn, data, value):
    scale, answer = drawn
    item = data.draw(st.sampled_from(sorted(answer)))
    is_score = isinstance(value, int | float) and not isinstance(value, bool) and value in scale.scores("items")
    assert parse({**answer, item: value}, scale).valid == is_score


@given(scales, st.sampled_from(["items", "overall"]), st.booleans(), json_values)
def test_the_schema_that_a_model_is_held_to_and_the_reader_agree(scale, kind, reasoning, value):
    # The reader is stricter in one thing only: what JSON can't say, NaN and infinity.
    validator = Draft202012Validator(answer_schema(scale, kind, reasoning))
    assert parse(json.dumps(value), scale, kind, reasoning).valid == validator.is_valid(value)


@given(full_answers(), st.sampled_from(["items", "overall"]))
def test_the_schema_takes_full_answers_and_the_reader_too(drawn, kind):
    scale, answer = drawn
    validator = Draft202012Validator(answer_schema(scale, kind))
    assert validator.is_valid(answer) == parse(answer, scale, kind).valid == (kind == "items")


@given(st.text())
def test_no_text_breaks_the_reader_and_reasons_quote_nothing_of_it(text):
    parsed = parse(text)
    assert parsed.valid or parsed.reason.split(": ")[0] in REASONS
    assert parsed.valid or parsed.reason.split(": ")[-1] in [*REASONS, *SIX]


@pytest.mark.parametrize(
    ("raw", "label", "reason"),
    [
        ("4.166666667", 4.166666667, None),
        ("1", 1.0, None),
        ("7", 7.0, None),
        ("", None, "no_answer"),
        (None, None, "no_answer"),
        ("0.9", None, "out_of_range: label"),
        ("7.01", None, "out_of_range: label"),
        ("nan", None, "not_a_number: label"),
        ("four", None, "not_a_number: label"),
        ("4,5", None, "not_a_number: label"),
        ("0_4", None, "not_a_number: label"),
        ("\u0664", None, "not_a_number: label"),
        ("inf", None, "not_a_number: label"),
        ("0x4", None, "not_a_number: label"),
        (" 4.5 ", 4.5, None),
        ("45e-1", 4.5, None),
    ],
)
def test_recorded_labels_are_numbers_in_the_range(raw, label, reason):
    parsed = parse_recorded(raw, BATSON)
    assert (parsed.label, parsed.reason) == (label, reason)


def test_scores_are_whole_or_half_steps():
    assert BATSON.scores("items") == [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]
    assert ANXIETY.scores("items") == [0, 1, 2, 3]
    assert ANXIETY.scores("overall") == list(range(22))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("range: [1, 7]", "range: [1, 6.8]", "no whole number of steps"),
        ("range: [1, 7]", "range: [7, 1]", "no whole number of steps"),
        ("{value: 7,", "{value: 8,", "anchors: 8 is no score"),
        ("combine: mean", "combine: mean\nreversed: [cold]", "reversed: 'cold' is none of the items"),
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(old, new, words, tmp_path):
    text = (ROOT / "config/scales/batson_empathy.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "scale.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_scale(tmp_path / "scale.yaml")


def test_scales_of_the_repository_have_their_items():
    assert list(BATSON.items) == SIX
    assert len(SCALES["batson_distress"].items) == 8
    assert len(ANXIETY.items) == 7
