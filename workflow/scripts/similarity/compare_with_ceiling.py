"""Entry point of rule compare_with_ceiling."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.ceilings import write_beside_ceiling

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_beside_ceiling(
            agreement_path=job.input["agreement"],
            machines_path=job.input["machines"],
            peers_path=job.input["peers"],
            scores_path=job.input.get("scores") or None,
            about=job.params["about"],
            csv_path=job.output["csv"],
        )
