"""Entry point of rule collect_published_scores."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.scores.published import write_published_improvement

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_published_improvement(
            scores_path=job.input["scores"],
            labels_path=job.input["labels"],
            improvement_path=job.output["improvement"],
        )
