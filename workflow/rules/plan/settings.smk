"""
Settings: how the config, the dataset files and their schemas are read. Plain Python, so that tests can run it.
"""

import difflib
from pathlib import Path

import jsonschema
import yaml
from snakemake.exceptions import WorkflowError


class UniqueKeyLoader(yaml.SafeLoader):
    """YAML without repeated keys: plain YAML lets the last one win silently."""


def unique_mapping(loader, node, deep=False):
    """Build a mapping; a repeated key is an error that names its line."""
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise WorkflowError(
                f"{key_node.start_mark.name}, line {key_node.start_mark.line + 1}: the key '{key}' is repeated. "
                "YAML would silently take the last one: remove one of them."
            )
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, unique_mapping)


def load_yaml(path):
    """Read a YAML file; errors name the file and the line."""
    try:
        with open(path, encoding="utf-8") as file:
            return yaml.load(file, Loader=UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise WorkflowError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None


def check_schema(content, schema_path, name):
    """Check content against a schema; the error names the file, each key and what is expected."""
    schema = load_yaml(schema_path)
    validator = jsonschema.Draft202012Validator(schema)
    problems = [describe(error) for error in sorted(validator.iter_errors(content), key=lambda error: error.json_path)]
    if problems:
        raise WorkflowError("\n  ".join([f"{name} does not fit {Path(schema_path).name}:", *problems]))


def describe(error):
    """Say in one line what is wrong at which key, and how to mend it."""
    place = error.json_path.removeprefix("$.").removeprefix("$") or "(top level)"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema.get("properties", {}))
        unknown = [str(key) for key in error.instance if key not in known]
        hints = [f"'{key}'" + suggestion(key, known) for key in unknown]
        return f"{place}: unknown key {', '.join(hints)}. Known keys: {', '.join(known)}"
    meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    message = f"{place}: {error.message}" + (f". {meaning}" if meaning else "")
    if error.validator == "type" and isinstance(error.instance, str) and is_number(error.instance):
        message += f" (YAML reads {error.instance} as text: write it with a decimal point, such as 1.0e-4)"
    return message


def suggestion(key, known):
    """Return a hint at the most similar known key."""
    close = difflib.get_close_matches(key, known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def is_number(text):
    """Whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_config():
    """Check the config files as they were given, and the settings that result from them."""
    for path in workflow.configfiles:
        load_yaml(path)
    # Numbers in a list of `--config` come as text.
    config["seeds"] = [int(seed) if str(seed).isdecimal() else seed for seed in config["seeds"]]
    schema = Path(workflow.basedir) / "workflow/schemas/config.schema.yaml"
    check_schema(config, schema, " + ".join(str(path) for path in workflow.configfiles))
    if abs(sum(config["splits"]["shares"].values()) - 1) > 1e-9:
        raise WorkflowError("splits: the three shares must sum to 1.")
