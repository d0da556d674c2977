"""The claims of the study beside what was found here: claims.csv and claims.md.

Claims, rules and bounds are a data file, written before the results. Each claim is judged on the corrected tests of the
study; the same statistic by the paper's own tests and on the printed score tables stands beside it.
"""

import pandas
import yaml

from empathy_transfer.claims.evidence import (
    OWN_TESTS,
    TESTS,
    printed_evidence,
    read_importance_tables,
    read_study,
    study_evidence,
    variant_gains,
)
from empathy_transfer.claims.finding import NOT_SUPPORTED, SUPPORTED, UNDECIDED, VERDICTS
from empathy_transfer.claims.rules import RULES
from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.report.markdown import markdown_table, plain_text
from empathy_transfer.significance.paired_tests import ALL, SOUND

CLAIM_COLUMNS = [
    *["id", "claim", "where", "printed", "runs", "basis", "statistic", "number", "low", "high", "p", "pairs", "seeds"],
    *["number_own_tests", "number_printed_tables", "verdict", "why", "rule", "arguments"],
]
KEYS = ("id", "claim", "where", "printed", "rule", "arguments")
BOUNDS = {
    *("least_tasks", "plausible_percent", "rare_share", "margin_percent", "substantial_percent"),
    "negligible_importance",
}


def write_claims(
    claims_path,
    printed_paths,
    significance_path,
    importance_path,
    nulls_path,
    variants_path,
    tasks,
    csv_path,
    text_path,
):
    """Judge all claims, and write the table as CSV and as a page.

    Args:
        claims_path: YAML file of claims and bounds.
        printed_paths: the printed tables by what they hold: `scores`, `labels`, `themes`.
        significance_path: significance.csv of a study, or None to judge the printed scores.
        importance_path: importance_variants.csv, or None. nulls_path: rating_nulls.csv, or None.
        variants_path: variants.csv, or None.
        tasks: {task: its theme and kind} of the study; not read for the printed scores.
        csv_path, text_path: files to write.
    """
    bounds, claims = read_claims(claims_path)
    study = read_study(significance_path, tasks) if significance_path else None
    variants = variant_gains(read_csv(variants_path), study) if variants_path else None
    tables = []
    for runs in (ALL, SOUND):
        importance = read_importance_tables(importance_path, nulls_path, runs)
        if study is None:
            evidence, own, printed = printed_evidence(*printed_paths.values(), runs, *importance), None, None
        else:
            evidence = study_evidence(study, tasks, runs, TESTS, *importance, variants)
            own = study_evidence(study, tasks, runs, OWN_TESTS)
            printed = printed_evidence(*printed_paths.values(), runs)
        tables.append(judge(claims, bounds, evidence, own, printed).assign(runs=runs))
    table = pandas.concat(tables, ignore_index=True)[CLAIM_COLUMNS]
    write_csv(csv_path, table)
    write_text(text_path, as_page(table, bounds, claims))
    counts = table.loc[table["runs"] == ALL, "verdict"].value_counts()
    print(", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS))


def read_claims(path):
    """Bounds and claims of a YAML file.

    Raises:
        DataError: a bound or a key of a claim is missing or unknown, an id stands there twice, or its rule is unknown.
    """
    with open(path, encoding="utf-8") as file:
        content = yaml.safe_load(file)
    bounds, claims = content.get("bounds", {}), content.get("claims", [])
    if wrong := sorted(BOUNDS ^ set(bounds)):
        raise DataError(f"{path}: bounds: '{wrong[0]}' is missing or unknown; known: {', '.join(sorted(BOUNDS))}")
    seen = set()
    for claim in claims:
        name = claim.get("id", "(without id)")
        if wrong := sorted(set(KEYS) ^ set(claim)):
            raise DataError(f"{path}: claim {name}: '{wrong[0]}' is missing or unknown; known: {', '.join(KEYS)}")
        if claim["rule"] not in RULES:
            raise DataError(f"{path}: claim {name}: no rule '{claim['rule']}'; known: {', '.join(RULES)}")
        if name in seen:
            raise DataError(f"{path}: claim {name} stands there twice")
        seen.add(name)
    return bounds, claims


def judge(claims, bounds, evidence, own=None, printed=None):
    """A row for each claim: a frame with `CLAIM_COLUMNS` but `runs`.

    Args:
        claims, bounds: see `read_claims`. evidence: `claim_evidence.Evidence` that is judged.
        own: the same study by the paper's own tests, or None. printed: the printed scores, or None; of both only the
            number is taken.
    """
    rows = []
    for claim in claims:
        rule = RULES[claim["rule"]]
        finding = one_seed(rule(evidence, bounds, **claim["arguments"]), claim, evidence)
        row = {key: claim[key] for key in ("id", "claim", "where", "printed", "rule")} | finding._asdict()
        row |= {"basis": evidence.basis, "seeds": evidence.seeds}
        row["arguments"] = ", ".join(f"{key} {_plain(value)}" for key, value in claim["arguments"].items())
        for name, other in (("number_own_tests", own), ("number_printed_tables", printed)):
            row[name] = None if other is None else rule(other, bounds, **claim["arguments"]).number
        rows.append(row)
    numbers = ("number", "low", "high", "p", "number_own_tests", "number_printed_tables")
    frame = pandas.DataFrame(rows, columns=[name for name in CLAIM_COLUMNS if name != "runs"])
    return frame.astype(dict.fromkeys(numbers, "float64"))


def one_seed(finding, claim, evidence):
    """The finding, `undecided` where it rests on tests of single transfers that one seed was made for.

    Such tests cover the choice of test items only; another seed might well have turned them.
    """
    counts = claim["arguments"].get("outcome", "improved") != "percent" and claim["rule"] in COUNTING
    if (
        counts
        and evidence.basis == TESTS
        and not evidence.covers_seeds
        and finding.verdict in (SUPPORTED, NOT_SUPPORTED)
    ):
        why = f"one seed, so the tests say nothing of another; otherwise {finding.verdict}: {finding.why}"
        return finding._replace(verdict=UNDECIDED, why=why)
    return finding


COUNTING = ("theme_differs", "none_improved", "only_these_targets", "rare")


def as_page(table, bounds, claims):
    """The claims as a Markdown page."""
    main, without = (table[table["runs"] == runs].set_index("id") for runs in (ALL, SOUND))
    counts = main["verdict"].value_counts()
    lines = ["# Do the claims of the paper hold here?", ""]
    lines += [", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS) + ".", ""]
    lines += [*_basis(main), ""]
    heads = ["claim", "in the paper", "printed tables", "here", "by the paper's own tests", "verdict", "why"]
    rows = []
    for name, row in main.iterrows():
        verdict = f"**{row['verdict']}**"
        if without.loc[name, "verdict"] != row["verdict"]:
            verdict += f" (without collapsed runs: {without.loc[name, 'verdict']})"
        cells = [
            plain_text(row["claim"]),
            plain_text(f"{row['printed']} ({row['where']})"),
            _number(row["number_printed_tables"]),
            _interval(row),
            _number(row["number_own_tests"]),
            verdict,
            plain_text(row["why"]),
        ]
        rows.append(cells)
    lines += [*markdown_table(heads, rows), "", "## What the numbers are", ""]
    lines += [
        f"- {plain_text(row['claim'])} {plain_text(row['statistic'])}; {row['pairs']} pairs."
        for _, row in main.iterrows()
    ]
    lines += ["", "## The rules", ""]
    lines += [f"Bounds: {', '.join(f'{key} {value:g}' for key, value in bounds.items())}.", ""]
    for name in dict.fromkeys(claim["rule"] for claim in claims):
        words = " ".join(RULES[name].__doc__.split())
        lines.append(f"- `{name}`: {words}")
    return "\n".join([*lines, ""])


def _basis(main):
    """What the table rests on, in words."""
    first = main.iloc[0]
    if first["basis"] == TESTS:
        seeds = "one seed" if first["seeds"] == 1 else f"{first['seeds']} seeds or more"
        lines = [
            f"Counts are by tests at a false discovery rate of 5 %, of {seeds}. Beside them stand the same numbers by"
        ]
        return [*lines, "the paper's own test (one seed, no correction) and from its printed score tables."]
    return [
        "Judged are the printed score tables. They hold no tests, one seed and two decimals: counted is every printed",
        "difference, so claims about single significant transfers can't be decided from them.",
    ]


def _interval(row):
    """Number, interval and p as text."""
    text = _number(row["number"])
    if row["low"] == row["low"]:
        text += f" ({_number(row['low'])} to {_number(row['high'])})"
    return text + (f", p = {row['p']:.3f}" if row["p"] == row["p"] else "")


def _number(value):
    """A number with up to three decimals, or a dash."""
    if value != value:
        return "–"
    return f"{value:.3f}" if abs(value) < 1 and value != 0 else f"{value:.1f}"


def _plain(value):
    """A list as words."""
    return " and ".join(map(str, value)) if isinstance(value, list) else value
