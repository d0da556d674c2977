"""Ask a model for labels of a set of texts: what is missing in the store, and nothing else; then export the answers."""

import contextlib
import json
from collections import Counter
from dataclasses import asdict, replace

import pandas

from empathy_transfer.labelling.budget import Budget
from empathy_transfer.labelling.llama import gguf_version, llama_server
from empathy_transfer.labelling.parsing import read_answer
from empathy_transfer.labelling.progress import Progress
from empathy_transfer.labelling.prompts import WRITER, read_prompt
from empathy_transfer.labelling.questions import REFUSALS, UNASKED, CostLimitError, Failure, Question, Unanswered
from empathy_transfer.labelling.recorded import Recorded
from empathy_transfer.labelling.scales import answer_schema, read_scale
from empathy_transfer.labelling.server import ChatServer, refuse_remote
from empathy_transfer.labelling.store import COLUMNS, Asked, decoding_text, open_store, store_path
from empathy_transfer.records.artefacts import read_table, write_table

TAKEN = ("tokens_in", "tokens_out", "cost", "latency")  # what each attempt at an answer takes
EXPORTED = [name for name in COLUMNS if name not in ("items", "label", "reason")]
REASONING_TOKENS = 600  # least limit of an answer with sentences before the scores
CAUSES = 3  # different causes that a message tells
FIRST_ANSWERS = 10  # a model of whose first answers none can be read is asked no more


def ask_model(
    set_path,
    scale_path,
    prompt_path,
    model_name,
    settings,
    set_name,
    remote_allowed,
    store_folder,
    answers_path,
    recorded_path=None,
    threads=1,
    repeats=1,
    sample=None,
):
    """Make sure that the store has an answer for each text of a set, and export them.

    Args:
        set_path: table with the columns id and text, and those about the writer where they exist.
        scale_path: the scale, prompt_path: the template.
        model_name: name of the model in the config; settings: its entry there.
        set_name: name of the set; remote_allowed: whether its texts may leave this machine.
        store_folder: folder of the store.
        answers_path: the export: a row per text and repeat, with the last answer, `raw` as the model gave it, its
            `status`: answered, refused, too_long, not_asked (a recorded label that is not there) or no_answer, and the
            tokens, dollars and seconds of all attempts at it.
        recorded_path: for the provider `recorded`, its file for this set.
        threads: threads of a model that computes in this process.
        repeats: independent answers per text, to see whether they agree.
        sample: {"texts", "seed"}: ask about so many texts, drawn by chance; None for all. Where texts of a sample have
            no answer in the end, the export says why in a column `failure`.

    Raises:
        RuntimeError: texts of a whole set have no answer in the end, or none of the answers can be read. What was
            answered is in the store, and the next run goes on.
        DataError: recorded labels don't fit the set.
    """
    scale, prompt = read_scale(scale_path), read_prompt(prompt_path)
    settings = _with_room(settings, prompt)
    texts = read_table(set_path)
    if sample is not None and sample["texts"] < len(texts):
        texts = texts.sample(sample["texts"], random_state=sample["seed"])
    # Recorded labels can be read again at any time: thousands of them need not wait for the disk one by one.
    flush = settings["provider"] != "recorded"
    max_tokens = settings.get("decoding", {}).get("max_tokens", 0)
    with open_store(store_path(store_folder, model_name, prompt.name), flush) as store:
        budget = Budget(settings.get("price"), settings.get("max_cost"), store.cost(), max_tokens)
        with _provider(settings, budget, recorded_path, remote_allowed, set_name, threads) as provider:
            if recorded_path is not None:
                provider.check([str(item) for item in texts["id"]], scale)
            job = _Asking(provider, store, budget, scale, prompt, model_name, settings)
            budget.learn_output(store.most_tokens(job.asked))
            questions = job.questions(texts, repeats)
            failure = None
            try:
                job.ask_missing(questions, settings.get("attempts", 1), settings.get("refused_again", False))
            except (Unanswered, CostLimitError) as error:
                if sample is None:
                    kept = f"All answers are kept in {store.path}: the next run asks for the rest"
                    raise type(error)(f"{error}. {kept}") from None
                # A prompt that fails is a finding about this prompt: the others are compared all the same.
                failure = str(error)
                print(f"failed: {failure}", flush=True)
            write_table(answers_path, job.export(questions, failure))


class _Asking:
    """One job's questions to one provider."""

    def __init__(self, provider, store, budget, scale, prompt, model_name, settings):
        self.provider, self.store, self.budget = provider, store, budget
        self.scale, self.prompt, self.name = scale, prompt, model_name
        self.recorded = provider.name == "recorded"
        self.asked = Asked(
            provider=provider.name,
            model=settings["model"],
            model_version=provider.version,
            prompt_hash="" if self.recorded else prompt.digest,
            scale_hash="" if self.recorded else scale.digest(prompt.about_overall),
            decoding="{}" if self.recorded else decoding_text(settings["decoding"]),
        )

    def questions(self, texts, repeats):
        """The questions about all texts, equal ones too: one per id and repeat."""
        schema = answer_schema(self.scale, self.prompt.answer, self.prompt.reasoning)
        questions = []
        for row in texts.to_dict("records"):
            writer = {name: _code(row.get(name)) for name in WRITER} if self.prompt.about_writer else None
            identity = self.provider.identity(str(row["id"]), row["text"], writer)
            messages = [] if self.recorded else self.prompt.messages(self.scale, row["text"], writer)
            asked = {"messages": messages, "schema": schema, "text": row["text"]}
            questions += [Question(str(row["id"]), identity, repeat, **asked) for repeat in range(repeats)]
        return questions

    def ask_missing(self, questions, attempts, refused_again=False):
        """Ask what has no valid answer yet, an invalid one again until `attempts` are used up.

        Args:
            questions: all questions. attempts: answers to each until one is valid.
            refused_again: whether those that were refused before have as many attempts once more.

        Raises:
            Unanswered: questions have no answer in the end, or none of the answers can be read.
        """
        # In the order of hashes, so that texts that are alike, such as those of one writer, don't follow each other.
        unique = {(question.text_hash, question.repeat): question for question in questions}
        unique = {key: unique[key] for key in sorted(unique)}
        known = self.known()
        refused = [key for key in unique if _last_reason(known, key) in REFUSALS]
        print(
            f"{self.name}, prompt {self.prompt.name}: {len(unique):,} questions, "
            f"{sum(key in known for key in unique):,} answered before, {len(refused):,} of these refused, "
            f"in {self.store.path}",
            flush=True,
        )
        most = dict.fromkeys(unique, attempts)
        if refused_again:
            most |= {key: len(known[key]) + attempts for key in refused}
        failures = {}

        def ask(keys):
            """Ask these questions once more, and return all answers that are known then."""
            asked = [
                replace(
                    unique[key], attempt=len(known.get(key, [])), refused_before=_last_reason(known, key) in REFUSALS
                )
                for key in keys
            ]
            failed = self._ask(asked)
            failures.update({(failure.question.text_hash, failure.question.repeat): failure for failure in failed})
            return self.known()

        for _ in range(attempts):
            missing = [key for key in unique if _is_open(known, key, most) and key not in failures]
            readable = self.recorded or any(_has_label(known, key) for key in unique)
            if len(missing) > FIRST_ANSWERS and not readable:
                # Of a model that has not yet given a label, a few answers show whether it will.
                known = ask(missing[:FIRST_ANSWERS])
                self._refuse_unreadable(unique, known, "first ")
                missing = missing[FIRST_ANSWERS:]
            if missing:
                known = ask(missing)
        unanswered = [key for key in unique if _is_open(known, key, most)]
        if unanswered:
            told = _most_common(failure.cause for failure in failures.values())
            raise Unanswered(f"{len(unanswered):,} of {len(unique):,} questions have no answer ({told})")
        self._refuse_unreadable(unique, known)

    def known(self):
        """All answers in the store, by question, with the reason that the reader gives for each now."""
        known = self.store.answers(self.asked)
        for row in (row for rows in known.values() for row in rows):
            # What was read when it came stays read: it was paid for.
            if row["reason"] is not None:
                row["reason"] = self._read(row["raw"], row["reason"], row["finish"]).reason
        return known

    def _read(self, raw, reason, finish):
        """An answer, read by the rules of the provider."""
        return read_answer(self.asked.provider, raw, reason, finish, self.scale, self.prompt)

    def _ask(self, questions):
        """Ask, add each answer to the store as it arrives, and tell how far it is; returns the failures."""
        progress, failures = Progress(len(questions)), []
        try:
            with contextlib.closing(self.provider.answers(questions)) as results:
                for result in results:
                    self.store.add_loss(self.budget.take_lost())
                    if isinstance(result, Failure):
                        failures.append(result)
                        progress.step(failed=True)
                        continue
                    parsed = self._read(result.raw, result.reason, result.finish)
                    self.store.add(self.asked, result.question, self.prompt.name, self.scale.name, result, parsed)
                    progress.step(invalid=not parsed.valid, cost=result.cost)
        finally:
            self.store.add_loss(self.budget.take_lost())
        progress.tell()
        return failures

    def _refuse_unreadable(self, unique, known, which=""):
        """Raise Unanswered if there are answers, and none of them has a label."""
        answered = [key for key in unique if key in known]
        if not answered or any(_has_label(known, key) for key in answered):
            return
        reasons = [_last_reason(known, key) for key in answered]
        advice = ""
        if "cut_off" in reasons:
            limit = json.loads(self.asked.decoding).get("max_tokens")
            advice = (
                f". Answers end at the limit of {limit} tokens, which thoughts may use up: raise max_tokens below "
                "decoding, or let the server think less"
            )
        raise Unanswered(f"none of the {which}{len(answered):,} answers can be read ({_most_common(reasons)}){advice}")

    def export(self, questions, failure=None):
        """A row per question, in the order of the set: its last answer, and what all attempts at it took.

        ``failure`` says why there are questions without an answer, and stands in a column of its own.
        """
        known = self.known()
        rows = []
        for question in questions:
            attempts = known.get((question.text_hash, question.repeat), [self._no_answer(question)])
            chosen = next((row for row in attempts if row["reason"] is None), attempts[-1])
            row = chosen | {name: _total(attempts, name) for name in TAKEN}
            # The reason depends on how answers are read, except where there was nothing to read.
            status = row["reason"] if row["reason"] in (*UNASKED, "no_answer") else "answered"
            rows.append({"id": question.item, "status": status} | {name: row[name] for name in EXPORTED})
        frame = pandas.DataFrame(rows, columns=["id", "status", *EXPORTED])
        if failure is not None:
            frame["failure"] = failure
        served = sorted(frame["served_model"].dropna().unique())
        if len(served) > 1:
            print(f"the server's model changed on the way: {', '.join(served)}; name a dated version in the config")
        return frame.astype({"tokens_in": "Int64", "tokens_out": "Int64", "latency": float})

    def _no_answer(self, question):
        """What would stand in the store for a question if an empty answer had come."""
        names = {"prompt": self.prompt.name, "scale": self.scale.name, "reason": "no_answer", "cost": 0.0}
        of_question = {name: getattr(question, name) for name in ("text_hash", "repeat", "attempt")}
        return dict.fromkeys(COLUMNS) | asdict(self.asked) | of_question | names


def _has_label(known, key):
    """Whether one of the answers to a question could be read."""
    return any(row["reason"] is None for row in known.get(key, []))


def _last_reason(known, key):
    """Why the last answer to a question has no label; None where it has one, or there is no answer."""
    return known[key][-1]["reason"] if key in known and not _has_label(known, key) else None


def _is_open(known, key, most):
    """Whether a question has no label yet, and attempts left of the `most` that it may have."""
    return not _has_label(known, key) and len(known.get(key, [])) < most[key]


def _most_common(causes):
    """The most common causes with their numbers, in words."""
    counts = Counter(causes).most_common()
    told = ", ".join(f"{count} x {cause}" for cause, count in counts[:CAUSES])
    return told + (f" and {len(counts) - CAUSES} other causes" if len(counts) > CAUSES else "")


def _total(attempts, name):
    """What all attempts took together, as far as it is known; None where it is known of none."""
    known = [row[name] for row in attempts if row[name] is not None]
    return sum(known) if known else None


@contextlib.contextmanager
def _provider(settings, budget, recorded_path, remote_allowed, set_name, threads):
    """The provider that the config names, ready to be asked."""
    if settings["provider"] == "recorded":
        yield Recorded(recorded_path, settings["columns"], settings["sha256"])
    elif settings["provider"] == "llama_cpp":
        version = gguf_version(settings["gguf"])
        with llama_server(settings, budget, threads, version) as server:
            yield server
    else:
        refuse_remote(settings["base_url"], remote_allowed, set_name)
        yield ChatServer(settings, budget, settings.get("version") or "")


def _with_room(settings, prompt):
    """Settings whose limit leaves room for reasoning, where a prompt asks for it: the limit is that of mere scores."""
    if not prompt.reasoning or "decoding" not in settings:
        return settings
    decoding = settings["decoding"]
    return settings | {"decoding": decoding | {"max_tokens": max(decoding["max_tokens"], REASONING_TOKENS)}}


def _code(value):
    """A value about a writer as templates compare it: a whole number, a number, text, or None for a missing one."""
    if value is None or value != value:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return int(number) if number.is_integer() else number
