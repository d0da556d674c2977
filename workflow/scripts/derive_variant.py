"""Entry point of rule derive_variant."""

from empathy_transfer.job import open_job
from empathy_transfer.splits import SPLITS
from empathy_transfer.variants import derive_variant

if __name__ == "__main__":
    with open_job(snakemake) as job:
        derive_variant(
            name=job.wildcards["task"],
            variant=job.params["variant"],
            splits={split: job.input[split] for split in SPLITS},
            task_path=job.input["task_json"],
            labels_path=job.input.get("labels") or None,
            outputs=job.output,
        )
