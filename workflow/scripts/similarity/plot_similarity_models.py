"""Entry point of rule plot_similarity_models."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.models_figure import plot_models

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_models(
            scores_path=job.input["scores"],
            level=job.params["level"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
