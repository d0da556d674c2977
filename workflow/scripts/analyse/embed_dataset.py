"""Entry point of rule embed_dataset."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse

if __name__ == "__main__" and not reuse(snakemake):
    # The device is claimed before torch is imported, which looks for devices once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.data.splits import SPLITS
        from empathy_transfer.features.dataset_embedding import embed_dataset

        embed_dataset(
            splits={split: job.input[split] for split in SPLITS},
            model=job.params["model"],
            max_texts=job.params["max_texts"],
            seed=job.params["seed"],
            embedding_path=job.output["embedding"],
            threads=job.threads,
        )
