"""Write down what a study will be judged by before it is run: the command `empathy-transfer preregister`."""

import copy
import datetime
from pathlib import Path

import yaml

import empathy_transfer
from empathy_transfer.claims.engine import read_claims
from empathy_transfer.claims.preregistration import PARTS, as_text, registered_parts, registration
from empathy_transfer.claims.transfer_rules import BOUNDS, RULES
from empathy_transfer.records.files import sha256_file

DEFAULTS, CLAIMS = Path("config/config.yaml"), Path("resources/claims/transfer.yaml")


class CannotRegister(RuntimeError):
    """A registration can't be written; the message says why."""


def preregister(root, configfiles, output=None, today=None):
    """Write the registration of a study, and return what to tell.

    Args:
        root: folder of the workflow. configfiles: config files of the study, laid over config/config.yaml one by one.
        output: file to write; None: `config/preregistrations/<study>.json` below the root.
        today: date; None: that of today.

    Raises:
        CannotRegister: a file is missing, is no YAML, or stands where the registration is to be written.
        DataError: the claims can't be used.
    """
    root = Path(root)
    config = merged_config([root / DEFAULTS, *map(Path, configfiles)])
    path = Path(output) if output else root / "config/preregistrations" / f"{config['study']}.json"
    if path.exists():
        raise CannotRegister(f"{path} is there already, and a preregistration does not change. Name another --output.")
    settings = {"config": config, "tasks": tasks_of(root / config["datasets"], config["tasks"])}
    ratings = root / config["ratings"]
    if not ratings.is_file():
        raise CannotRegister(f"there is no file of ratings {ratings}")
    parts = registered_parts(read_claims(root / CLAIMS, RULES, BOUNDS), settings, sha256_file(ratings))
    date = (today or datetime.datetime.now(datetime.UTC).date()).isoformat()
    content = registration(parts, config["study"], date, empathy_transfer.__version__)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(content), encoding="utf-8")
    counts = ", ".join(f"{len(parts[name])} {name}" for name in PARTS)
    return (
        f"{path}: {counts}; digest {content['digest'][:16]}.\n"
        f"Set `preregistration: {path}` in the study's config: the claims page then says whether the study keeps to "
        "it. To show that it is older than the results, put the digest where others see its date."
    )


def merged_config(paths):
    """Config files laid over each other, the last one strongest.

    Raises:
        CannotRegister: a file is missing or no mapping in YAML.
    """
    config = {}
    for path in paths:
        _lay_over(config, _read_yaml(path))
    return config


def tasks_of(folder, wanted):
    """{task: its entry} in the dataset files of a folder; ``wanted`` is `all`, or a list of names."""
    found = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        found |= _read_yaml(path).get("tasks", {})
    if wanted == "all":
        return found
    if missing := [task for task in wanted if task not in found]:
        raise CannotRegister(f"{folder}: no file has the task {missing[0]!r}")
    return {task: found[task] for task in wanted}


def _read_yaml(path):
    """The mapping in a YAML file."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotRegister(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CannotRegister(f"{path}: this is no YAML in UTF-8") from error
    if not isinstance(content, dict):
        raise CannotRegister(f"{path}: this holds no settings")
    return content


def _lay_over(config, other):
    """Change settings to those of another mapping, inside of nested ones, as Snakemake does."""
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _lay_over(config[key], value)
        else:
            config[key] = copy.deepcopy(value)
