"""Entry point of rules collect_scores and partial_scores."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.scores.improvement import write_scores

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_scores(
            metrics_paths=job.input.get("metrics") or job.params.get("metrics", []),
            tasks=job.params["tasks"],
            left_out=job.params["left_out"],
            seeds=job.params["seeds"],
            data=job.params["data"],
            logs=job.params["logs"],
            scores_path=job.output["scores"],
            improvement_path=job.output["improvement"],
            findings_path=job.output["findings"],
        )
