"""Entry point of rule plot_reliability."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.reliability.figure import plot_reliability

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_reliability(
            reliability_path=job.input["reliability"],
            ratings_path=job.input["ratings"],
            tasks=job.params["tasks"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
