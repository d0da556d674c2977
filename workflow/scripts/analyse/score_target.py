"""Entry point of rules score_target, score_controls and score_partial_target."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__":
    continue_warm()  # before the imports, which would take most of the time of these many jobs
    with open_job(snakemake) as job:
        from empathy_transfer.scores.run_scores import write_run_scores

        write_run_scores(
            run_paths=job.input.get("runs") or job.params.get("runs", []),
            scores_path=job.output["scores"],
        )
