"""Entry point of rule compare_variants."""

from empathy_transfer.controls.variant_effects import write_variant_effects
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_variant_effects(
            variants=job.params["variants"],
            run_paths=job.input["runs"],
            test_paths={path.parent.name: path for path in job.input["tests"]},
            settings=job.params["settings"],
            table_path=job.output["table"],
            gains_path=job.output["gains"],
        )
