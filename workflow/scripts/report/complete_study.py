"""Entry point of rule complete_study."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.scores.complete import complete_study

if __name__ == "__main__":
    with open_job(snakemake) as job:
        complete_study(
            study=job.params["study"],
            scores_path=job.input["scores"],
            expected=job.params["expected"],
            left_out=job.params["left_out"],
            complete_path=job.output["complete"],
        )
