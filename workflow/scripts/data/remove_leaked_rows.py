"""Entry point of rule remove_leaked_rows."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.leakage.rows import remove_rows

if __name__ == "__main__":
    with open_job(snakemake) as job:
        remove_rows(job.input["train"], job.input["touched"], job.output["train"])
