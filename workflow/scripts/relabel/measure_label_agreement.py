"""Entry point of rule measure_label_agreement."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.agreement import write_label_agreement

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_label_agreement(
            set_paths={path.stem: path for path in job.input["tables"]},
            labels_paths={(path.parts[-3], path.parts[-2]): path for path in job.input["labels"]},
            settings=job.params["settings"],
            listed=job.params["listed"],
            agreement_path=job.output["agreement"],
            disagreements_path=job.output["disagreements"],
        )
