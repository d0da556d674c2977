"""Entry point of rules collect_significance and collect_partial_significance."""

from empathy_transfer.families import write_significance
from empathy_transfer.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_significance(
            tests_paths=job.input["tests"],
            covariance_paths=job.input["covariances"],
            improvement_path=job.input["improvement"],
            tasks=job.params["tasks"],
            settings=job.params["settings"],
            significance_path=job.output["significance"],
            counts_path=job.output["theme_counts"],
        )
