"""What a run of the workflow would do now for some results, asked of the workflow engine in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

import empathy_transfer
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


def ask_workflow(root, study, targets, configfile=None):
    """The jobs that a run would do for some results, and those that make them (see the planner for their fields).

    Args:
        root: folder of the Snakefile.
        study: name of the study.
        targets: paths of results, relative to the root.
        configfile: the study's config file; found by the study's name when None.

    Raises:
        NoPlan: there is no Snakefile, no config file, or the workflow does not plan these results.
    """
    if not Path(root, "Snakefile").is_file():
        raise NoPlan(f"there is no Snakefile in {root}.")
    if len(targets) > MOST:
        raise NoPlan(f"{len(targets):,} results are too many to ask for at once; name a folder with fewer.")
    options = []
    # The analysis of printed numbers belongs to no study.
    if configfile or study != "published":
        options = ["--configfile", str(Path(configfile or study_config(root, study)).absolute())]
    scripts = str(Path(empathy_transfer.__file__).parent.parent)
    search = os.pathsep.join(filter(None, [scripts, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", PLANNER, *targets, *options],
        cwd=root,
        env=os.environ | {"PYTHONPATH": search},
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
