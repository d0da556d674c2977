"""Entry point of rule score_raters."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.raters.scores import write_rater_scores

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_rater_scores(job.input["runs"], job.output["scores"])
