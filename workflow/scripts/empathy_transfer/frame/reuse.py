"""Results that another study has made: taken from stores before a job costs anything, and put there when it is done.

An entry point that takes part looks like this:

    if __name__ == "__main__" and not reuse(snakemake):
        with open_shared_job(snakemake) as job:
            ...

Stores are the folders in EMPATHY_RESULT_CACHE (several with the path separator of the system); without the variable
jobs share nothing. The first store that has a result gives it; the others get it, as they get what is computed.
"""

import contextlib
import os
import sys

from empathy_transfer.errors import EncoderError
from empathy_transfer.frame.job import begin, describe, finish, frame, open_job
from empathy_transfer.frame.result_key import CPU, NotShareableError, facts_of, key_of
from empathy_transfer.frame.result_store import DamagedEntryError, ResultStore, UnreadableEntryError
from empathy_transfer.records.encoders import EncoderNotFoundError
from empathy_transfer.records.files import CHECKPOINT
from empathy_transfer.records.provenance import load_provenance

VARIABLE = "EMPATHY_RESULT_CACHE"
# What a job has to say about stores before it begins: it may begin in another process, by `continue_warm`.
SAID = "EMPATHY_RESULT_CACHE_SAID"


def stores():
    """The stores that jobs share results through."""
    return [ResultStore(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]


def reuse(snakemake):
    """Take a job's results from a store if one has them; returns whether it has.

    The results are checked copies, under a provenance of this study with the field `reused`: the `key`, and what they
    cost when they were computed. A damaged entry is taken out of its store, and the job computes as if there were none.
    """
    found = stores()
    if not found:
        return False
    job = describe(snakemake)
    started = begin()
    try:
        job.digest_inputs()
        facts, _ = _facts(job)
    except OSError:
        facts = None
    if facts is None:
        return False  # the job itself tells why
    key = key_of(facts)
    for store in found:
        if store.holds(key):
            with frame(job, snakemake.scriptdir):
                if made := _fetch(store, key, job):
                    print(f"Taken from {store.folder}: entry {key}, computed {made['created']} in {made['seconds']} s")
                    finish(job, started, reused={"key": key, **made})
                    _keep(job, key, facts, [other for other in found if other is not store])
                    return True
    return False


@contextlib.contextmanager
def open_shared_job(snakemake):
    """As `open_job`, and when the job is done, its results are kept in the stores."""
    facts, found = None, stores()
    with open_job(snakemake) as job:
        print(os.environ.pop(SAID, ""), end="")
        if found:
            facts, reason = _facts(job)
        yield job
        # Before the job is finished: what changed meanwhile may have gone into its results.
        if found:
            reason = reason or _doubt(facts, *_facts(job))
            print(f"Results are not shared: {reason}" if reason else "", end="\n" if reason else "")
            facts = None if reason else facts
    if facts is not None:
        with open(job.log, "a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
            _keep(job, key_of(facts), facts, found)


def _fetch(store, key, job):
    """Take an entry out of a store; None if that can't be done, which the job then says when it computes."""
    try:
        made = store.fetch(key, job.files)
    except DamagedEntryError as error:
        gone = "it was removed" if store.discard(key) else "it could not be removed, so it stays"
        reason = f"The entry {key} of {store.folder} is damaged: {error}. Computed anew; {gone}."
    except UnreadableEntryError as error:
        reason = f"The entry {key} of {store.folder} can't be read: {error}. Computed anew."
    else:
        (job.provenance.parent / CHECKPOINT).unlink(missing_ok=True)  # of a training that need not go on
        return made
    print(reason)
    if reason not in (said := os.environ.get(SAID, "")):
        os.environ[SAID] = f"{said}{reason}\n"
    return None


def _keep(job, key, facts, found):
    """Keep the results of a finished job in stores, and say what came of it."""
    if found:
        record = load_provenance(job.provenance)
        for store in found:
            print(f"Entry {key}: {store.keep(key, facts, job.files, record)}")


def _facts(job):
    """What determines a job's results, or None and the reason why that can't be told."""
    try:
        return facts_of(job), None
    except (OSError, NotShareableError, EncoderError, EncoderNotFoundError) as error:
        return None, str(error)


def _doubt(before, after, reason):
    """Why results may not be what their key says; None if all is as it was when the job began."""
    if reason:
        return reason
    if changed := [name for name, value in before.items() if after[name] != value]:
        return f"{', '.join(changed)} changed while the job ran"
    # Known only now, for looking needs torch: with a driver that fails, a machine with a GPU computes without it.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() != (before["device"] != CPU):
        return f"torch computes on {'a GPU' if torch.cuda.is_available() else 'the processor'} here, unexpectedly"
    return None
