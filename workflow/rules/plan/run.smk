"""
A run: what is said before it, the lock that it holds, and the words at its end.
"""

import json
import os
import subprocess
import sys
import time

from filelock import FileLock, Timeout

STARTED = time.time()


PUBLISHED_ONLY = only_published()
WRITTEN = "results/published" if PUBLISHED_ONLY else RESULTS


def hold_study(lock=FileLock(f"{WRITTEN}/.study.lock", thread_local=False)):
    """Hold the study's lock for the life of this process, so that no two runs write the same study."""
    os.makedirs(WRITTEN, exist_ok=True)
    claim_place()
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WorkflowError(f"Another run works on the study '{Path(WRITTEN).name}' (lock {lock.lock_file}).") from None


def library_module(name, *arguments):
    """Return the command and the environment that run a module of the library."""
    search = os.pathsep.join([str(SCRIPTS), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", f"empathy_transfer.{name}", *arguments]
    return {"args": command, "env": os.environ | {"PYTHONPATH": search}}


def prepare_kernels():
    """Compile the kernels before the first job asks for them; says so where this machine could use them and can't."""
    # In a group of its own, which Ctrl-C does not reach: it ends with this process.
    subprocess.run(**library_module("models.kernel_library"), process_group=0)


def asked_encoders():
    """The encoders of what this run was asked for, as their check takes them."""
    relabelled = [
        {"setting": "relabel: encoders", "use": "whole", "engine": RELABEL["training"]["engine"]}
        | {key: encoder[key] for key in ("name", "revision", "max_length")}
        for encoder in RELABEL["encoders"]
        if "relabel" in asked_targets() or only_labels()
    ]
    stories = [
        {"setting": "similarity: encoders", "use": "sentences"} | {key: about[key] for key in about if key != "key"}
        for about in SIMILARITY["encoders"]
        if any("similarity" in word for word in asked_targets())
    ]
    if only_labels() or only_pairs():
        return relabelled + stories
    engine = study_training()["engine"]
    study = {"setting": "encoder", "use": "adapted", "engine": engine} | config["encoder"]
    sentences = {"setting": "analysis: features: embedding", "use": "sentences"}
    return [study, sentences | config["analysis"]["features"]["embedding"], *relabelled]


def check_encoders():
    """Stop before the first job if an encoder is on this machine that can't be used."""
    done = subprocess.run(
        **library_module("models.encoder_check", json.dumps(asked_encoders())), stderr=subprocess.PIPE
    )
    if done.returncode:
        raise WorkflowError(done.stderr.decode().strip().rpartition("\n")[2])


def offer_warm_start():
    """Start the process that training jobs of this machine fork from; it ends when this process does."""
    if workflow.non_local_exec or "EMPATHY_WARM_START" in os.environ:
        return
    # An attribute of the function, so that the pipe to its standard input stays open as long as this process lives.
    offer_warm_start.process = subprocess.Popen(
        **library_module("frame.warm_start"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    os.environ.update(EMPATHY_WARM_START=offer_warm_start.process.stdout.readline().strip() or "off")


def tell_plan():
    """Say what is left out and why, what is read from a partial release, and which terms hold for downloads."""
    used = {name: form for name, form in FORMS.items() if name in PAIR_DATASETS or not only_pairs()}
    lines = left_out_lines(PAIRS_LEFT_OUT if only_pairs() else LEFT_OUT | VARIANTS_LEFT_OUT | PAIRS_LEFT_OUT)
    if UNKNOWN_RATED and not only_pairs():
        lines.append(f"Not used: ratings of {', '.join(UNKNOWN_RATED)}, which no file of {config['datasets']} has")
    lines += [f"Partial release: {name}: {form['note']}" for name, form in sorted(used.items()) if form["note"]]
    for dataset in sorted({source["dataset"] for source in DOWNLOADED.values()}):
        terms = " ".join((DATASETS | PAIR_DATASETS)[dataset]["terms"].split())
        lines.append(f"To be downloaded: {dataset}, under the terms that you accepted: {terms}")
    print(*lines, sep="\n", end="\n" if lines else "", file=sys.stderr)


def tell_published():
    """Print what the analysis of the printed numbers found."""
    page = Path("results/published/importance.md")
    if page.exists():
        print(page.read_text(encoding="utf-8"), f"Figure: {page.parent / 'figures/importance.png'}", sep="\n")


def close_run(done):
    """Say what was made, what failed and what was left out, and where to look; `done`: all that was asked for is."""
    from snakemake_logger_plugin_empathy.command import go_on_command

    if STORED:
        fetch_provenance(RESULTS)
    asked = [] if "all" in asked_targets() else asked_targets()
    plan = {
        "study": config["study"],
        "results": RESULTS,
        "logs": LOGS,
        "started": STARTED,
        "command": go_on_command(),
        "asked": asked,
        "done": done,
        "expected": asked_runs(asked),
        "left_out": {} if only_labels() else PAIRS_LEFT_OUT if only_pairs() else LEFT_OUT | PAIRS_LEFT_OUT,
        "open": asked_pages(asked),
    }
    os.makedirs(LOGS, exist_ok=True)
    with open(f"{LOGS}/plan.json", "w", encoding="utf-8") as file:
        json.dump(plan, file)
    subprocess.run([sys.executable, "-m", "empathy_transfer.inspection.run_summary", f"{LOGS}/plan.json"])
    if STORED:
        store_closing_words()


if workflow.is_main_process and not PUBLISHED_ONLY:
    check_encoders()
    if not only_labels():
        tell_plan()


onstart:
    hold_study()
    tell_left_over_jobs()
    if not (PUBLISHED_ONLY or only_labels()):
        prepare_kernels()
    offer_warm_start()


onsuccess:
    if PUBLISHED_ONLY:
        tell_published()
    else:
        close_run(done=True)


onerror:
    if not PUBLISHED_ONLY:
        close_run(done=False)
