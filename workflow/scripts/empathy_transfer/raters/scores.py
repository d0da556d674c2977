"""Scores of all raters by every metric, each beside the score of the best constant answer."""

from pathlib import Path

from empathy_transfer.records.runs import RaterRun
from empathy_transfer.scores.run_scores import write_run_scores

FACTS = ("validation", "best_epoch", "epochs", "n_train", "trained_parameters", "seconds")


def write_rater_scores(run_paths, scores_path):
    """Write scores.csv, see ``run_scores.write_run_scores``; arguments as there."""
    write_run_scores(run_paths, scores_path, RaterRun, FACTS, pairs=True)


def tests_by_place(paths):
    """{(scheme, pairs): path} of tables of test pairs."""
    return {Path(path).parts[-3:-1]: path for path in paths}
