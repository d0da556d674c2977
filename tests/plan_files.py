"""Parts of the plan as plain Python, without Snakemake: whole files of `workflow/rules/plan`, and single functions."""

import re
from pathlib import Path
from types import SimpleNamespace

import yaml

from study_copy import ROOT

PLAN = ROOT / "workflow/rules/plan"
CONFIG = ROOT / "config/config.yaml"


def read_yaml(path):
    """The content of a YAML file."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def plan_names(*files, config=None, configfiles=(), config_args=(), **names):
    """The names that files of the plan define, run one after the other.

    Args:
        files: names of the files. config: the settings; those of config/config.yaml if not given.
        configfiles: files that `--configfile` names. config_args: what follows `--config`.
        names: what the files take from elsewhere.
    """
    given = SimpleNamespace(configfiles=list(configfiles), config_args=list(config_args))
    workflow = SimpleNamespace(basedir=str(ROOT), configfiles=[*configfiles, str(CONFIG)], config_settings=given)
    names |= {"workflow": workflow, "config": read_yaml(CONFIG) if config is None else config}
    for file in files:
        exec(compile((PLAN / f"{file}.smk").read_text(encoding="utf-8"), f"{file}.smk", "exec"), names)
    return names


def plan_function(file, name, **names):
    """A function of a file of the plan that is no plain Python as a whole; `names` is what the function uses."""
    text = (PLAN / f"{file}.smk").read_text(encoding="utf-8")
    exec(re.search(rf"^def {name}\(.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)[0], names)
    return names[name]
