"""Entry point of rule tokenise_label_set."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.tokens import tokenise_label_set

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tokenise_label_set(
            set_path=job.input["table"],
            encoder_settings=job.params["encoder"],
            tokens_path=job.output["tokens"],
            threads=job.threads,
        )
