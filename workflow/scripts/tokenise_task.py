"""Entry point of rule tokenise_task."""

from empathy_transfer.job import open_job
from empathy_transfer.splits import SPLITS
from empathy_transfer.tokens import tokenise_task

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tokenise_task(
            splits={split: job.input[split] for split in SPLITS},
            task_path=job.input["task_json"],
            encoder_settings=job.params["encoder"],
            tokens_path=job.output["tokens"],
            threads=job.threads,
        )
