"""Entry point of rule tabulate_similarity."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.table import tabulate_similarity

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tabulate_similarity(
            scores_path=job.input["scores"],
            level=job.params["level"],
            csv_path=job.output["csv"],
            html_path=job.output["html"],
        )
