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

from empathy_transfer.labelling.bodies import SlowBody, limited
from empathy_transfer.labelling.budget import Pace, told_wait
from empathy_transfer.labelling.questions import (
    NO_CONNECTION,
    Answer,
    CostLimitError,
    Failure,
    SettingsError,
    text_hash,
)
from empathy_transfer.labelling.replies import BrokenBody, Fault, read_reply
from empathy_transfer.labelling.streaks import Streaks
from empathy_transfer.labelling.wording import safe_name, told_fault

BROKEN_BODY_TRIES = 4  # requests for one answer while what comes back is no completion
TOLD_OF = 60.0  # seconds of a wait that the log tells
LONGEST_WAIT = 3600.0  # a server that asks for more fails the question
# Errors below the client's that came before anything was sent, by name: nobody charges for them.
UNSENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "LocalProtocolError")


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
            SettingsError: the address is not fit to send texts and keys to, or the key is not set or is none.
        """
        import openai

        self.settings = settings
        self.budget = budget
        self.version = version
        self.pace = Pace(settings.get("requests_per_minute"))
        self.streaks = Streaks(settings["concurrency"])
        address = base_url or settings["base_url"]
        check_address(address)
        local = is_local(address)
        self.key = key or _key(settings.get("key_variable"), local)
        self.client = openai.OpenAI(
            api_key=self.key or "none",
            base_url=address,
            timeout=settings["timeout"],
            max_retries=0,
            default_headers={"Accept-Encoding": "identity"},
            # A redirect could carry a text, and a proxy of the environment a local request, to another machine.
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,
                trust_env=not local,
                event_hooks={"response": [limited(settings["timeout"])]},
            ),
        )

    def identity(self, item, text, writer):
        """Hash of what the model is told: the text, and its writer where the prompt says so."""
        return text_hash(text, writer)

    def answers(self, questions):
        """Ask with several requests in flight; yield each answer or failure as it arrives.

        Raises:
            SettingsError: the server refuses the account, the model or its first questions, or answers nobody any more.
            CostLimitError: the limit is reached; what was in flight has been yielded before.
        """
        waiting, flying, ended = list(reversed(list(questions))), {}, Event()
        started, stop = 0, None
        pool = ThreadPoolExecutor(max_workers=self.settings["concurrency"], thread_name_prefix="asking")
        try:
            while flying or (waiting and stop is None):
                # One request at a time until the server has shown that it answers.
                room = (self.settings["concurrency"] if self.streaks.answered else 1) - len(flying)
                while waiting and stop is None and room > 0:
                    try:
                        reserved = self.budget.reserve(waiting[-1])
                    except CostLimitError as limit:
                        stop = limit
                        break
                    started += 1
                    flying[pool.submit(self._ask, waiting.pop(), reserved, ended)] = (reserved, started)
                    room -= 1
                for future in wait(flying, return_when=FIRST_COMPLETED).done if flying else []:
                    reserved, number = flying.pop(future)
                    try:
                        result = future.result()
                    except (SettingsError, CostLimitError) as error:
                        self.budget.settle(reserved)
                        stop = stop or error
                        continue
                    if isinstance(result, Failure):
                        self.budget.settle(reserved, lost=result.lost)
                    else:
                        self.budget.settle(reserved, result.cost)
                    kept, error = self.streaks.take(result, number, started)
                    stop = stop or error
                    yield from kept
            if stop is not None:
                raise stop
            yield from self.streaks.rest()
        finally:
            self.streaks.held.clear()
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, question, reserved, ended):
        """Ask one question until it has an answer, or a failure once enough was tried or the event ``ended`` is set.

        A request that may have been charged for without an answer counts with what was ``reserved`` for it.
        """
        import openai

        for tries in itertools.count(1):
            try:
                reply, headers, seconds = self._send(question)
            except openai.APITimeoutError as error:
                cause, lost, told = "timeout", _was_sent(error), None
            except SlowBody:
                cause, lost, told = "timeout", True, None
            except openai.APIError as error:
                cause, lost, told = NO_CONNECTION, _was_sent(error), None
            except BrokenBody as error:
                cause, lost, told = str(error), True, None
            else:
                if not isinstance(reply, Fault):
                    return self._answer(question, reply, seconds)
                cause, message = told_fault(reply, question.text, self.key)
                meaning = reply.meaning(message)
                if meaning == "stop":
                    raise SettingsError(f"the server does not answer with these settings: {cause}")
                if meaning or reply.status in (400, 422):
                    return Answer(question, None, meaning or "refused", finish=cause, unclear=meaning is None)
                if not reply.passing:
                    return Failure(question, cause)
                lost, told = reply.status < 300, told_wait(headers)
            patience = self.settings["retries"]
            patience = min(BROKEN_BODY_TRIES - 1, patience) if lost and cause != "timeout" else patience
            seconds = _seconds_to_next(tries, told)
            if tries > patience or seconds > LONGEST_WAIT or _wait(ended, seconds, cause):
                return Failure(question, cause, lost=reserved if lost else 0.0)
            if lost:
                self.budget.lose(reserved)

    def _send(self, question):
        """One request: what came back as a `Completion` or a `Fault`, the headers, and the seconds that it took."""
        import openai

        decoding = self.settings["decoding"]
        options = {name: decoding[name] for name in ("temperature", "top_p") if decoding[name] is not None}
        options[decoding.get("limit_as", "max_tokens")] = decoding["max_tokens"]
        self.pace.wait()
        begun = time.monotonic()
        try:
            response = self.client.chat.completions.with_raw_response.create(
                model=self.settings["model"],
                messages=question.messages,
                **options,
                seed=decoding["seed"] + question.repeat + question.attempt,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "scores", "strict": True, "schema": question.schema},
                },
            ).http_response
        except openai.APIStatusError as error:
            response = error.response
        seconds = round(time.monotonic() - begun, 3)
        return read_reply(response.status_code, response.content), response.headers, seconds

    def _answer(self, question, completion, seconds):
        """The answer that a completion is, with its cost."""
        tokens = {"tokens_in": completion.tokens_in, "tokens_out": completion.tokens_out}
        return Answer(
            question,
            raw=completion.content,
            reason="refused" if completion.refused else None,
            finish=safe_name(completion.finish, question.text, self.key),
            served_model=safe_name(completion.served_model, question.text, self.key),
            cost=self.budget.cost(question, **tokens),
            latency=seconds,
            **tokens,
        )


def _seconds_to_next(tries, told):
    """Seconds until a question is sent again after so many tries, as the server has told or growing and random."""
    return min(0.5 * 2 ** (tries - 1), 8) * random.uniform(0.75, 1) if told is None else told


def _wait(ended, seconds, cause):
    """Wait, and say so where that is long; whether the event ``ended`` came meanwhile."""
    if seconds >= TOLD_OF:
        print(f"the server asks to wait {seconds:.0f} s ({cause.split(': ')[0]})", flush=True)
    return ended.wait(seconds)


def _was_sent(error):
    """Whether a request that has no answer may have reached the server."""
    return type(error.__cause__).__name__ not in UNSENT


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
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError(f"the environment variable {variable} holds no key: a key has no spaces and no accents")
    return key
