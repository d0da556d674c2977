"""Entry point of rule ask_about_pairs."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.zero_shot import ask_about_pairs

if __name__ == "__main__":
    with open_job(snakemake) as job:
        ask_about_pairs(
            set_path=job.input["texts"],
            scale_path=job.input["scale"],
            prompt_path=job.input["prompt"],
            recorded_path=job.input["recorded"] or None,
            threads=job.threads,
            answers_path=job.output["answers"],
            **job.params["question"],
        )
