"""Entry point of rules compare_with_baseline and compare_partial_with_baseline."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.significance.paired_tests import write_tests

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_tests(
            scores_path=job.input["scores"],
            prediction_paths=job.input.get("predictions") or job.params.get("predictions", []),
            test_path=job.input.get("test") or job.params["test"],
            settings=job.params["settings"],
            tests_path=job.output["tests"],
            covariance_path=job.output["covariance"],
        )
