"""Entry point of rule plot_raters."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.raters.scores_figure import plot_raters

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_raters(
            cells_path=job.input["cells"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
