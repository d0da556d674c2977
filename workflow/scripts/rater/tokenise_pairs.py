"""Entry point of rule tokenise_pairs."""

from empathy_transfer.frame.reuse import open_shared_job, reuse

if __name__ == "__main__" and not reuse(snakemake):
    with open_shared_job(snakemake) as job:
        from empathy_transfer.data.splits import SPLITS
        from empathy_transfer.data.tokens import tokenise_task

        tokenise_task(
            splits={split: job.input[split] for split in SPLITS},
            task_path=job.input["task_json"],
            encoder_settings=job.params["encoder"],
            tokens_path=job.output["tokens"],
            threads=job.threads,
            layout=job.wildcards["architecture"],
        )
