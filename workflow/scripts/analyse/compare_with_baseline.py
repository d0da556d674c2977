"""Entry point of rules compare_with_baseline and compare_partial_with_baseline."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.warm_start import continue_warm
from empathy_transfer.significance.paired_tests import write_tests

if __name__ == "__main__":
    continue_warm()  # there is a job for each target, and most of its time would go into imports
    with open_job(snakemake) as job:
        write_tests(
            scores_path=job.input["scores"],
            prediction_paths=job.input.get("predictions") or job.params.get("predictions", []),
            test_path=job.input.get("test") or job.params["test"],
            settings=job.params["settings"],
            tests_path=job.output["tests"],
            covariance_path=job.output["covariance"],
        )
