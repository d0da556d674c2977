"""Entry point of rule rank_predictors."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.predictors import rank_predictors

if __name__ == "__main__":
    with open_job(snakemake) as job:
        rank_predictors(
            paths=job.input,
            draws=job.params["draws"],
            seed=job.params["seed"],
            by_target_path=job.output["by_target"],
            predictors_path=job.output["predictors"],
        )
