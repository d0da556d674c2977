"""Claims of a paper, judged by rules: the same for all studies.

A study has a file of claims and bounds in `resources/claims/`, written before the results, and a module of rules here.
A rule is a function of the study's evidence, the bounds and the claim's arguments. It returns a `Finding`, or several
with keys that say what each is about. What the evidence is, only the study and its rules know.
"""

import inspect
from typing import NamedTuple

import pandas
import yaml

from empathy_transfer.errors import DataError
from empathy_transfer.statistics.verdicts import NOT_TESTABLE

ALPHA, DRAWS = 0.05, 2000


class Finding(NamedTuple):
    """A verdict and why, and the number that it rests on.

    `statistic` says what the number is. Its interval (`low`, `high`) and `p` are None where there are none; `pairs` are
    the pairs behind it. `keys` say what a finding is about, such as {"model": "gpt"}, where a rule has several.
    """

    statistic: str
    verdict: str
    why: str
    number: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    pairs: int = 0
    keys: dict | None = None


def nothing(statistic, pairs, why):
    """A finding without a number."""
    return Finding(statistic, NOT_TESTABLE, why, pairs=pairs)


KEYS = ("id", "claim", "where", "printed", "rule", "arguments")
OPTIONAL = ("metric",)  # of the printed number
NUMBERS = ("number", "low", "high", "p")
COLUMNS = [*KEYS, *(name for name in Finding._fields if name != "keys")]


class ClaimSet(NamedTuple):
    """The claims of a study (dicts), the bounds by which they are judged, and its rules, both by name."""

    claims: list
    bounds: dict
    rules: dict


def read_claims(path, rules, bounds):
    """The `ClaimSet` of a YAML file, where a study has these rules {name: function} and knows bounds of these names.

    Raises:
        DataError: a bound or a key of a claim is missing or unknown, an id stands there twice, a rule is unknown, or
            does not take the arguments.
    """
    with open(path, encoding="utf-8") as file:
        content = yaml.safe_load(file)
    found, claims = content.get("bounds", {}), content.get("claims", [])
    if wrong := sorted(set(bounds) ^ set(found)):
        raise DataError(f"{path}: bounds: '{wrong[0]}' is missing or unknown; known: {', '.join(sorted(bounds))}")
    seen = set()
    for claim in claims:
        name = claim.get("id", "(without id)")
        if wrong := sorted(set(KEYS) ^ (set(claim) - set(OPTIONAL))):
            raise DataError(f"{path}: claim {name}: '{wrong[0]}' is missing or unknown; known: {', '.join(KEYS)}")
        if claim["rule"] not in rules:
            raise DataError(f"{path}: claim {name}: no rule '{claim['rule']}'; known: {', '.join(rules)}")
        try:
            inspect.signature(rules[claim["rule"]]).bind(None, None, **claim["arguments"])
        except TypeError as error:
            raise DataError(f"{path}: claim {name}: rule {claim['rule']}: {error}") from error
        if name in seen:
            raise DataError(f"{path}: claim {name} stands there twice")
        seen.add(name)
    return ClaimSet(claims, found, rules)


def judge(claim_set, evidence):
    """A row for each finding, claim by claim: a frame with `COLUMNS`, keys of findings and optional keys of claims."""
    rows = []
    for claim in claim_set.claims:
        found = claim_set.rules[claim["rule"]](evidence, claim_set.bounds, **claim["arguments"])
        words = ", ".join(f"{key} {_plain(value)}" for key, value in claim["arguments"].items())
        for finding in [found] if isinstance(found, Finding) else found:
            row = claim | {"arguments": words} | finding._asdict()
            rows.append(row | (row.pop("keys") or {}))
    columns = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
    return pandas.DataFrame(rows, columns=list(columns)).astype(dict.fromkeys(NUMBERS, "float64"))


def _plain(value):
    """A list as words."""
    return " and ".join(map(str, value)) if isinstance(value, list) else value
