"""Entry point of rule tabulate_scores."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.scores.tables import tabulate_scores

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tabulate_scores(
            scores_path=job.input["scores"],
            improvement_path=job.input["improvement"],
            tasks=job.params["tasks"],
            kind=job.wildcards["kind"],
            data=job.wildcards["data"],
            csv_path=job.output["csv"],
            html_path=job.output["html"],
            tex_path=job.output["tex"],
            leaked_pairs_path=job.input.get("leaked_pairs"),
            ceiling_paths=job.input.get("ceilings", []),
        )
