"""The strict reader of answers: exactly the scores that were asked for, or the answer is invalid and says why.

The study's own code averages whatever numbers it finds in an answer, so that an answer with five of six items has a
label like any other. Here such an answer has none.
"""

import json
import re
from dataclasses import dataclass, field

from empathy_transfer.kinds.regression import NUMBER
from empathy_transfer.labelling.questions import UNASKED
from empathy_transfer.labelling.scales import REASONING

LENGTH = "length"  # what servers say of an answer that ended at its limit
# What models put around an answer that is whole all the same: thoughts before it, and a fence of code.
THOUGHTS = re.compile(r"\A.*?</think(?:ing)?>\s*(?=[`~{])", re.DOTALL)
FENCE = re.compile(r"(`+|~{3,})[ \t]*(?:[A-Za-z][A-Za-z0-9]*)?\s*(?=\{)")

# Reason of an invalid answer: what it means. Those about one item name it after a colon.
REASONS = {
    "no_answer": "the model was asked, but gave no text",
    "refused": "the model or its server refused to answer for this text",
    "too_long": "the text does not fit into what the model can read",
    "cut_off": "the answer ended at the limit of its tokens, before it was whole",
    "not_json": "the answer is not one JSON value, and nothing besides",
    "not_an_object": "the answer is JSON, but no object",
    "repeated_key": "a key stands in the answer twice",
    "unknown_key": "the answer has a key that was not asked for",
    "missing": "the score of an item is missing",
    "not_a_number": "the score of an item is no number",
    "out_of_range": "the score of an item is below the lowest or above the highest",
    "between_steps": "the score of an item is none that the scale has",
    "not_asked": "no recorded answer for this text",
}


class Invalid(ValueError):
    """An answer that can't be taken; its message is the reason."""


@dataclass(frozen=True)
class Parsed:
    """What an answer says: the label and the scores by key, or the reason why there is none."""

    label: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    reason: str | None = None

    @property
    def valid(self):
        """Whether the answer has a label."""
        return self.reason is None


def read_answer(provider, raw, status, finish, scale, prompt):
    """Read an answer by the rules of its provider: the published label, or the JSON object that the prompt asks for.

    Args:
        provider: name of the provider.
        raw: the answer as it came; None if there was none.
        status: one of `UNASKED` where there is nothing to read; anything else is ignored.
        finish: why the answer ended, as its server says; None where that is unknown.
        scale: the scale.
        prompt: the prompt.
    """
    if status in UNASKED:
        return Parsed(reason=status)
    if provider == "recorded":
        return parse_recorded(raw, scale)
    parsed = parse_answer(raw, scale, prompt.answer, prompt.reasoning)
    return Parsed(reason="cut_off") if finish == LENGTH and parsed.reason in ("no_answer", "not_json") else parsed


def parse_answer(raw, scale, answer, reasoning=False):
    """Read an answer to a prompt.

    Args:
        raw: the answer as the model gave it; None if there was none.
        scale: the scale that was asked for.
        answer: `items` or `overall`, what the prompt asked for.
        reasoning: whether the prompt asked for sentences first.

    Returns:
        Parsed: with the label and all scores, or with one of `REASONS` and nothing else. It never raises.
    """
    try:
        found = _json_object(raw)
        if reasoning and not isinstance(found.pop(REASONING, None), str):
            raise Invalid(f"missing: {REASONING}")
        keys, allowed = scale.keys(answer), scale.scores(answer)
        if missing := [key for key in keys if key not in found]:
            raise Invalid(f"missing: {missing[0]}")
        if len(found) > len(keys):
            raise Invalid("unknown_key")
        scores = {key: _score(key, found[key], allowed) for key in keys}
    except Invalid as invalid:
        return Parsed(reason=str(invalid))
    return Parsed(label=scale.label(scores), scores=scores)


def parse_recorded(raw, scale):
    """Read the label that others published: a number in the range of the scale's label, on any step."""
    if raw is None or not raw.strip():
        return Parsed(reason="no_answer")
    if not NUMBER.fullmatch(raw.strip()):
        return Parsed(reason="not_a_number: label")
    label, (low, high) = float(raw), scale.label_range
    if not low <= label <= high:
        return Parsed(reason="out_of_range: label")
    return Parsed(label=label)


def _json_object(raw):
    """The object that an answer is; every other answer is invalid."""
    if raw is None or not raw.strip():
        raise Invalid("no_answer")
    for text in (raw, unwrapped(raw)):
        try:
            # Python reads NaN and Infinity, which are no JSON: as text they fail like any other text.
            found = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=str)
            break
        except Invalid:
            raise
        except (ValueError, RecursionError):
            continue
    else:
        raise Invalid("not_json")
    if not isinstance(found, dict):
        raise Invalid("not_an_object")
    return found


def unwrapped(raw):
    """An answer without what models put around it: thoughts before it, and a fence around all of the rest."""
    answer = THOUGHTS.sub("", raw).strip().strip("\ufeff").strip()
    if fence := FENCE.match(answer):
        answer = answer[fence.end() :].removesuffix(fence[1])
    return answer


def _without_repeats(pairs):
    """A JSON object as a dict; plain JSON would let the last of two equal keys win silently."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise Invalid("repeated_key")
    return dict(pairs)


def _score(key, value, allowed):
    """A score of the scale, else the answer is invalid."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"not_a_number: {key}")
    if not allowed[0] <= value <= allowed[-1]:
        raise Invalid(f"out_of_range: {key}")
    if value not in allowed:
        raise Invalid(f"between_steps: {key}")
    return float(value)
