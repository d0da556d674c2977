"""Entry point of rule plot_pair_texts."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.pairs.text_figure import plot_pair_texts

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_pair_texts(
            tables=job.input["tables"],
            tasks=job.params["tasks"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
