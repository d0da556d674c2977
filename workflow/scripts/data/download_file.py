"""Entry point of rule download_file."""

from empathy_transfer.data.raw_files import download
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        source = job.params["source"]
        download(
            dataset_name=source["dataset"],
            files={job.wildcards["file"]: {"url": source["url"], "sha256": source["sha256"]}},
            folder=job.output["file"].parent,
            terms=source["terms"],
        )
