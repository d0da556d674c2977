"""Entry point of rule prepare_label_set."""

from empathy_transfer.data.raw_files import folders_by_set
from empathy_transfer.frame.job import open_job
from empathy_transfer.labelling.label_sets import prepare_label_set

if __name__ == "__main__":
    with open_job(snakemake) as job:
        prepare_label_set(
            name=job.wildcards["set"],
            sets=job.params["sets"],
            folders=folders_by_set(job.params["sets"], job.input["files"]),
            demographics=job.params["demographics"],
            bounds=job.params["bounds"],
            record_folder=job.params["record_folder"],
            output_path=job.output["table"],
        )
