"""The claims of the study beside what was found here: claims.csv and claims.md.

Each claim is judged on the corrected tests of the study; the same statistic by the paper's own tests and on the printed
score tables stands beside it.
"""

import json

import numpy
import pandas

from empathy_transfer.claims.engine import judge, read_claims
from empathy_transfer.claims.preregistration import deviations, read_registration, registered_parts
from empathy_transfer.claims.transfer_evidence import (
    OWN_TESTS,
    TESTS,
    printed_evidence,
    read_importance_tables,
    read_study,
    study_evidence,
)
from empathy_transfer.claims.transfer_rules import BOUNDS, RULES
from empathy_transfer.leakage.flags import WITHOUT_LEAKED
from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.report.markdown import plain_text
from empathy_transfer.report.templates import render
from empathy_transfer.significance.paired_tests import ALL, SOUND
from empathy_transfer.statistics.verdicts import VERDICTS

CLAIM_COLUMNS = [
    *["id", "claim", "where", "printed", "runs", "basis", "statistic", "number", "low", "high", "p", "pairs", "seeds"],
    *["number_own_tests", "number_printed_tables", "verdict", "why", "rule", "arguments"],
]


def write_transfer_claims(
    claims_path,
    printed_paths,
    significance_path,
    importance_path,
    nulls_path,
    variants_path,
    tasks,
    outputs,
    registration_path=None,
    settings=None,
    generated=False,
):
    """Judge all claims, and write the table as CSV and as a page.

    Args:
        claims_path: YAML file of claims and bounds.
        printed_paths: the printed tables by what they hold: `scores`, `labels`, `themes`.
        significance_path: significance.csv of a study, or None to judge the printed scores.
        importance_path: importance_variants.csv, or None. nulls_path: rating_nulls.csv, or None.
        variants_path: variant_gains.csv, or None.
        tasks: {task: its theme, kind and dataset} of the study; for the printed scores the dataset alone is read.
        outputs: paths of `csv` and `text`, the files to write.
        registration_path: file that `empathy-transfer preregister` wrote, or None.
        settings: `config`, `tasks` and `ratings` (SHA-256) to compare with it. generated: whether the study's data are.
    """
    claim_set = read_claims(claims_path, RULES, BOUNDS)
    study = read_study(significance_path, tasks) if significance_path else None
    variants = read_csv(variants_path) if variants_path else None
    tables = []
    leaks = study is not None and (study["runs"] == WITHOUT_LEAKED).any()
    for runs in (ALL, SOUND, *([WITHOUT_LEAKED] if leaks else [])):
        importance = read_importance_tables(importance_path, nulls_path, runs)
        if study is None:
            datasets = {task: about["dataset"] for task, about in tasks.items()}
            evidence = printed_evidence(*printed_paths.values(), runs, *importance, datasets)
            own, printed = None, None
        else:
            evidence = study_evidence(study, tasks, runs, TESTS, *importance, variants)
            own = study_evidence(study, tasks, runs, OWN_TESTS)
            printed = printed_evidence(*printed_paths.values(), runs)
        tables.append(judge_transfer(claim_set, evidence, own, printed).assign(runs=runs))
    table = pandas.concat(tables, ignore_index=True)[CLAIM_COLUMNS]
    write_csv(outputs["csv"], table)
    registered = read_registration(registration_path) if registration_path else None
    now = registered_parts(claim_set, settings, settings["ratings"]) if registered else None
    write_text(
        outputs["text"], as_page(table, claim_set, registered, deviations(registered, now) if now else [], generated)
    )
    print(_counts(table[table["runs"] == ALL]))


def judge_transfer(claim_set, evidence, own=None, printed=None):
    """A row for each claim: a frame with `CLAIM_COLUMNS` but `runs`.

    Args:
        claim_set: see `engine.read_claims`. evidence: `transfer_evidence.Evidence` that is judged.
        own: the same study by the paper's own tests, or None. printed: the printed scores, or None; of both only the
            number is taken.
    """
    table = judge(claim_set, evidence).assign(basis=evidence.basis, seeds=evidence.seeds)
    for name, other in (("number_own_tests", own), ("number_printed_tables", printed)):
        table[name] = numpy.nan if other is None else judge(claim_set, other)["number"]
    return table[[name for name in CLAIM_COLUMNS if name != "runs"]]


def as_page(table, claim_set, registered=None, changes=(), generated=False):
    """The claims as a Markdown page; with a registration, and where the study departs from it (`deviations`)."""
    main, without, clean = (table[table["runs"] == runs].set_index("id") for runs in (ALL, SOUND, WITHOUT_LEAKED))
    rows = []
    for name, row in main.iterrows():
        verdict = f"**{row['verdict']}**"
        if without.loc[name, "verdict"] != row["verdict"]:
            verdict += f" (without collapsed runs: {without.loc[name, 'verdict']})"
        if name in clean.index and clean.loc[name, "verdict"] != row["verdict"]:
            verdict += f" (without leaked pairs: {clean.loc[name, 'verdict']})"
        about = [plain_text(row["claim"]), plain_text(f"{row['printed']} ({row['where']})")]
        numbers = [_number(row["number_printed_tables"]), _interval(row), _number(row["number_own_tests"])]
        rows.append([*about, *numbers, verdict, plain_text(row["why"])])
    names = dict.fromkeys(claim["rule"] for claim in claim_set.claims)
    first = main.iloc[0]
    return render(
        __file__,
        counts=_counts(main),
        generated=generated,
        tests=first["basis"] == TESTS,
        seeds=first["seeds"],
        rows=rows,
        judged=main.to_dict("records"),
        plain=plain_text,
        registered=registered,
        changes=[[plain_text(part), plain_text(name), *map(_value, values)] for part, name, *values in changes],
        bounds=claim_set.bounds,
        rules={name: " ".join(claim_set.rules[name].__doc__.split()) for name in names},
    )


def _counts(table):
    """How many claims have which verdict, in words."""
    counts = table["verdict"].value_counts()
    return ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS)


def _value(value):
    """A registered value as text of a table."""
    return "none" if value is None else plain_text(json.dumps(value, ensure_ascii=False))


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
