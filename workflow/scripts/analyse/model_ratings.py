"""Entry point of rules model_ratings and model_published_ratings."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.importance.rating_model import model_ratings

if __name__ == "__main__":
    with open_job(snakemake) as job:
        model_ratings(
            improvement_path=job.input["improvement"],
            features_path=job.input["features"],
            scores_path=job.input.get("scores"),
            model_path=job.output["model"],
        )
