"""
Pack plan: which pairs are trained together where `pack` is above 1, and what a run writes and removes for that.

A part is a fixed share of a target's sources. The pack of a part trains those of its pairs that this run makes, by the
list that is written before the first job. A pair that has current results is no part of this: Snakemake sees it as if
there were no packs, so it runs again when it would without them. So does one that must run again for its inputs alone,
which is not known when the pairs are parted: it trains by itself.
"""

import json
import shutil

PACKS = f"{RESULTS}/packs"
# Nothing makes this file, so Snakemake takes the other rule for the pair.
NO_PACK = f"{PACKS}/none"


def pack_sources(wildcards):
    """The sources of a part of a target."""
    sources = [task for task in TASKS if task != wildcards.target]
    start = int(wildcards.part) * config["pack"]
    return sources[start : start + config["pack"]]


def pack_adapters(wildcards):
    """Paths of the source adapters of a pack, in the order of its sources."""
    return expand(
        "<results>/baseline/full/seed={seed}/{source}/adapter.safetensors",
        seed=wildcards.seed,
        source=pack_sources(wildcards),
    )


def is_current(wildcards):
    """Whether a pair has results of the settings and the code that it would be trained with."""
    pair = f"{wildcards.source}--{wildcards.target}"
    path = Path(RESULTS) / "transfer" / wildcards.data / f"seed={wildcards.seed}" / pair / "provenance.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        settings = {"training": target_training(wildcards), "encoder": config["encoder"]}
        return record["settings"] == settings and record["code"] == code_fingerprint("train_transfer")
    except (OSError, ValueError, KeyError, TypeError):
        return False


@functools.cache
def are_files_asked_for():
    """Whether files are asked for by name: these and no others then, and a pack would need all sources of its part."""
    return any("/" in str(target) for target in workflow.dag_settings.targets)


def pack_report(wildcards):
    """Path of the report of the pack that a pair is trained in."""
    own = {wildcards.source, wildcards.target} <= set(TASKS)
    if not workflow.is_main_process or are_files_asked_for() or not own or is_current(wildcards):
        return NO_PACK
    sources = [task for task in TASKS if task != wildcards.target]
    part = sources.index(wildcards.source) // config["pack"]
    return f"{PACKS}/{wildcards.data}/seed={wildcards.seed}/{wildcards.target}/{part}/pack.json"


def pack_minutes(wildcards, attempt):
    """Time limit of a pack, in minutes."""
    return len(pack_sources(wildcards)) * training_minutes(wildcards, attempt)


def prepare_packs():
    """Write which pairs this run makes from packs, and leave packs out of what Snakemake records of a pair's inputs.

    With packs on record, all pairs would run again when `pack` changes.
    """
    names = ("source", "target", "data", "seed")
    jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.name == "unpack_transfer"]
    wanted = [[str(job.wildcards_dict[name]) for name in names] for job in jobs]
    os.makedirs(PACKS, exist_ok=True)
    with open(f"{PACKS}/wanted.json", "w", encoding="utf-8") as file:
        json.dump(wanted, file)
    if workflow.non_local_exec:
        os.environ.update(EMPATHY_PACKED_ONLY="1")  # pairs are unpacked on this machine, which is not to train them
    recorded = workflow.persistence._input

    def inputs(job):
        return [path for path in recorded(job) if not path.startswith(f"{PACKS}/")]

    workflow.persistence._input = inputs


def remove_packs(done=False):
    """Remove what packs and their list have left, so that the next run parts what is missing then.

    After a run that made all it should, finished pairs that nobody has taken are of no more use.
    """
    listed = Path(PACKS, "wanted.json")
    if done and listed.is_file() and json.loads(listed.read_text(encoding="utf-8")):
        shutil.rmtree(f".cache/packed/{config['study']}", ignore_errors=True)
    shutil.rmtree(PACKS, ignore_errors=True)
