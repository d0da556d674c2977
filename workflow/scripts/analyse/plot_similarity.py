"""Entry point of rule plot_similarity."""

from empathy_transfer.features.similarity_figure import plot_similarity
from empathy_transfer.frame.job import open_job

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
