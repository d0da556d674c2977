"""Entry point of rules plot_rating_model and plot_published_rating_model."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.rating_model_figure import plot_rating_model

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_rating_model(
            model_path=job.input["model"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
