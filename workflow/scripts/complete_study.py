"""Entry point of rule complete_study."""

from empathy_transfer.jobs.complete import complete_study
from empathy_transfer.jobs.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        complete_study(
            study=job.params["study"],
            metrics_paths=job.input["metrics"],
            expected=job.params["expected"],
            left_out=job.params["left_out"],
            complete_path=job.output["complete"],
        )
