"""Entry point of rule measure_ceiling."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.reliability.raters import write_ceiling

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_ceiling(
            raters_path=job.input["raters"],
            table_paths=job.input["tables"],
            task_name=job.wildcards["task"],
            task=job.params["task"],
            quote=job.params["form"].get("quote", "double"),
            settings=job.params["settings"],
            ceiling_path=job.output["ceiling"],
        )
