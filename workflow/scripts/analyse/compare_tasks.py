"""Entry point of rule compare_tasks."""

from empathy_transfer.features.task_similarity import compare_task_embeddings
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        compare_task_embeddings(
            tasks=job.params["tasks"],
            embedding_paths=job.input.get("embeddings", []),
            similarity_path=job.output["similarity"],
            components_path=job.output["components"],
        )
