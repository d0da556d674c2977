"""Entry point of rule tokenise_task."""

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.tokens import tokenise_task
from empathy_transfer.jobs.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tokenise_task(
            splits={split: job.input[split] for split in SPLITS},
            task_path=job.input["task_json"],
            encoder_settings=job.params["encoder"],
            tokens_path=job.output["tokens"],
            threads=job.threads,
        )
