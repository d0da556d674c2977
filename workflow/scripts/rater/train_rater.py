"""Entry point of rule train_rater."""

from empathy_transfer.frame.devices import claim_device
from empathy_transfer.frame.reuse import open_shared_job, reuse
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not reuse(snakemake):
    continue_warm()
    # The device is claimed before torch looks for devices, which it does once.
    with open_shared_job(snakemake) as job, claim_device():
        from empathy_transfer.records.runs import RaterRun
        from empathy_transfer.training.recipes.rater import rater_recipe
        from empathy_transfer.training.run import train_job

        run = RaterRun.of(job.wildcards | {"seed": int(job.wildcards["seed"])})
        train_job(job, run, lambda: rater_recipe(run, job.input, job.params["training"], job.origin))
