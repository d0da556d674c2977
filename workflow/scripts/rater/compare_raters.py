"""Entry point of rule compare_raters."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.raters.comparisons import write_rater_comparisons
from empathy_transfer.raters.scores import tests_by_place

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_rater_comparisons(
            scores_path=job.input["scores"],
            run_paths=job.input["runs"],
            test_paths=tests_by_place(job.input["tests"]),
            settings=job.params["settings"],
            cells_path=job.output["cells"],
            comparisons_path=job.output["comparisons"],
        )
