"""Entry point of rule draw_adapter."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.models.random_adapters import draw_adapter

if __name__ == "__main__":
    with open_job(snakemake) as job:
        draw_adapter(
            control=job.wildcards["control"],
            seed=int(job.wildcards["seed"]),
            encoder_settings=job.params["encoder"],
            adapter_settings=job.params["adapter"],
            adapter_path=job.output["adapter"],
        )
