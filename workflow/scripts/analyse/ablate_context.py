"""Entry point of rule ablate_context."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__":
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_job(snakemake) as job, claim_device():
        from empathy_transfer.controls.context_ablation import ablate_context

        ablate_context(
            inputs=job.input,
            outputs=job.output,
            settings=job.params["training"],
            encoder_settings=job.params["encoder"],
            seed=int(job.wildcards["seed"]),
            threads=job.threads,
        )
