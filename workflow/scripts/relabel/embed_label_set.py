"""Entry point of rule embed_label_set."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.suspicion import embed_label_set

if __name__ == "__main__":
    with open_job(snakemake) as job:
        embed_label_set(
            tokens_path=job.input["tokens"],
            encoder_settings=job.params["encoder"],
            embeddings_path=job.output["embeddings"],
            threads=job.threads,
        )
