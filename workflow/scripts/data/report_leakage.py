"""Entry point of rule report_leakage."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.leakage.report import report_leakage

if __name__ == "__main__":
    with open_job(snakemake) as job:
        report_leakage(
            pairs_path=job.input["pairs"],
            within_path=job.input["within"],
            touched_paths=dict(zip(job.params["tasks"], job.input["touched"], strict=True)),
            settings=job.params["settings"],
            outputs={name: job.output[name] for name in ("leakage", "within", "leaked_pairs", "page")},
        )
