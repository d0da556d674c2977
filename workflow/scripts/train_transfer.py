"""Entry point of rule train_transfer."""

from empathy_transfer.jobs.devices import claim_device
from empathy_transfer.jobs.reuse import open_shared_job, reuse
from empathy_transfer.jobs.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.training.train import Run, train_run

        train_run(
            run=Run(
                job.wildcards["source"], job.wildcards["target"], job.wildcards["data"], int(job.wildcards["seed"])
            ),
            inputs=job.input,
            outputs=job.output,
            settings=job.params["training"],
            encoder_settings=job.params["encoder"],
            threads=job.threads,
            origin=job.origin,
        )
