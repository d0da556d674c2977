"""Entry point of rules collect_scores and collect_partial_scores."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.scores.improvement import write_scores

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_scores(
            run_scores_paths=job.input["scores"],
            tasks=job.params["tasks"],
            left_out=job.params["left_out"],
            seeds=job.params["seeds"],
            data=job.params["data"],
            logs=job.params["logs"],
            scores_path=job.output["scores"],
            improvement_path=job.output["improvement"],
            findings_path=job.output["findings"],
            leaked_pairs_path=job.input.get("leaked_pairs"),
        )
