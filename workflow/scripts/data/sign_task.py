"""Entry point of rule sign_task."""

from empathy_transfer.data.raw_files import files_by_name
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.frame.job import open_job
from empathy_transfer.leakage.signatures import sign_task

if __name__ == "__main__":
    with open_job(snakemake) as job:
        ids = job.params["shared_ids"]
        sign_task(
            splits={split: job.input[split] for split in SPLITS},
            shared_ids=ids,
            raw_files=files_by_name((ids or {}).get("files", []), job.input["files"]),
            items_path=job.output["signed"],
            pieces_path=job.output["pieces"],
            shingles_path=job.output["shingles"],
        )
