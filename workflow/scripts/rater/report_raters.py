"""Entry point of rule report_raters."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.raters.report import write_rater_report

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_rater_report(
            frames={name: job.input[name] for name in ("claims", "cells", "comparisons", "slices", "leaks")},
            provenance_paths=job.input["runs"],
            level=job.params["level"],
            page_path=job.output["page"],
        )
