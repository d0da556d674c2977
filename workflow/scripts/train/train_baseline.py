"""Entry point of rules train_baseline and train_longer."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.records.runs import BASELINE, TransferRun
        from empathy_transfer.training.recipes.transfer import transfer_recipe
        from empathy_transfer.training.run import train_job

        source, names = "longer" if job.rule == "train_longer" else BASELINE, job.wildcards
        run = TransferRun(source, names["task"], names["data"], int(names["seed"]))
        train_job(job, run, lambda: transfer_recipe(run, job.input, job.params["training"], job.origin))
