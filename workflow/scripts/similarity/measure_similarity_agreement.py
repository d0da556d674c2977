"""Entry point of rule measure_similarity_agreement."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.agreement import write_similarity_agreement

if __name__ == "__main__":
    with open_job(snakemake) as job:
        names = job.params["names"]
        write_similarity_agreement(
            files=dict(zip(names, job.input["files"], strict=True)),
            groups={name: job.params["groups"][name] for name in names},
            compared=job.params["compared"],
            settings=job.params["settings"],
            record_folder=job.params["record_folder"],
            paths={name: path for name, path in job.output.items() if name != "provenance"},
        )
