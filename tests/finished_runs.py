"""Finished runs without any training: their records and predictions, and the table of their scores, as jobs left them.

All paths are relative to the working folder, in which a test should be alone.
"""

from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import write_json, write_table
from empathy_transfer.scores.run_scores import write_run_scores
from fake_jobs import fake_snakemake

RESULTS = "results/tiny"


def finish_run(run, table, **facts):
    """Write the predictions of a run, and its record with these facts; returns the path of the record.

    Args:
        run: a `TransferRun`. table: frame with id, label, prediction, and `p_<label>` for each label.
    """
    folder = f"{RESULTS}/{run.folder}"
    output = {"run": f"{folder}/run.json", "predictions": f"{folder}/predictions.parquet"}
    with open_job(fake_snakemake("train", output | {"provenance": f"{folder}/provenance.json"})) as job:
        write_table(job.output["predictions"], table)
        write_json(job.output["run"], run.columns | {"validation": 0.5, "floor_validation": 0.25} | facts)
    return output["run"]


def score_runs(paths, name="scores"):
    """Write the table of the scores of runs as rule score_target does; returns its path."""
    scores = f"{RESULTS}/analysis/{name}.csv"
    output = {"scores": scores, "provenance": f"{RESULTS}/analysis/{name}.provenance.json"}
    with open_job(fake_snakemake("score_target", output)) as job:
        write_run_scores(paths, job.output["scores"])
    return scores


def predictions_of(paths):
    """The paths of the predictions beside records of runs."""
    return [path.replace("run.json", "predictions.parquet") for path in paths]
