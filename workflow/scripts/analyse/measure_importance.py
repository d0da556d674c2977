"""Entry point of rules measure_importance and measure_published_importance."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.report import measure_importance

if __name__ == "__main__":
    with open_job(snakemake) as job:
        measure_importance(
            improvement_path=job.input["improvement"],
            features_path=job.input["features"],
            tests_paths=job.input.get("tests", []),
            protocol=job.wildcards["protocol"],
            settings=job.params["settings"],
            importance_path=job.output["importance"],
            fit_path=job.output["fit"],
            shapley_path=job.output["shapley"],
        )
