"""Entry point of rule compare_datasets."""

from empathy_transfer.features.dataset_similarity import compare_datasets
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        compare_datasets(
            tasks=job.params["tasks"],
            embedding_paths=job.input.get("embeddings", []),
            similarity_path=job.output["similarity"],
        )
