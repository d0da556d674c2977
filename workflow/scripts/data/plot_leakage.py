"""Entry point of rule plot_leakage."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.leakage.figure import plot_leakage

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_leakage(
            leaked_pairs_path=job.input["leaked_pairs"],
            tasks=job.params["tasks"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
            ratings_path=job.input["ratings"],
        )
