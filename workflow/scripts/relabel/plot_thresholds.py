"""Entry point of rule plot_thresholds."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.sweep_figure import plot_sweep

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_sweep(
            scores_path=job.input["scores"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
