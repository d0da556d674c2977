"""Entry point of rule estimate_sources."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__":
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_job(snakemake) as job, claim_device():
        from empathy_transfer.features.source_estimates import write_estimates

        write_estimates(
            sources=job.params["sources"],
            inputs=job.input,
            seed=int(job.wildcards["seed"]),
            training=job.params["training"],
            encoder_settings=job.params["encoder"],
            examples=job.params["examples"],
            tokens_digest=job.origin["inputs"]["tokens"],
            estimates_path=job.output["estimates"],
            threads=job.threads,
        )
