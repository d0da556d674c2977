"""The provider `openai`: any server that speaks OpenAI's chat completions, asked through OpenAI's own client.

Several requests are in flight at a time. Timeouts, lost connections, 408, 409, 429 and 5xx are tried again after
growing, random waits, or as long as the server asks for. The client's own tries are switched off: they keep to no rate
and wait two minutes at most. Answers are constrained to a JSON schema. The key comes from the environment and stands in
no message, log or file.
"""

import ipaddress
import itertools
import os
import random
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Event
from urllib.parse import urlsplit

from empathy_transfer.labelling.budget import Pace, told_wait
from empathy_transfer.labelling.questions import Answer, CostLimitError, Failure, SettingsError, Unanswered, text_hash

BROKEN_BODY_TRIES = 4  # requests for one answer while what comes back is no completion
PASSING = (408, 409, 429)  # refusals that may pass, as those from 500 on
TOLD_OF = 60.0  # seconds of a wait that the log tells
LONGEST_WAIT = 3600.0  # a server that asks for more fails the question
NO_CONNECTION = "no connection"
FIRST_QUESTIONS = 3  # a server that refuses or fails its first questions does not mean the texts
FAILURES_IN_A_ROW = 20  # after so many a server that has answered before counts as gone
HIDDEN = "[key]"
MESSAGE_LENGTH = 300
QUOTE = 20  # characters in common with the request from which on a message counts as a quotation


class BrokenBody(ValueError):
    """The server sent something that is no chat completion."""


class ChatServer:
    """A server of chat completions."""

    name = "openai"

    def __init__(self, settings, budget, version="", base_url=None, key=None):
        """Set up the client; nothing is sent yet.

        Args:
            settings: the model's entry in the config.
            budget: the `Budget` that all requests share.
            version: version of the model, for the key of its answers.
            base_url: address of the server, if not that of the settings.
            key: its key, if not that of the environment.

        Raises:
            SettingsError: the address is not fit to send texts and keys to, or the key is not set.
        """
        import openai

        self.settings = settings
        self.budget = budget
        self.version = version
        self.pace = Pace(settings.get("requests_per_minute"))
        address = base_url or settings["base_url"]
        check_address(address)
        local = is_local(address)
        self.key = key or _key(settings.get("key_variable"), local)
        self.client = openai.OpenAI(
            api_key=self.key or "none",
            base_url=address,
            timeout=settings["timeout"],
            max_retries=0,
            # A redirect could carry a text, and a proxy of the environment a local request, to another machine.
            http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=not local),
        )

    def identity(self, item, text, writer):
        """Hash of what the model is told: the text, and its writer where the prompt says so."""
        return text_hash(text, writer)

    def answers(self, questions):
        """Ask with several requests in flight; yield each answer or failure as it arrives.

        Raises:
            SettingsError: the server refuses the key, the model or its first questions, or is gone.
            CostLimitError: the limit is reached; what was in flight has been yielded before.
        """
        waiting, flying, ended = list(reversed(list(questions))), {}, Event()
        answered = failures = 0
        # Refusals before the first answer: kept back, since they may be about the settings.
        refusals, stop = [], None
        pool = ThreadPoolExecutor(max_workers=self.settings["concurrency"], thread_name_prefix="asking")
        try:
            while flying or (waiting and stop is None):
                # One request at a time until the server has shown that it answers.
                room = (self.settings["concurrency"] if answered else 1) - len(flying)
                while waiting and stop is None and room > 0:
                    try:
                        self.budget.reserve(waiting[-1])
                    except CostLimitError as limit:
                        stop = limit
                        break
                    question = waiting.pop()
                    flying[pool.submit(self._ask, question, ended)] = question
                    room -= 1
                for future in wait(flying, return_when=FIRST_COMPLETED).done if flying else []:
                    question = flying.pop(future)
                    try:
                        result = future.result()
                    except SettingsError as error:
                        self.budget.settle(question, 0.0)
                        stop = stop or error
                        continue
                    self.budget.settle(question, getattr(result, "cost", 0.0))
                    failures = failures + 1 if isinstance(result, Failure) else 0
                    refused = isinstance(result, Answer) and result.reason == "refused"
                    answered += not refused and not failures
                    if refused and not answered:
                        refusals.append(result)
                        if len(refusals) == FIRST_QUESTIONS:
                            raise Unanswered(f"the server refuses all questions: {result.finish}")
                        continue
                    if failures >= (FAILURES_IN_A_ROW if answered else FIRST_QUESTIONS):
                        gone = SettingsError if result.cause == NO_CONNECTION else Unanswered
                        stop = gone(f"{failures} questions in a row failed, the last one: {result.cause}")
                    yield from refusals
                    refusals = []
                    yield result
            yield from refusals
            if stop is not None:
                raise stop
        finally:
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, question, ended):
        """Ask one question until it has an answer, or a failure once enough was tried or the event ``ended`` is set."""
        import openai

        for tries in itertools.count(1):
            try:
                return self._complete(question)
            except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
                raise SettingsError(self._told(error, question)) from None
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                return Answer(question, None, reason="refused", finish=self._told(error, question))
            except (openai.APIError, BrokenBody) as error:
                if getattr(error, "code", None) == "insufficient_quota":
                    raise SettingsError(self._told(error, question)) from None
                seconds = self._seconds_to_next(error, tries)
                if seconds is None or ended.wait(seconds):
                    return Failure(question, self._cause(error, question))

    def _seconds_to_next(self, error, tries):
        """Seconds until a question is sent again after so many tries; None if it is not."""
        broken, status = isinstance(error, BrokenBody), getattr(error, "status_code", None)
        passing = status is None or status >= 500 or status in PASSING
        if not passing or tries > (BROKEN_BODY_TRIES - 1 if broken else self.settings["retries"]):
            return None
        told = told_wait(error.response.headers) if status else None
        if told is None:
            return min(0.5 * 2 ** (tries - 1), 8) * random.uniform(0.75, 1)
        if told >= TOLD_OF:
            print(f"the server asks to wait {told:.0f} s (status {status})", flush=True)
        return told if told <= LONGEST_WAIT else None

    def _cause(self, error, question):
        """Why a question stays open."""
        import openai

        if isinstance(error, BrokenBody):
            return "no completion in the server's answer"
        if isinstance(error, openai.APITimeoutError):
            return "timeout"
        return self._told(error, question) if isinstance(error, openai.APIStatusError) else NO_CONNECTION

    def _complete(self, question):
        """One request through the client: its answer, checked to be a completion."""
        import openai

        decoding = self.settings["decoding"]
        options = {name: decoding[name] for name in ("temperature", "top_p") if decoding[name] is not None}
        options[decoding.get("limit_as", "max_tokens")] = decoding["max_tokens"]
        self.pace.wait()
        started = time.monotonic()
        try:
            completion = self.client.chat.completions.create(
                model=self.settings["model"],
                messages=question.messages,
                **options,
                seed=decoding["seed"] + question.repeat + question.attempt,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "scores", "strict": True, "schema": question.schema},
                },
            )
            choice = completion.choices[0]
            raw, refusal = choice.message.content, getattr(choice.message, "refusal", None)
            usage = completion.usage
        except (openai.APIResponseValidationError, AttributeError, IndexError, TypeError) as error:
            raise BrokenBody(type(error).__name__) from None
        except openai.OpenAIError:
            raise
        except ValueError as error:  # half a JSON
            raise BrokenBody(type(error).__name__) from None
        if not isinstance(raw, str | None):
            raise BrokenBody("content is no text")
        tokens_in = getattr(usage, "prompt_tokens", None)
        tokens_out = getattr(usage, "completion_tokens", None)
        return Answer(
            question,
            raw=raw,
            reason="refused" if refusal else None,
            finish=choice.finish_reason,
            served_model=completion.model,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=self.budget.cost(question, tokens_in, tokens_out),
            latency=round(time.monotonic() - started, 3),
        )

    def _told(self, error, question):
        """What the server said about an error, on one short line: without the key, and only if it quotes no text."""
        status, body = error.status_code, error.body
        message = body.get("message") if isinstance(body, dict) else None
        said = " ".join(str(message or error).removeprefix(f"Error code: {status}").lstrip(" -").split())
        said = (said.replace(self.key, HIDDEN) if self.key else said)[:MESSAGE_LENGTH]
        asked = " ".join(" ".join(message["content"] for message in question.messages).split())
        if any(said[start : start + QUOTE] in asked for start in range(len(said) - QUOTE + 1)):
            return f"status {status}; its message quotes the request"
        return f"status {status}: {said}" if said else f"status {status}"


def is_local(address):
    """Whether an address is on this machine: `localhost` or a loopback number, and no name that only looks so."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_address(address):
    """Refuse an address that holds a key, or to which keys and texts would go in the clear.

    Raises:
        SettingsError: says what to change in `base_url`.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"base_url: '{parts.scheme}:' is no address of a server; write https://host/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError("base_url: an address with a name, password or query; keys come from the environment only")
    if parts.scheme == "http" and not is_local(address):
        raise SettingsError(f"base_url: {parts.hostname} is another machine: use https")


def refuse_remote(address, allowed, set_name):
    """Refuse to send texts to another machine unless their set says that its owners and you allow it.

    Raises:
        SettingsError: the address is not on this machine and the set is not allowed to leave it.
    """
    if not is_local(address) and not allowed:
        raise SettingsError(
            f"the texts of {set_name} must not leave this machine, and {urlsplit(address).hostname} is another one. If "
            f"their owner's terms and you allow it, add {set_name} to the list relabel: remote_llm in the config"
        )


def _key(variable, local):
    """The key, from the environment; a server on this machine may need none."""
    key = os.environ.get(variable or "", "").strip()
    if not key and variable and not local:
        raise SettingsError(f"the environment variable {variable} is not set: put the key of the server into it")
    return key
