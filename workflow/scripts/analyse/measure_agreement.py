"""Entry point of rule measure_agreement."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.ratings.agreement import write_agreement

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_agreement(
            ratings_path=job.input["ratings"],
            resamples=job.params["resamples"],
            alpha=job.params["alpha"],
            agreement_path=job.output["agreement"],
            pairs_path=job.output["pairs"],
            differences_path=job.output["differences"],
        )
