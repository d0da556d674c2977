"""Entry point of rule compare_with_truth."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.validation.planted import compare_with_truth

if __name__ == "__main__":
    with open_job(snakemake) as job:
        compare_with_truth(
            improvement_path=job.input["improvement"],
            significance_path=job.input["significance"],
            truth_path=job.input["truth"],
            planted_path=job.output["planted"],
            finding_path=job.output["finding"],
        )
