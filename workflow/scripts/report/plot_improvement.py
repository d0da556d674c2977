"""Entry point of rule plot_improvement."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.scores.heat_maps import plot_improvement

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_improvement(
            improvement_path=job.input["improvement"],
            tasks=job.params["tasks"],
            kind=job.wildcards["kind"],
            data=job.wildcards["data"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
            ratings_path=job.input.get("ratings"),
            leaked_pairs_path=job.input.get("leaked_pairs"),
        )
