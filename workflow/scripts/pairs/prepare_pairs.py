"""Entry point of rule prepare_pairs."""

from empathy_transfer.frame.reuse import open_shared_job, reuse

if __name__ == "__main__" and not reuse(snakemake):
    with open_shared_job(snakemake) as job:
        from empathy_transfer.data.raw_files import files_by_name
        from empathy_transfer.data.splits import SPLITS
        from empathy_transfer.pairs.prepare import prepare_pairs

        prepare_pairs(
            files=files_by_name(job.params["form"]["files"], job.input["files"]),
            form=job.params["form"],
            task_name=job.wildcards["pairs"],
            task=job.params["task"],
            dataset=job.params["dataset"],
            splits=job.params["splits"],
            outputs={split: job.output[split] for split in SPLITS},
            task_path=job.output["task_json"],
        )
