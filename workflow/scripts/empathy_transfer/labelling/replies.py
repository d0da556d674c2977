"""What a server sends, read without trust: an answer, a fault that it tells of, or neither. Nothing is asked here.

Each part of a body may be missing or of any type. What counts as a server's word is told apart by what it is about: the
account, the model or the settings (`stop`), one text (`refused`, `too_long`), or something that may pass.
"""

import json
import re
from dataclasses import dataclass

from empathy_transfer.labelling.wording import printable_line

MOST_TOKENS = 10**9  # a greater count is no count
NAME_LENGTH = 100
PASSING = (408, 409, 429)  # refusals that may pass, as those from 500 on
# Words of codes and types, and of messages where servers give no code.
ACCOUNT = re.compile(
    r"billing|payment|quota|credit|balance|subscription|account(?!_rate)|organi[sz]ation|suspend|deactivat|terminated"
    r"|api_?key|authenticat|authori[sz]|permission|model_?(not|un|decommission|deprecat|does)|not_loaded|no_model"
    r"|unsupported_(country|model)"
)
ACCOUNT_TOLD = re.compile(
    r"\bno models? (is |are )?(currently )?loaded|\bmodels?\b.{0,60}\b(unloaded|not (been )?loaded|not found|crashed"
    r"|decommissioned|does not exist)|\bbilling\b|\bquota\b|\bcredit balance|\binsufficient (funds|balance|credits?)"
    r"|\bapi key\b",
    re.DOTALL,
)
ABOUT_TEXT = re.compile(
    r"content_?(filter|policy|moderat|violation|safety)|moderation|flagged|responsible_?ai|safety|inappropriate"
    r"|data_?inspection"
)
TOO_LONG = re.compile(r"context_?(length|size|window)|too_(long|large)|above_max_length")
TOO_LONG_TOLD = re.compile(
    r"context (length|size|window)|maximum.{0,20}\bcontext\b|(prompt|input|text|messages?) (is|are) too (long|large)"
    r"|too many (input )?tokens",
    re.DOTALL,
)


class BrokenBody(ValueError):
    """The server sent something that is no chat completion."""


@dataclass(frozen=True)
class Completion:
    """An answer: its text (None if it has none), whether the model refused, and what the server says about it.

    Tokens are those that are charged, at least as far as the server's counts show; None where they say nothing.
    """

    content: str | None
    refused: bool = False
    finish: str | None = None
    served_model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True)
class Fault:
    """What a server says of an error: its status, the codes and types that it names, and its message."""

    status: int
    codes: tuple[str, ...] = ()
    message: str = ""

    @property
    def passing(self):
        """Whether the same request may be answered later."""
        return self.status in PASSING or self.status >= 500 or self.status < 300

    def meaning(self, message=""):
        """What it is about: `stop` for account, model and settings, `too_long` or `refused` for the text, else None.

        Args:
            message: the server's message as far as it says nothing of the text, whose words mean nothing.
        """
        codes, said = " ".join(self.codes).lower(), message.lower()
        if self.status in (400, 403, 413, 422, 451):
            if TOO_LONG.search(codes) or TOO_LONG_TOLD.search(said) or self.status == 413:
                return "too_long"
            if ABOUT_TEXT.search(codes):
                return "refused"
        if self.status in (401, 402, 403, 404):
            return "stop"
        if self.status < 500 and ACCOUNT.search(codes):
            return "stop"
        return "stop" if self.status in (400, 422) and ACCOUNT_TOLD.search(said) else None


def read_reply(status, body):
    """Read what a server sent.

    Args:
        status: the HTTP status. body: the bytes that came with it.

    Returns:
        A `Completion`, or the `Fault` that the server tells of, also in a good status.

    Raises:
        BrokenBody: the status is good, and the body is no completion.
    """
    try:
        found = json.loads(body, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        found = None
    if not 200 <= status < 300:
        return _fault(status, found)
    if isinstance(found, dict) and found.get("error") and not found.get("choices"):
        code = found["error"].get("code") if isinstance(found["error"], dict) else None
        return _fault(code if type(code) is int and 400 <= code < 600 else status, found)
    return _completion(found)


def _completion(found):
    """The completion in a parsed body."""
    choice = _first(_get(found, "choices"))
    message = _get(choice, "message")
    if not isinstance(message, dict):
        raise BrokenBody("no completion in the server's answer")
    content = _content(message.get("content"))
    refusal = message.get("refusal")
    finish = _name(_get(choice, "finish_reason"))
    filtered = finish == "content_filter" and not (content or "").strip()
    tokens_in, tokens_out = charged_tokens(_get(found, "usage"))
    return Completion(
        content=content,
        refused=(isinstance(refusal, str) and bool(refusal.strip())) or filtered,
        finish=finish,
        served_model=_name(_get(found, "model")),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
    )


def _content(content):
    """The text of an answer; of one in parts, the parts that are text and no thoughts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        if not all(isinstance(part, str) for part in parts):
            raise BrokenBody("content is no text")
        content = "".join(parts) or None
    if not isinstance(content, str | None):
        raise BrokenBody("content is no text")
    # Half a character can't be stored, and no score is made of it.
    return content and re.sub("[\ud800-\udfff]", "\ufffd", content)


def charged_tokens(usage):
    """Tokens (in, out) that an answer is charged for by a server's counts; None where they say nothing.

    Thoughts are charged as output, and some servers leave them out of `completion_tokens`: `total_tokens` has them, or
    a count of their own that is greater than the whole. No request has 0 tokens, so a 0 says nothing.
    """
    tokens_in, out, total = (_count(_get(usage, f"{name}_tokens")) for name in ("prompt", "completion", "total"))
    thoughts = _count(_get(_get(usage, "completion_tokens_details"), "reasoning_tokens"))
    if thoughts and thoughts > (out or 0):
        out = (out or 0) + thoughts
    if tokens_in and total and total - tokens_in > (out or 0):
        out = total - tokens_in
    return tokens_in, out


def _count(value):
    """A number of tokens, None for anything that can't be one."""
    return value if type(value) is int and 0 < value <= MOST_TOKENS else None


def _fault(status, found):
    """The fault that a parsed body tells of; bodies differ between servers, and some have none."""
    found = _first(found) if isinstance(found, list) else found
    error = _get(found, "error") or found
    detail = _get(found, "detail")
    nested = [_get(error, "innererror"), _get(_get(error, "innererror"), "content_filter_result"), found]
    codes = [_get(place, name) for place in (error, *nested) for name in ("code", "type", "error_type", "status")]
    codes += ["flagged_input"] if _get(_get(error, "metadata"), "flagged_input") is not None else []
    told = (error, _get(error, "message"), detail, _get(_first(detail), "msg"), _get(found, "message"))
    message = next((text for text in told if isinstance(text, str)), "")
    return Fault(status, tuple(dict.fromkeys(code for code in codes if _is_code(code))), message)


def _is_code(value):
    """Whether a value is a code's name, and no sentence and no number."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w.-]{1,59}", value, re.ASCII) is not None


def _name(value):
    """A short name from a server; None for anything else."""
    return printable_line(value, NAME_LENGTH) or None if isinstance(value, str) else None


def _get(found, name):
    """A part of an object; None where there is none."""
    return found.get(name) if isinstance(found, dict) else None


def _first(found):
    """The first part of a list; None where there is none."""
    return found[0] if isinstance(found, list) and found else None


def _without_repeats(pairs):
    """A JSON object as a dict; of two equal keys, nobody can say which one counts."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise BrokenBody("a key stands in the server's answer twice")
    return dict(pairs)
