"""Entry point of rule compare_relabelled."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.comparisons import write_comparisons

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_comparisons(
            scores_path=job.input["scores"],
            test_path=job.input["test"],
            runs_folder=job.input["predictions"][0].parents[4],
            settings=job.params["settings"],
            comparisons_path=job.output["comparisons"],
        )
