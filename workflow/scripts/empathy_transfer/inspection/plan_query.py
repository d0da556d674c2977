"""What a run of the workflow would do now for some results, asked of the workflow engine in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

import empathy_transfer
from empathy_transfer.inspection.why import add_plan
from empathy_transfer.inspection.wording import one_line

PLANNER = "snakemake_logger_plugin_empathy.planned"
MOST = 5000  # a command line can't hold many more


class NoPlan(RuntimeError):
    """The workflow can't say what it would do; the message says why, and how to mend it where that is known."""


def study_config(root, study):
    """The config file of a study, the one in `config/` that names it.

    Raises:
        NoPlan: none does, or several do.
    """
    named = [path for path in sorted(Path(root, "config").glob("*.yaml")) if _study_named_in(path) == study]
    if len(named) != 1:
        files = ", ".join(path.name for path in named) or "no file"
        raise NoPlan(f"{files} in config/ has `study: {study}`; name the study's config with --configfile FILE.")
    return named[0]


def add_plans(root, study, explanations, configfiles=None):
    """Add to each explanation what a run would do now, by the config that its results were made with.

    Args:
        root: folder of the Snakefile. study: name of the study.
        explanations: what `why.explain` found, one for each job.
        configfiles: config files to plan all of them with instead, relative to the working folder.

    Returns:
        The other jobs that a run would do for these results, as (rule, wildcards, reasons).

    Raises:
        NoPlan: the workflow can't say it of one of them.
    """
    asked = {explanation.product: explanation for explanation in explanations}
    chosen = configfiles and {
        "configfiles": [str(Path(path).absolute()) for path in configfiles],
        "config": [],
        "raw_dir": None,
    }
    by_plan = {}
    for product, explanation in asked.items():
        plan = chosen or explanation.record.get("planned_with")
        by_plan.setdefault(json.dumps(plan), []).append(product)
    upstream = {}
    for plan, products in by_plan.items():
        for job in ask_workflow(root, study, products, json.loads(plan)):
            if made := [path for path in job["output"] if path in products]:
                add_plan(asked[made[0]], job, root)
                asked[made[0]].guessed = plan == "null" and study != "published"
            elif asked.keys().isdisjoint(job["output"]):
                upstream[job["rule"], *job["wildcards"].items()] = job["rule"], job["wildcards"], job["reasons"]
    return list(upstream.values())


def ask_workflow(root, study, targets, plan=None):
    """The jobs that a run would do for some results, and those that make them (see the planner for their fields).

    Args:
        root: folder of the Snakefile.
        study: name of the study.
        targets: paths of results, relative to the root.
        plan: what to plan with, as `provenance.plan_of_run` has it; the config file is found by the study's name when
            None. An EMPATHY_RAW_DIR of this process comes before the one of the plan.

    Raises:
        NoPlan: there is no Snakefile, no config file, or the workflow does not plan these results.
    """
    if not Path(root, "Snakefile").is_file():
        raise NoPlan(f"there is no Snakefile in {root}.")
    if len(targets) > MOST:
        raise NoPlan(f"{len(targets):,} results are too many to ask for at once; name a folder with fewer.")
    if plan is None:
        # The analysis of printed numbers belongs to no study.
        files = [] if study == "published" else [str(study_config(root, study))]
        plan = {"configfiles": files, "config": [], "raw_dir": None}
    if gone := [path for path in plan["configfiles"] if not Path(root, path).is_file()]:
        raise NoPlan(f"it was made with {gone[0]}, which is not there; name the study's config with --configfile FILE.")
    files = [str(Path(root, path).absolute()) for path in plan["configfiles"]]
    options = ["--configfile", *files] if files else []
    options += ["--config", *plan["config"]] if plan["config"] else []
    raw_dir = {"EMPATHY_RAW_DIR": plan["raw_dir"]} if plan["raw_dir"] else {}
    scripts = str(Path(empathy_transfer.__file__).parent.parent)
    search = os.pathsep.join(filter(None, [scripts, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", PLANNER, *targets, *options],
        cwd=root,
        env=raw_dir | os.environ | {"PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise NoPlan(f"the workflow does not plan it with this config ({one_line(' '.join(lines[-4:]), 600)})")
    return json.loads(done.stdout)


def _study_named_in(path):
    """The study that a config file names; None if it names none or is not valid."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError:
        return None
    return content.get("study") if isinstance(content, dict) else None
