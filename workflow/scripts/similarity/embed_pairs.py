"""Entry point of rule embed_pairs."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.similarity.embedding import embed_pairs

        embed_pairs(
            tables=job.input["tables"],
            encoder_settings=job.params["encoder"],
            mapping=job.params["mapping"],
            predictions_path=job.output["predictions"],
            record_path=job.output["run"],
            threads=job.threads,
        )
