"""Entry point of rule prepare_label_set."""

from empathy_transfer.job import open_job
from empathy_transfer.prepare import files_by_name
from empathy_transfer.relabel.sets import prepare_label_set

if __name__ == "__main__":
    with open_job(snakemake) as job:
        prepare_label_set(
            files=files_by_name(job.params["definition"]["sha256"], job.input["files"]),
            definition=job.params["definition"],
            set_path=job.output["texts"],
        )
