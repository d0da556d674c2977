"""Entry point of rule weigh_costs."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.costs import write_costs

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_costs(
            scores_path=job.input["scores"],
            comparisons_path=job.input["comparisons"],
            set_paths=job.input["sets"],
            answers_paths={model: job.input[f"answers_{model}"] for model in job.params["models"]},
            prices=job.params["prices"],
            costs_path=job.output["costs"],
        )
