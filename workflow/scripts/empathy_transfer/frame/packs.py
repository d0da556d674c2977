"""Packs: several pairs of one target trained one after another in one process, each as a job of its own.

A pack puts the results of each pair into a store of this folder, `.cache/packed/<study>`; the job of the pair takes
them from there. So each pair keeps its own outputs, log, provenance and failure, and a pack that is killed loses
nothing but the epoch that it was in.

Its parts: `finished`, a `ResultStore` whose entries also have the log and the provenance; `failed`, the causes and logs
of pairs that failed; `work`, the folders of pairs in training, with their checkpoints.
"""

import contextlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.job import cpu_seconds, describe, frame
from empathy_transfer.frame.result_key import encoder_facts, key_of
from empathy_transfer.frame.result_store import DamagedEntryError, ResultStore, UnreadableEntryError
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.records.artefacts import read_json, write_json
from empathy_transfer.records.files import sha256_file, write_bytes
from empathy_transfer.records.provenance import (
    load_provenance,
    package_versions,
    run_command,
    study_of,
    write_provenance,
)

FOLDER = Path(".cache/packed")
# The rule that a pair's results belong to, whatever process trained them.
RULE = "train_transfer"
OUTPUTS = {
    "adapter": "adapter.safetensors",
    "head": "head.safetensors",
    "predictions": "predictions.parquet",
    "metrics": "metrics.json",
    "epochs": "epochs.jsonl",
    "provenance": "provenance.json",
}
LOG = "log"
INTERRUPTED = 130


class PairError(RuntimeError):
    """A pair can't be had from its pack; the message is the cause."""


class Entries(dict):
    """Named paths or values as a script gets them: `items` are by name, iterating gives all of them one by one."""

    def __iter__(self):
        """Iterate over the values, and over those of a list."""
        for value in self.values():
            yield from value if isinstance(value, list) else [value]


class Packed:
    """The store of a study's packs."""

    def __init__(self, provenance):
        """Find the store of the study that a provenance file belongs to."""
        self.study = study_of(provenance) or study_of(Path(provenance).absolute())
        self.folder = FOLDER / str(self.study)
        self.finished = ResultStore(self.folder / "finished")

    def work(self, key):
        """Folder in which a pair is trained."""
        return self.folder / "work" / key

    def was_left_off(self, key):
        """Whether the training of a pair was begun and not finished."""
        return self.work(key).exists() and not self.finished.holds(key)

    def failure(self, key):
        """File with the cause of a pair's failure; its log lies beside it."""
        return self.folder / "failed" / f"{key}.json"

    def keep(self, key, facts):
        """Move the results of a pair from its work folder to the finished ones."""
        work = self.work(key)
        files = {name: work / name for name in (*OUTPUTS.values(), LOG)}
        record = load_provenance(files["provenance.json"])
        for name in ("provenance.json", LOG):
            path = files[name]
            record["outputs"][name] = {"sha256": sha256_file(path), "bytes": path.stat().st_size}
        said = self.finished.keep(key, facts, files, record)
        if not self.finished.holds(key):
            raise PairError(f"its results are {said}")
        shutil.rmtree(work)

    def fetch(self, key, job):
        """Copy the results of a pair to the outputs and the log of its job; returns whether there were any."""
        outputs = job.files | {"provenance.json": job.provenance, LOG: Path(job.log)}
        try:
            found = self.finished.fetch(key, outputs) is not None
        except (DamagedEntryError, UnreadableEntryError) as error:
            print(f"The results of the pack can't be used ({error}).")
            found = False
        if found:
            remake = run_command(self.study, "--force", job.products[0].as_posix())
            write_provenance(job.provenance, load_provenance(job.provenance) | {"remake": remake})
        return found


def facts_of_pair(job):
    """What says that a pair of a pack is the pair of a job, as plain values.

    Nothing of the machine is in it: a cluster's nodes train what its login node takes.
    """
    encoder = job.params["encoder"]
    return {
        "rule": RULE,
        "wildcards": job.wildcards,
        "settings": job.params,
        "origin": job.origin,
        "encoder": encoder_facts(encoder["name"], encoder["revision"]),
        "threads": job.threads,
        "versions": package_versions(),
    }


def train_pack(job, scriptdir):
    """Train the pairs of a pack, and write which were trained, were there already, or failed.

    A pair that a killed pack was training comes last: if it kills the process again, the others are through.

    Args:
        job: the `Job` of rule train_pack. scriptdir: folder of its entry point.

    Raises:
        KeyboardInterrupt: the run was interrupted.
    """
    packed = Packed(job.provenance)
    wanted, pairs = read_json(job.params["wanted"], verify=False), []
    for source, adapter in zip(job.params["sources"], job.input["adapters"], strict=True):
        if [source, *(job.wildcards[name] for name in ("target", "data", "seed"))] in wanted:
            request = _request(job, source, adapter, scriptdir)
            pair = describe(request)
            pair.digest_inputs()
            pairs.append((source, request, facts_of_pair(pair)))
    pairs.sort(key=lambda pair: packed.was_left_off(key_of(pair[2])))
    report = {}
    with claim_device():
        # Before the first pair, so that no pair's cost has it.
        import empathy_transfer.models.fast
        import empathy_transfer.training.train  # noqa: F401

        for number, (source, request, facts) in enumerate(pairs):
            report[source] = _train(packed, request, facts)
            print(f"{number + 1}/{len(pairs)} {source} -> {job.wildcards['target']}: {report[source]}", flush=True)
    write_json(job.output["report"], {"pairs": report})


def _request(job, source, adapter, scriptdir):
    """What a script would be given for a pair of a pack; its outputs are named when its key is known."""
    names = {"data": job.wildcards["data"], "seed": job.wildcards["seed"], "source": source}
    inputs = {"adapter": adapter, "tokens": job.input["tokens"], "task_json": job.input["task_json"]}
    params = {"training": job.params["training"], "encoder": job.params["encoder"], "code": job.params["pair_code"]}
    return SimpleNamespace(
        rule=RULE,
        wildcards=Entries(names | {"target": job.wildcards["target"]}),
        input=Entries({name: str(path) for name, path in inputs.items()}),
        output=Entries(OUTPUTS),
        params=Entries(params),
        threads=job.threads,
        log=[LOG],
        scriptdir=scriptdir,
    )


def _train(packed, request, facts):
    """Train one pair, unless it is there; returns in words what came of it."""
    key = key_of(facts)
    work = packed.work(key)
    if packed.finished.holds(key):
        shutil.rmtree(work, ignore_errors=True)  # of a pack that was killed before it had removed it
        return "there already"
    packed.failure(key).unlink(missing_ok=True)
    request.output = Entries({name: str(work / file) for name, file in OUTPUTS.items()})
    request.log = [str(work / LOG)]
    before = cpu_seconds()
    try:
        if not reuse(request):
            with open_shared_job(request) as job:
                train_pair(job)
        _leave_out_earlier_cost(work / OUTPUTS["provenance"], before)
        packed.keep(key, facts)
    except (SystemExit, PairError, OSError) as error:
        if getattr(error, "code", None) == INTERRUPTED:
            raise KeyboardInterrupt from None
        return _note_failure(packed, key, error)
    return "trained"


def train_pair(job):
    """Train the pair of a job and write its results."""
    from empathy_transfer.training.train import train_job

    train_job(job, job.wildcards["source"], job.wildcards["target"])


def _leave_out_earlier_cost(provenance, before):
    """Take the CPU time of the pairs before it from the record of a pair."""
    record = load_provenance(provenance)
    own = round(max(record["cpu_seconds"] - before, 0.0), 3)
    write_provenance(provenance, record | {"cpu_seconds": own})


def _note_failure(packed, key, error):
    """Keep the cause and the log of a failed pair; its checkpoint stays."""
    work, note = packed.work(key), packed.failure(key)
    cause = str(error)
    with contextlib.suppress(OSError, ValueError, KeyError):
        cause = json.loads((work / f"{LOG}.failure.json").read_bytes())["cause"]
    write_json(note, {"cause": cause})
    with contextlib.suppress(OSError):
        write_bytes(note.with_suffix(".log"), (work / LOG).read_bytes())
    return f"failed: {cause}"


def unpack(snakemake, alone=True):
    """Take the results of a pair from its pack; returns whether there are any.

    Args:
        snakemake: the object that Snakemake gives to a script.
        alone: whether the job may train the pair where its pack left nothing.

    Raises:
        SystemExit: the pair failed in its pack, with the pair's own log and failure record. The failure is forgotten
            then, so that another attempt trains it. Or there is nothing and the job may not train it.
    """
    snakemake.rule = RULE
    job = describe(snakemake)
    packed = Packed(job.provenance)
    try:
        job.digest_inputs()
        facts = facts_of_pair(job)
    except OSError:
        return False  # the job itself tells why
    key = key_of(facts)
    failure = packed.failure(key)
    if packed.finished.holds(key):
        with frame(job, snakemake.scriptdir):
            if packed.fetch(key, job):
                packed.finished.discard(key)
                return True
    if alone and not failure.is_file():
        return False
    with frame(job, snakemake.scriptdir):
        raise PairError(_recorded_cause(failure))


def _recorded_cause(failure):
    """Print the log of a failed pair and return the cause; both are forgotten."""
    if not failure.is_file():
        return "its pack has left no result; run the same command again"
    log = failure.with_suffix(".log")
    if log.is_file():
        print(log.read_text("utf-8", errors="replace"), end="")
    cause = read_json(failure, verify=False)["cause"]
    for path in (failure, log):
        path.unlink(missing_ok=True)
    return cause


def train_alone(snakemake):
    """Train a pair that no pack has left anything of, as rule train_transfer does."""
    snakemake.rule = RULE
    if not reuse(snakemake):
        with open_shared_job(snakemake) as job, claim_device():
            train_pair(job)
