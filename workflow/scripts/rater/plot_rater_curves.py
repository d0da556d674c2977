"""Entry point of rule plot_rater_curves."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.raters.curves_figure import plot_curves

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_curves(
            epochs_paths=job.input["epochs"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
