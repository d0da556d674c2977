"""Entry point of rule judge_claims."""

from empathy_transfer.claims.label_claims import write_label_claims
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_label_claims(
            claims_path=job.input["claims"],
            scores_path=job.input["scores"],
            comparisons_path=job.input["comparisons"],
            agreement_path=job.input["agreement"],
            level=job.params["level"],
            csv_path=job.output["claims"],
        )
