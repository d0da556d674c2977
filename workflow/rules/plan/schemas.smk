"""
Schemas: how YAML files are read and checked, and what is said about a fault. Plain Python, so that tests can run it.
"""

import difflib
import functools
import math
import re
from pathlib import Path

import jsonschema
import yaml
from snakemake.exceptions import WorkflowError

# Numbers as the project reads them: what Python's float takes besides (0_4, other scripts' digits, nan) is a slip.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class UniqueKeyLoader(yaml.SafeLoader):
    """YAML without repeated keys, of which plain YAML takes the last, and without keys that are not as written."""


def unique_mapping(loader, node, deep=False):
    """Build a mapping; a key that is repeated, or that YAML reads as something else, is an error with its line."""
    seen = set()
    for key_node, _ in node.value:
        place = f"{key_node.start_mark.name}, line {key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            raise WorkflowError(f"{place}: a key is a list or a mapping. Write a text.")
        key = loader.construct_object(key_node, deep=True)
        as_written = type(key) in (int, float) and str(key) == key_node.value
        if not isinstance(key, str) and not as_written:
            raise WorkflowError(
                f"{place}: YAML reads the key {key_node.value} as {key!r}. Put it in quotes: '{key_node.value}'."
            )
        if key in seen:
            raise WorkflowError(
                f"{place}: the key '{key}' is repeated. YAML would silently take the last one: remove one of them."
            )
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, unique_mapping)


def load_yaml(path):
    """Read a YAML file; errors name the file and, where they can, the line."""
    return parse_yaml(read_utf8(path), path)


@functools.cache
def load_schema(path):
    """Read a schema, once for all files that are checked against it."""
    return load_yaml(path)


def read_utf8(path):
    """Read a text file; one in another encoding is an error that names the line."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise WorkflowError(f"{path} can't be read ({error.strerror}). Correct its name in the config.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WorkflowError(f"{path}, line {line}: not UTF-8. Save the file in the encoding UTF-8.") from None


def parse_yaml(text, name):
    """Parse YAML; `name` says where it stands."""
    try:
        loader = UniqueKeyLoader(text)
        loader.name = str(name)
        return loader.get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise WorkflowError(f"{name} is not valid YAML: {reason}") from None


def rising(validator, wanted, instance, schema):
    """Keyword `rising` of our schemas: the lowest value stands first."""
    numbers = isinstance(instance, list) and all(validator.is_type(value, "number") for value in instance)
    if wanted and numbers and sorted(set(instance)) != instance:
        yield jsonschema.ValidationError(f"{instance} does not rise: write the lowest value first")


def is_finite_number(checker, value):
    """Whether a value is a number that results can be computed with."""
    return not isinstance(value, bool) and (
        is_short_integer(checker, value) or (isinstance(value, float) and math.isfinite(value))
    )


def is_short_integer(checker, value):
    """Whether a value is written as a whole number, of 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"rising": rising},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": is_finite_number, "integer": is_short_integer}
    ),
)


def check_schema(content, schema_path, name=None, owner=None):
    """Check content against a schema; the error names the file, each key and what is expected.

    `name` is that of the file; of content from several files, `owner` finds the one that gave what is at a path of keys.
    """
    validator = Validator(load_schema(schema_path), format_checker=Validator.FORMAT_CHECKER)
    problems = {}
    for error in validator.iter_errors(content):
        for keys, problem in faults_of(error):
            problems.setdefault(owner(keys) if owner else str(name), []).append(problem)
    if problems:
        parts = [[f"{file} does not fit {Path(schema_path).name}:", *sorted(lines)] for file, lines in problems.items()]
        raise WorkflowError("\n".join("\n  ".join(part) for part in parts))


def faults_of(error):
    """Yield (path of keys, what is wrong there and how to mend it) of an error of a schema."""
    keys = list(error.absolute_path)
    inner = max(error.context or [], key=lambda inner: len(inner.absolute_path), default=error)
    if len(inner.absolute_path) > len(keys):
        yield from faults_of(inner)
    elif error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema.get("properties", {}))
        for key in error.instance:
            if key not in known:
                hint = f"unknown key '{key}'{suggestion(key, known)}. Known keys: {', '.join(known)}"
                yield [*keys, key], f"{place_of(keys)}: {hint}"
    else:
        yield keys, f"{place_of(keys)}: {describe(error)}"


def describe(error):
    """Say in one line what is wrong with a value or a name, and how to mend it."""
    meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    said = error.message
    if error.validator == "not":
        words = error.validator_value.get("enum") or [*error.validator_value.values()]
        taken = f"'{error.instance}' is taken: choose another than {', '.join(map(str, words))}"
        said = taken if error.validator_value else "not allowed here"
    if "propertyNames" in error.absolute_schema_path:
        said = f"the name {said}"
    hint = type_hint(error.instance, error.validator_value) if error.validator == "type" else ""
    return said + (f". {meaning}" if meaning else "") + (f" ({hint})" if hint else "")


def place_of(keys):
    """A path of keys as messages write it, such as `tasks.mine.range[1]`."""
    parts = [f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys]
    return "".join(parts).removeprefix(".") or "(top level)"


def type_hint(value, expected):
    """What to write in place of a value that YAML reads as another type than the expected one."""
    expected = [expected] if isinstance(expected, str) else expected
    if value is None:
        return "the key has no value: give it one, or take it out"
    if "string" in expected and not isinstance(value, (list, dict)):
        return 'YAML reads this as something else than a text: put it in quotes, on the command line as key="text"'
    if not isinstance(value, str) or not {"number", "integer"} & {*expected}:
        return ""
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", value):
        return f"write {value.replace(',', '.')}, with a decimal point"
    if re.fullmatch(r"[+-]?[0-9]+", value):
        return "YAML reads this as text: write it without quotes"
    if is_number(value):
        return f"YAML reads {value} as text: write it with a decimal point, such as 1.0e-4"
    return ""


def suggestion(key, known, cutoff=0.6):
    """Return a hint at the most similar known key."""
    close = difflib.get_close_matches(str(key), [str(one) for one in known], n=1, cutoff=cutoff)
    return f" (did you mean '{close[0]}'?)" if close else ""


def is_number(text):
    """Whether a text reads as a number."""
    return NUMBER.fullmatch(text) is not None
