"""Entry point of rule plot_controls."""

from empathy_transfer.controls.control_figure import plot_controls
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_controls(
            controls_path=job.input["controls"],
            tasks=job.params["tasks"],
            data=job.wildcards["data"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
