"""Entry point of rule collect_relabelled."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.scores import write_relabelled_scores

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_relabelled_scores(
            run_paths=job.input["runs"],
            thresholds_paths=job.input["thresholds"],
            thresholds=job.params["thresholds"],
            width=job.params["width"],
            test_path=job.input["test"],
            scores_path=job.output["scores"],
        )
