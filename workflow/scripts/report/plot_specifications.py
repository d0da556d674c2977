"""Entry point of rule plot_specifications."""

from empathy_transfer.claims.specification_figure import plot_specifications
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_specifications(
            specifications_path=job.input["specifications"],
            tests_path=job.input["tests"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
