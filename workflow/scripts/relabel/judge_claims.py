"""Entry point of rule judge_claims."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.claims import write_claims

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_claims(
            scores_path=job.input["scores"],
            comparisons_path=job.input["comparisons"],
            agreement_path=job.input["agreement"],
            slices_path=job.input["slices"],
            printed_path=job.params["printed"],
            level=job.params["level"],
            claims_path=job.output["claims"],
            flags_path=job.output["flags"],
        )
