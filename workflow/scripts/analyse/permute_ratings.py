"""Entry point of rules permute_ratings and permute_published_ratings."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.report import permute_ratings

if __name__ == "__main__":
    with open_job(snakemake) as job:
        permute_ratings(
            improvement_path=job.input["improvement"],
            features_path=job.input["features"],
            draws=job.params["draws"],
            seed=job.params["seed"],
            nulls_path=job.output["nulls"],
        )
