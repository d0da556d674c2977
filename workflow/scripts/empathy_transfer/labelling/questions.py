"""What providers are asked and what they give back.

A provider has a `name` and a `version`, which stand in every row of the result, and two methods: `identity(item, text,
writer)` is what makes two questions the same one, hashed (texts for a model, ids too for recorded labels), and
`answers(questions)` asks, and yields each `Answer` or `Failure` as it arrives, in any order.
"""

import json
from dataclasses import dataclass, field

from empathy_transfer.records.files import sha256_bytes

NO_CONNECTION = "no connection"
REFUSALS = ("refused", "too_long")  # reasons of answers without a text, which may be asked for again
UNASKED = (*REFUSALS, "not_asked")  # reasons that leave nothing to read


@dataclass(frozen=True)
class Question:
    """One request for the scores of one text.

    `text_hash` identifies what is asked about, `repeat` counts independent answers to the same question from 0, and
    `attempt` counts the requests until an answer is valid from 0. `item` is the id of the text in its set.
    `refused_before` is whether its last answer was a refusal.
    """

    item: str
    text_hash: str
    repeat: int = 0
    attempt: int = 0
    messages: list = field(default_factory=list, repr=False, compare=False)
    schema: dict = field(default_factory=dict, repr=False, compare=False)
    text: str = field(default="", repr=False, compare=False)
    refused_before: bool = field(default=False, compare=False)

    @property
    def size(self):
        """Bytes of the request's content; a token has at least one."""
        content = "".join(message["content"] for message in self.messages)
        return len(content.encode()) + len(json.dumps(self.schema))


@dataclass(frozen=True)
class Answer:
    """What came back: the text as the model gave it, or None with the reason, and what it took.

    `cost` is in dollars, `latency` in seconds; `served_model` is what the server says that it is. `reason` is one of
    `UNASKED` where there is nothing to read; `unclear` says of a refusal that it may be about more than this text.
    """

    question: Question
    raw: str | None
    reason: str | None = None
    finish: str | None = None
    served_model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float = 0.0
    latency: float | None = None
    unclear: bool = False


@dataclass(frozen=True)
class Failure:
    """A question that stays open, with the cause in a few words, and the dollars that its last request may cost."""

    question: Question
    cause: str
    lost: float = 0.0


class SettingsError(RuntimeError):
    """The provider can't be used as it is set up: one message for all questions, which says what to change."""


class Unanswered(SettingsError):
    """Questions have no answer, maybe because of this prompt alone: another one may fare better."""


class CostLimitError(RuntimeError):
    """The next request could cost more than `max_cost` leaves."""


def text_hash(*parts):
    """Hash of what a question is about; the text can't be read from it."""
    return sha256_bytes(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass"))[:32]
