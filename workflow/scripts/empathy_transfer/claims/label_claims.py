"""The claims on labels from language models beside what was found here: claims.csv of the stage."""

from empathy_transfer.claims.engine import judge, read_claims
from empathy_transfer.claims.label_rules import BOUNDS, RULES, LabelEvidence
from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.relabel.scores import read_relabelled_scores

NAMES = {"id": "claim", "number": "found", "why": "explanation"}
COLUMNS = ["encoder", "claim", "metric", "printed", "model", "found", "low", "high", "verdict", "explanation"]


def write_label_claims(claims_path, scores_path, comparisons_path, agreement_path, level, csv_path):
    """Judge the claims of a file on the CSV files of the stage; ``level`` is the error rate of intervals."""
    frames = read_relabelled_scores(scores_path), read_csv(comparisons_path), read_csv(agreement_path)
    write_csv(csv_path, label_claims(claims_path, LabelEvidence(*frames, level)))


def label_claims(claims_path, evidence):
    """The judged claims of a file, a row per finding: a frame with `COLUMNS`."""
    table = judge(read_claims(claims_path, RULES, BOUNDS), evidence)
    return table.drop(columns="claim").rename(columns=NAMES).reindex(columns=COLUMNS)
