"""Entry point of rule compare_contexts."""

from empathy_transfer.controls.context_effects import write_context_ablation
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_context_ablation(
            scores_paths=job.input["scores"],
            test_paths={path.parent.name: path for path in job.input["tests"]},
            settings=job.params["settings"],
            table_path=job.output["table"],
        )
