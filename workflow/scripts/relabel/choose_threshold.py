"""Entry point of rule choose_threshold."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.thresholds import choose_threshold

if __name__ == "__main__":
    with open_job(snakemake) as job:
        choose_threshold(run_paths=job.input["runs"], threshold_path=job.output["threshold"])
