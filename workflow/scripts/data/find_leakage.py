"""Entry point of rule find_leakage."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.leakage.audit import find_leakage

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tasks = job.params["tasks"]
        signatures = zip(job.input["signed"], job.input["pieces"], job.input["shingles"], strict=True)
        find_leakage(
            signature_paths=dict(zip(tasks, signatures, strict=True)),
            settings=job.params["settings"],
            pairs_path=job.output["pairs"],
            within_path=job.output["within"],
            touched_paths=dict(zip(tasks, job.output["touched"], strict=True)),
        )
