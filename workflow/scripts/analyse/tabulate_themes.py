"""Entry point of rule tabulate_themes."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.ratings.themes import tabulate_themes

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tabulate_themes(
            ratings_path=job.input["ratings"],
            tasks=job.params["tasks"],
            csv_path=job.output["csv"],
            html_path=job.output["html"],
            tex_path=job.output["tex"],
        )
