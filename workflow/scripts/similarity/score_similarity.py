"""Entry point of rule score_similarity."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.scores import write_similarity_scores

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_similarity_scores(
            inputs=job.input,
            tasks=job.params["tasks"],
            level=job.params["level"],
            scores_path=job.output["scores"],
        )
