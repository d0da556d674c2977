"""Entry point of rules plot_importance and plot_published_importance."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.figure import plot_importance

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_importance(
            importance_path=job.input["importance"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
