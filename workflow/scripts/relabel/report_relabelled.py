"""Entry point of rule report_relabelled."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.report import write_report

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_report(
            scores_path=job.input["scores"],
            comparisons_path=job.input["comparisons"],
            claims_path=job.input["claims"],
            flags_path=job.input["flags"],
            level=job.params["level"],
            page_path=job.output["page"],
        )
