"""Entry point of rules collect_significance and collect_partial_significance."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.significance.families import write_significance

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_significance(
            tests_paths=job.input["tests"],
            covariance_paths=job.input["covariances"],
            scores_path=job.input["scores"],
            improvement_path=job.input["improvement"],
            leaked_pairs_path=job.input.get("leaked_pairs"),
            tasks=job.params["tasks"],
            settings=job.params["settings"],
            significance_path=job.output["significance"],
            counts_path=job.output["theme_counts"],
        )
