"""Entry point of rule derive_variant."""

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.variants import derive_variant
from empathy_transfer.frame.job import open_job

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
