"""Entry point of rule plot_context_ablation."""

from empathy_transfer.controls.context_figure import plot_context_ablation
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        plot_context_ablation(
            ablation_path=job.input["table"],
            tasks=job.params["tasks"],
            figure_paths=[job.output["png"], job.output["svg"]],
            csv_path=job.output["csv"],
        )
