"""Entry point of rules tabulate_claims, tabulate_partial_claims and tabulate_published_claims."""

from empathy_transfer.claims.transfer_claims import write_transfer_claims
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_transfer_claims(
            claims_path=job.input["claims"],
            printed_paths={name: job.input[name] for name in ("scores", "labels", "themes")},
            significance_path=job.input.get("significance"),
            importance_path=job.input.get("importance"),
            nulls_path=job.input.get("nulls"),
            variants_path=job.input.get("variants"),
            tasks=job.params["tasks"],
            outputs=job.output,
            registration_path=job.input.get("registration"),
            settings=job.params.get("settings"),
            generated=job.params.get("generated", False),
        )
