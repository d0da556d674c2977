"""Entry point of rule audit_labels."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.agreement import write_audit

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_audit(
            set_path=job.input["table"],
            labels_paths={path.parts[-3]: path for path in job.input["labels"]},
            embeddings_path=job.input["embeddings"],
            seed=job.params["seed"],
            audit_path=job.output["audit"],
            summary_path=job.output["summary"],
        )
