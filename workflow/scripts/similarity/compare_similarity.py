"""Entry point of rule compare_similarity."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.comparisons import write_similarity_comparisons

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_similarity_comparisons(
            inputs=job.input,
            tasks=job.params["tasks"],
            level=job.params["level"],
            comparisons_path=job.output["comparisons"],
        )
