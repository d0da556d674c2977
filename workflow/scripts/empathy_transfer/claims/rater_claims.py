"""The claims on raters of pairs of texts beside what was found here: claims.csv of the stage."""

from empathy_transfer.claims.engine import judge, read_claims
from empathy_transfer.claims.rater_rules import BOUNDS, RULES, RaterEvidence
from empathy_transfer.records.artefacts import read_csv, write_csv

NAMES = {"id": "name", "number": "found", "why": "explanation"}
COLUMNS = ["name", "claim", "task", "model", "metric", "printed", "found", "low", "high", "verdict", "explanation"]


def write_rater_claims(claims_path, comparisons_path, level, csv_path):
    """Judge the claims of a file on comparisons.csv of the stage; ``level`` is the error rate of intervals."""
    write_csv(csv_path, rater_claims(claims_path, RaterEvidence(read_csv(comparisons_path), level)))


def rater_claims(claims_path, evidence):
    """The judged claims of a file, a row per finding: a frame with `COLUMNS`."""
    return judge(read_claims(claims_path, RULES, BOUNDS), evidence).rename(columns=NAMES).reindex(columns=COLUMNS)
