"""Entry point of rule plot_predictors."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.predictor_figure import plot_predictors

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_predictors(
            predictors_path=job.input["predictors"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
