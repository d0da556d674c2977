"""Entry point of rule correct_labels."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.corrected import write_corrected

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_corrected(
            model=job.wildcards["model"],
            set_paths={path.stem: path for path in job.input["tables"]},
            labels_paths={(path.parts[-3], path.parts[-2]): path for path in job.input["labels"]},
            threshold=float(job.wildcards["threshold"]),
            corrected_path=job.output["corrected"],
        )
