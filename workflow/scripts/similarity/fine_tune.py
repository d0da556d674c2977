"""Entry point of rule fine_tune."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    # The device is claimed before torch looks for devices, which it does once.
    with open_job(snakemake) as job, claim_device():
        from empathy_transfer.similarity.fine_tuning import fine_tune
        from empathy_transfer.similarity.runs import FINE_TUNED, SimilarityRun

        names = job.wildcards
        place = names["tuned"], names["form"], names["story_label"], names["fold"], int(names["seed"])
        fine_tune(
            run=SimilarityRun(FINE_TUNED, *place),
            inputs=job.input,
            outputs=job.output,
            threads=job.threads,
            **job.params["settings"],
        )
