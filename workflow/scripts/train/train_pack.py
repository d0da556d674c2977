"""Entry point of rule train_pack."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.packs import train_pack
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__":
    continue_warm()
    with open_job(snakemake) as job:
        train_pack(job, snakemake.scriptdir)
