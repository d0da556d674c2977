"""Entry point of rule collect_controls."""

from empathy_transfer.controls.control_tables import write_controls
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_controls(
            tests_paths=job.input["tests"],
            settings=job.params["settings"],
            controls_path=job.output["controls"],
        )
