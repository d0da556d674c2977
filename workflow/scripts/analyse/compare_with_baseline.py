"""Entry point of rules compare_with_baseline and compare_partial_with_baseline."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__":
    continue_warm()  # before the imports, which would take most of the time of these many jobs
    with open_job(snakemake) as job:
        from empathy_transfer.significance.paired_tests import write_tests

        write_tests(
            scores_path=job.input["scores"],
            prediction_paths=job.input.get("predictions") or job.params.get("predictions", []),
            test_path=job.input.get("test") or job.params["test"],
            settings=job.params["settings"],
            tests_path=job.output["tests"],
            covariance_path=job.output["covariance"],
        )
