"""Entry point of rule tabulate_controls."""

from empathy_transfer.controls.control_tables import tabulate_controls
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tabulate_controls(
            controls_path=job.input["controls"],
            tasks=job.params["tasks"],
            html_path=job.output["html"],
        )
