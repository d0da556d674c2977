"""Entry point of rule tabulate_specifications."""

from empathy_transfer.claims.specification_table import write_specifications
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_specifications(
            claims_path=job.input["claims"],
            paths={name: path for name, path in job.input.items() if name != "claims"},
            tasks=job.params["tasks"],
            specifications_path=job.output["specifications"],
            tests_path=job.output["tests"],
        )
