"""Entry point of rule plot_differences."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.ratings.figures import plot_differences

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_differences(
            differences_path=job.input["differences"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
