"""Entry point of rule plot_similarity."""

from empathy_transfer.job import open_job
from empathy_transfer.similarity_figure import plot_similarity

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_similarity(
            similarity_path=job.input["similarity"],
            tasks=job.params["tasks"],
            similarity=job.wildcards["similarity"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
            ratings_path=job.input["ratings"],
        )
