"""Entry point of rule generate_demo."""

from empathy_transfer.data.demo import write_demo
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_demo(
            tables={f"demo_{name}": job.output[name] for name in ("letters", "replies", "notes")},
            truth_path=job.output["truth"],
            rows=job.params["rows"],
            seed=job.params["seed"],
        )
