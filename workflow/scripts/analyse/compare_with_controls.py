"""Entry point of rule compare_with_controls."""

from empathy_transfer.controls.control_tests import write_control_tests
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_control_tests(
            target=job.wildcards["target"],
            scores_paths=job.input["scores"],
            prediction_paths=job.input["predictions"],
            test_path=job.input["test"],
            leaked_pairs_path=job.input["leaked_pairs"],
            settings=job.params["settings"],
            tests_path=job.output["tests"],
        )
