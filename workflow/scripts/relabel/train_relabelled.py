"""Entry point of rule train_relabelled."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.records.runs import RelabelledRun
        from empathy_transfer.relabel.recipe import relabelled_recipe
        from empathy_transfer.training.run import train_job

        names = job.wildcards
        run = RelabelledRun(names["encoder"], names["labeller"], names["setting"], int(names["seed"]))
        train_job(
            job, run, lambda: relabelled_recipe(run, job.input, job.params["training"], job.output["training_set"])
        )
