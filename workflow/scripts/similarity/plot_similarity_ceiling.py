"""Entry point of rule plot_similarity_ceiling."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.ceiling_figure import plot_ceiling

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_ceiling(
            beside_path=job.input["beside"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
