"""Entry point of rule audit_pairs."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.pairs.leaks import audit_pairs

if __name__ == "__main__":
    with open_job(snakemake) as job:
        audit_pairs(tables=job.input["tables"], settings=job.params["settings"], leaks_path=job.output["leaks"])
