"""Entry point of rules report_importance and report_published_importance."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.report import report_importance

if __name__ == "__main__":
    with open_job(snakemake) as job:
        report_importance(
            measured={name: job.input[name] for name in ("importance", "fit", "shapley")},
            nulls_path=job.input["nulls"],
            model_path=job.input["model"],
            printed_path=job.input["printed"],
            importance_path=job.output["importance"],
            variants_path=job.output["variants"],
            fit_path=job.output["fit"],
            shapley_path=job.output["shapley"],
            text_path=job.output["text"],
        )
