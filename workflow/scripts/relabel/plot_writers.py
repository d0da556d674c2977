"""Entry point of rule plot_writers."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.slices import plot_groups

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_groups(
            set_paths={path.stem: path for path in job.input["tables"]},
            test_set=job.params["test_set"],
            codes=job.params["codes"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
