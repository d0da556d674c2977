"""Entry point of rule report_prompts."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.labelling.prompt_report import report_prompts

if __name__ == "__main__":
    with open_job(snakemake) as job:
        report_prompts(
            answer_paths=job.input["answers"],
            label_paths=job.input["labels"],
            set_paths=job.input["sets"],
            names=job.params["names"],
            validation_set=job.params["validation_set"],
            level=job.params["level"],
            concurrency=job.params["concurrency"],
            csv_path=job.output["csv"],
            html_path=job.output["html"],
        )
