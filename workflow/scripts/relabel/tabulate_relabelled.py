"""Entry point of rule tabulate_relabelled."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.table import tabulate_relabelled

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tabulate_relabelled(
            scores_path=job.input["scores"],
            comparisons_path=job.input["comparisons"],
            level=job.params["level"],
            csv_path=job.output["csv"],
            html_path=job.output["html"],
            tex_path=job.output["tex"],
        )
