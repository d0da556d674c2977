"""Entry point of rule count_pairs."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.pairs.counts import count_pairs

if __name__ == "__main__":
    with open_job(snakemake) as job:
        count_pairs(
            tables=job.input["tables"],
            task_files=job.input["task_files"],
            labels_path=job.output["labels"],
            items_path=job.output["counts"],
        )
