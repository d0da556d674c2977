"""Entry point of rules score_target, score_controls and score_partial_target."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.warm_start import continue_warm
from empathy_transfer.scores.run_scores import write_run_scores

if __name__ == "__main__":
    continue_warm()  # there is a job for each target, and most of its time would go into imports
    with open_job(snakemake) as job:
        write_run_scores(
            run_paths=job.input.get("runs") or job.params.get("runs", []),
            scores_path=job.output["scores"],
        )
