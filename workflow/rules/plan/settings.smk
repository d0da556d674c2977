"""
Settings: what the config files and the command line give, and which of them is to blame for a fault. Plain Python, so
that tests can run it.
"""

import os
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

COMMAND_LINE = "--config"
# What a value of the command line begins with that is a list, a mapping or a text in quotes.
YAML_BEGINS = ("[", "{", '"', "'")


def refuse_other_encodings(path):
    """Stop at a config file that is not in UTF-8 before Snakemake reads it, which would not say which file it is."""
    if os.path.exists(path):
        read_utf8(path)


def given_settings():
    """What was given, {where: settings}, the strongest last: config.yaml, other files, and `--config` of the command.

    On the command line, Snakemake takes all values inside lists and mappings as texts, and a number in quotes as a number;
    here they are read as YAML.
    """
    settings = workflow.config_settings
    files = [path for path in workflow.configfiles if path not in settings.configfiles] + list(settings.configfiles)
    found = {shown_path(path): load_yaml(path) or {} for path in files}
    typed = {}
    for entry in settings.config_args or []:
        key, _, text = entry.partition("=")
        value = parse_yaml(text, f"{COMMAND_LINE} {key}") if text.startswith(YAML_BEGINS) else config.get(key)
        update_config(typed, {key: value})
    return found | ({COMMAND_LINE: typed} if typed else {})


def shown_path(path):
    """A path as messages show it: short, where it is below the folder of this run."""
    path = Path(path)
    inside = path.is_absolute() and path.is_relative_to(Path.cwd())
    return str(path.relative_to(Path.cwd()) if inside else path)


def owner_of(keys, given):
    """Where the settings at a path of keys were given: the strongest place that has most of the path."""

    def depth(content):
        """How many of the keys lead to something."""
        for number, key in enumerate(keys):
            content = dict(enumerate(content)) if isinstance(content, list) else content
            if not isinstance(content, dict) or key not in content:
                return number
            content = content[key]
        return len(keys)

    return max(enumerate(given), key=lambda entry: (depth(given[entry[1]]), entry[0]))[1]


def plan_of_run():
    """What this run is planned with, which its jobs write down beside their results: files, settings, raw folder."""
    given, here = workflow.config_settings, Path.cwd()
    files = [path.relative_to(here) if path.is_relative_to(here) else path for path in map(Path, given.configfiles)]
    return {
        "configfiles": [path.as_posix() for path in files],
        "config": list(given.config_args or []),
        "raw_dir": os.environ.get("EMPATHY_RAW_DIR") or None,
    }


def program_for_shells(program):
    """Return a path of a program that a shell reads as it is, since Snakemake writes it into commands unquoted.

    Where a folder has a space in its name, it is the path from this folder on, in which all jobs start.
    """
    if shlex.quote(program) == program:
        return program
    relative = os.path.relpath(program)
    if shlex.quote(relative) != relative or not os.path.samefile(relative, program):
        raise WorkflowError(
            f"Snakemake can't start jobs with {program}, since its path has a space or another character that a shell "
            "reads as its own. Make the environment in the folder of this workflow, or where no folder has one."
        )
    return relative


def check_config():
    """Check the config files as they were given, and the settings that result from them."""
    given = given_settings()
    update_config(config, given.get(COMMAND_LINE, {}))

    def owner(keys):
        """Where the settings at a path of keys were given."""
        return owner_of(keys, given)

    check_schema(config, Path(workflow.basedir) / "workflow/schemas/config.schema.yaml", owner=owner)
    if abs(sum(config["splits"]["shares"].values()) - 1) > 1e-9:
        raise WorkflowError(f"{owner(['splits', 'shares'])}: splits: the three shares must sum to 1.")
    config.update(expanded(config))
    if folder := os.environ.get("EMPATHY_RAW_DIR"):
        os.environ.update(EMPATHY_RAW_DIR=expanded(folder))


def expanded(value):
    """Settings with the home folder in place of `~` where a path begins with it."""
    if isinstance(value, dict):
        return {key: expanded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [expanded(inner) for inner in value]
    return os.path.expanduser(value) if isinstance(value, str) and value.startswith("~/") else value
