"""Entry point of rule judge_raters."""

from empathy_transfer.claims.rater_claims import write_rater_claims
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_rater_claims(
            claims_path=job.input["claims"],
            comparisons_path=job.input["comparisons"],
            level=job.params["level"],
            csv_path=job.output["claims"],
        )
