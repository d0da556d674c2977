"""The claims on empathic similarity beside what was found here: claims.csv of the stage."""

from empathy_transfer.claims.engine import judge, read_claims
from empathy_transfer.claims.similarity_rules import BOUNDS, RULES, SimilarityEvidence
from empathy_transfer.records.artefacts import read_csv, write_csv

NAMES = {"id": "claim", "number": "found", "why": "explanation"}
COLUMNS = "claim metric printed group family model statistic found low high p verdict explanation".split()


def write_similarity_claims(claims_path, paths, comparisons_path, level, csv_path):
    """Judge the claims of a file on the tables of the stage.

    Args:
        claims_path: YAML file. paths: {field of `SimilarityEvidence`: CSV file}, without comparisons.
        comparisons_path: comparisons.csv of the models that are trained here, or None. level: error rate of intervals.
        csv_path: file to write, a row per finding: `COLUMNS`.
    """
    frames = {name: read_csv(path) for name, path in paths.items()}
    comparisons = None if comparisons_path is None else read_csv(comparisons_path)
    evidence = SimilarityEvidence(**frames, comparisons=comparisons, level=level)
    write_csv(csv_path, similarity_claims(claims_path, evidence))


def similarity_claims(claims_path, evidence):
    """The judged claims of a file, a row per finding: a frame with `COLUMNS`."""
    table = judge(read_claims(claims_path, RULES, BOUNDS), evidence)
    return table.drop(columns="claim").rename(columns=NAMES).reindex(columns=COLUMNS)
