"""Entry point of rule tabulate_raters."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.raters.table import tabulate_raters

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tabulate_raters(
            scores_path=job.input["scores"],
            cells_path=job.input["cells"],
            level=job.params["level"],
            csv_path=job.output["csv"],
            html_path=job.output["html"],
            tex_path=job.output["tex"],
        )
