"""Entry point of rule slice_raters."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.raters.scores import tests_by_place
from empathy_transfer.raters.slices import write_rater_slices

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_rater_slices(
            run_paths=job.input["runs"],
            test_paths=tests_by_place(job.input["tests"]),
            settings=job.params["settings"],
            slices_path=job.output["slices"],
        )
