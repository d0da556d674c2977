"""Entry point of rule flag_failures."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.flags import write_flags

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_flags(
            scores_path=job.input["scores"],
            comparisons_path=job.input["comparisons"],
            slices_path=job.input["slices"],
            flags_path=job.output["flags"],
        )
