"""Entry point of rule train_relabelled."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.relabel.fine_tuning import train_relabelled

        train_relabelled(
            model=job.wildcards["labeller"],
            setting=job.wildcards["setting"],
            seed=int(job.wildcards["seed"]),
            inputs=job.input,
            outputs=job.output,
            settings=job.params["training"],
            encoder_settings=job.params["encoder"],
            threads=job.threads,
        )
