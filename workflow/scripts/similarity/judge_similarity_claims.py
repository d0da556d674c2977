"""Entry point of rule judge_similarity_claims."""

from empathy_transfer.claims.similarity_claims import write_similarity_claims
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_similarity_claims(
            claims_path=job.input["claims"],
            paths={name: job.input[name] for name in ("agreement", "cultures", "beside")},
            comparisons_path=job.input.get("comparisons") or None,
            level=job.params["level"],
            csv_path=job.output["claims"],
        )
