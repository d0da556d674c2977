"""Psychological scales as data: items, the scores that they may have, and the label that they make."""

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from empathy_transfer.errors import DataError
from empathy_transfer.records.files import sha256_bytes

OVERALL = "score"  # key of an answer that is one score for the whole construct
REASONING = "reasoning"  # key of the sentences that may come before the scores


@dataclass(frozen=True)
class Scale:
    """A scale: items of a common range, in steps of 1 or 0.5, whose mean or sum is the label."""

    name: str
    title: str
    construct: str
    question: str
    low: float
    high: float
    step: float
    anchors: tuple[tuple[float, str], ...]
    items: dict[str, str]
    reversed: tuple[str, ...]
    combine: str

    @property
    def label_range(self):
        """Lowest and highest label: those of an item for a mean, of all items together for a sum."""
        factor = len(self.items) if self.combine == "sum" else 1
        return self.low * factor, self.high * factor

    def scores(self, answer):
        """The scores that the keys of an answer may have, ascending: of `items`, or of one `overall` score."""
        low, high = (self.low, self.high) if answer == "items" else self.label_range
        steps = round((high - low) / self.step)
        return [_plain(low + step * self.step) for step in range(steps + 1)]

    def keys(self, answer):
        """The keys of an answer that hold scores."""
        return list(self.items) if answer == "items" else [OVERALL]

    def label(self, scores):
        """The label that a full set of item scores makes, reversed items turned round; a score counts as it is.

        Args:
            scores: {item: score} of all items, or {"score": score}.
        """
        if set(scores) == {OVERALL}:
            return float(scores[OVERALL])
        turned = [self.low + self.high - value if item in self.reversed else value for item, value in scores.items()]
        return float(sum(turned) / (len(turned) if self.combine == "mean" else 1))

    def for_prompts(self):
        """What templates may say about the scale, as plain values."""
        return {
            "title": self.title,
            "construct": self.construct,
            "question": self.question,
            "low": _plain(self.low),
            "high": _plain(self.high),
            "step": _plain(self.step),
            "anchors": [{"value": _plain(value), "meaning": meaning} for value, meaning in self.anchors],
            "items": [{"name": name, "wording": wording} for name, wording in self.items.items()],
        }

    def digest(self, overall):
        """Hash of what a model is told of the scale.

        How items combine is not part of it, and a change costs no new call, unless a prompt tells the range of the
        label (``overall``), which it changes.
        """
        told = self.label_range if overall else (self.low, self.high)
        return sha256_bytes(json.dumps([self.for_prompts(), told]).encode())[:16]


def read_scale(path):
    """Read a scale file; its name is the name of the scale.

    Raises:
        DataError: the range is empty or no whole number of steps, or an anchor or a reversed item is not of the scale.
    """
    path = Path(path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    low, high = map(float, content["range"])
    scale = Scale(
        **{"name": path.stem, "low": low, "high": high, "step": float(content["step"])},
        **{name: content[name] for name in ("title", "construct", "question", "items", "combine")},
        anchors=tuple((float(anchor["value"]), anchor["meaning"]) for anchor in content["anchors"]),
        reversed=tuple(content.get("reversed", [])),
    )
    steps = (high - low) / scale.step
    if steps < 1 or steps != round(steps):
        raise DataError(f"{path}: range: {low:g} to {high:g} is no whole number of steps of {scale.step:g}.")
    if outside := [value for value, _ in scale.anchors if value not in scale.scores("items")]:
        raise DataError(f"{path}: anchors: {outside[0]:g} is no score from {low:g} to {high:g}.")
    if unknown := [item for item in scale.reversed if item not in scale.items]:
        raise DataError(f"{path}: reversed: '{unknown[0]}' is none of the items {', '.join(scale.items)}.")
    return scale


def answer_schema(scale, answer, reasoning=False):
    """The JSON schema of an answer: each key once, each score one of the scale's, and nothing else.

    Args:
        scale: the scale.
        answer: `items` for one score per item, `overall` for one score.
        reasoning: whether sentences come first.
    """
    properties = {REASONING: {"type": "string"}} if reasoning else {}
    properties |= {key: {"type": "number", "enum": scale.scores(answer)} for key in scale.keys(answer)}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _plain(value):
    """A whole number without a decimal point, as people write it."""
    return int(value) if float(value).is_integer() else float(value)
