"""Entry point of rule train_contrastive."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.similarity.contrastive import train_contrastive
        from empathy_transfer.similarity.runs import CONTRASTIVE, SimilarityRun

        names = job.wildcards
        place = names["contrastive"], names["form"], names["story_label"], names["fold"], int(names["seed"])
        train_contrastive(
            run=SimilarityRun(CONTRASTIVE, *place),
            inputs=job.input,
            outputs=job.output,
            encoder_settings=job.params["encoder"],
            threads=job.threads,
            **job.params["settings"],
        )
