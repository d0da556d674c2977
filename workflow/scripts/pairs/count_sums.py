"""Entry point of rule count_sums."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.pairs.counts import count_sums

if __name__ == "__main__":
    with open_job(snakemake) as job:
        count_sums(tables=job.input["tables"], highest=job.params["highest"], sums_path=job.output["sums"])
