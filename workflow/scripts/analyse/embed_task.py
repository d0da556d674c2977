"""Entry point of rule embed_task."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.features.task_embedding import embed_task

        embed_task(
            inputs=job.input,
            seed=int(job.wildcards["seed"]),
            training=job.params["training"],
            encoder_settings=job.params["encoder"],
            examples=job.params["examples"],
            embedding_path=job.output["embedding"],
            threads=job.threads,
        )
