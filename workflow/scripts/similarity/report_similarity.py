"""Entry point of rule report_similarity."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.report import write_similarity_report

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_similarity_report(
            paths=dict(job.input),
            about=job.params["about"],
            page_path=job.output["page"],
        )
