"""Entry point of rule list_story_pairs."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.zero_shot import list_pairs

if __name__ == "__main__":
    with open_job(snakemake) as job:
        list_pairs(job.input["tables"], job.output["pairs"])
