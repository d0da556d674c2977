"""Entry point of rule check_raw."""

from empathy_transfer.data.raw_files import check_raw, files_by_name
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import write_json

if __name__ == "__main__":
    with open_job(snakemake) as job:
        digests = check_raw(
            dataset_name=job.wildcards["dataset"],
            files=files_by_name(job.params["expected"], job.input["files"]),
            expected=job.params["expected"],
            record_folder=job.params["record_folder"],
            generated=job.params.get("generated", []),
        )
        write_json(job.output["digests"], digests)
