"""The store of answers: append-only, one SQLite file per model and prompt, outside of the results.

The workflow deletes the outputs of a job before it runs; answers were paid for and must outlive that. Each answer is
committed as it arrives, so that a killed run loses no more than the requests in flight.
"""

import contextlib
import json
import sqlite3
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

from empathy_transfer.records.files import sha256_bytes

FORMAT = 2
APPLICATION = 0x656D7061  # marks the files of this store, so that no other SQLite file is written to
WAIT_SECONDS = 60.0

KEY = ("provider", "model", "model_version", "prompt_hash", "scale_hash", "decoding")
COLUMNS = dict.fromkeys((*KEY, "text_hash"), "TEXT NOT NULL") | {
    "repeat": "INTEGER NOT NULL",
    "attempt": "INTEGER NOT NULL",
    "prompt": "TEXT NOT NULL",
    "scale": "TEXT NOT NULL",
    "raw": "TEXT",
    "items": "TEXT NOT NULL",
    "label": "REAL",
    "reason": "TEXT",
    "finish": "TEXT",
    "served_model": "TEXT",
    "tokens_in": "INTEGER",
    "tokens_out": "INTEGER",
    "cost": "REAL NOT NULL",
    "latency": "REAL",
    "time": "TEXT NOT NULL",
}
# Beside each row, its digest: the disk may change a byte of it, and SQLite would not see that.
DIGEST = "digest"
# What is kept as the provider gave it.
OF_ANSWERS = ("raw", "finish", "served_model", "tokens_in", "tokens_out", "cost", "latency")
# What requests without an answer may have cost.
LOSSES = "CREATE TABLE losses (cost REAL NOT NULL, time TEXT NOT NULL);"
SCHEMA = f"""
CREATE TABLE answers (
    {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())},
    {DIGEST} TEXT,
    UNIQUE ({", ".join(KEY)}, text_hash, repeat, attempt)
);
{LOSSES}
CREATE TRIGGER no_update BEFORE UPDATE ON answers BEGIN SELECT RAISE(ABORT, 'answers are only ever added'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON answers BEGIN SELECT RAISE(ABORT, 'answers are only ever added'); END;
PRAGMA user_version = {FORMAT};
PRAGMA application_id = {APPLICATION};
"""
# Rows of the first format stay as they are, without a digest.
FROM_FIRST = f"ALTER TABLE answers ADD COLUMN {DIGEST} TEXT; {LOSSES} PRAGMA user_version = {FORMAT};"


REMEDY = "Put a copy of it back, or move it away: its answers are then asked for anew."


class StoreError(RuntimeError):
    """A file of the store can't be used; the message names it."""


@dataclass(frozen=True)
class Asked:
    """What was asked of whom: the part of an answer's key that all texts of a job share."""

    provider: str
    model: str
    model_version: str
    prompt_hash: str
    scale_hash: str
    decoding: str


def decoding_text(decoding):
    """Decoding settings as one text, the same for the same settings in any order."""
    return json.dumps(dict(sorted(decoding.items())))


def store_path(folder, model, prompt):
    """The file of a model (its name in the config) and a prompt."""
    return Path(folder) / f"{model}--{prompt}.sqlite"


class AnswerStore:
    """One open file of the store."""

    def __init__(self, path, connection):
        """Take an open connection to a file that has been checked."""
        self.path = path
        self.connection = connection

    def add(self, asked, question, prompt, scale, answer, parsed):
        """Add an answer with what it was read as; it is on the disk when this returns.

        Raises:
            StoreError: the same question, repeat and attempt has an answer already.
        """
        row = asdict(asked) | {name: getattr(question, name) for name in ("text_hash", "repeat", "attempt")}
        row |= {"prompt": prompt, "scale": scale, "items": json.dumps(parsed.scores)}
        row |= {"label": parsed.label, "reason": parsed.reason, "time": _now()}
        row |= {name: getattr(answer, name) for name in OF_ANSWERS}
        values = [row[name] for name in COLUMNS]
        names, marks = ", ".join((*COLUMNS, DIGEST)), ", ".join("?" * (len(COLUMNS) + 1))
        try:
            with self.connection:
                self.connection.execute(f"INSERT INTO answers ({names}) VALUES ({marks})", [*values, _digest(values)])
        except sqlite3.IntegrityError as error:
            raise StoreError(f"{self.path}: this question has an answer already ({error}).") from None
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: an answer can't be written ({error}).") from None

    def answers(self, asked):
        """All answers to what was asked, as {(text hash, repeat): [row, ...]}, each row a dict, by attempt.

        Raises:
            StoreError: a row is not as it was written.
        """
        where = " AND ".join(f"{name} = ?" for name in KEY)
        found = {}
        query = f"SELECT rowid, {DIGEST}, {', '.join(COLUMNS)} FROM answers WHERE {where} ORDER BY attempt"
        for number, digest, *values in self.connection.execute(query, astuple(asked)):
            if digest is not None and digest != _digest(values):
                raise StoreError(f"{self.path} is damaged: row {number} is not as it was written. {REMEDY}")
            row = dict(zip(COLUMNS, values, strict=True))
            found.setdefault((row["text_hash"], row["repeat"]), []).append(row)
        return found

    def most_tokens(self, asked):
        """Tokens of the longest answer to what was asked; None where there is none, or nobody counted."""
        where = " AND ".join(f"{name} = ?" for name in KEY)
        ((most,),) = self.connection.execute(f"SELECT MAX(tokens_out) FROM answers WHERE {where}", astuple(asked))
        return most

    def add_loss(self, cost):
        """Add what requests without an answer may have cost, in dollars."""
        if cost:
            with self.connection:
                self.connection.execute("INSERT INTO losses VALUES (?, ?)", (cost, _now()))

    def cost(self):
        """Dollars that all answers in this file cost, and those that requests without an answer may have cost."""
        query = "SELECT (SELECT COALESCE(SUM(cost), 0) FROM answers) + (SELECT COALESCE(SUM(cost), 0) FROM losses)"
        return self.connection.execute(query).fetchone()[0]


@contextlib.contextmanager
def open_store(path, flush=True):
    """Open a file of the store, made if need be, and hold it: one process asks a model with a prompt at a time.

    Args:
        path: the file.
        flush: whether each answer is flushed to disk, so that a power cut loses none; a killed process never does.

    Raises:
        StoreError: another process holds it, or the file is damaged or not one of this store.
    """
    import filelock

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(f"{path}.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"waiting for the process that holds {path}", flush=True)
        lock.acquire()
    try:
        connection = _connect(path, flush)
        try:
            yield AnswerStore(path, connection)
        finally:
            connection.close()
    finally:
        lock.release()


def _connect(path, flush):
    """A checked connection to a file of the store."""
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if flush else 'NORMAL'}")
        if not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
            connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        if _marks(connection) == [APPLICATION, 1]:
            connection.executescript(f"BEGIN; {FROM_FIRST} COMMIT;")
        if _marks(connection) != [APPLICATION, FORMAT]:
            raise StoreError(f"{path} is no store of answers of this version. Name another folder in `label_store`.")
        problem = connection.execute("PRAGMA quick_check").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(problem)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(f"{path} is damaged ({error}). {REMEDY}") from None
    except BaseException:
        connection.close()
        raise
    return connection


def _marks(connection):
    """What marks a file as one of this store, and its format."""
    return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]


def _now():
    """The time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _digest(values):
    """A digest of a row's values."""
    return sha256_bytes(json.dumps(list(values)).encode())[:16]
