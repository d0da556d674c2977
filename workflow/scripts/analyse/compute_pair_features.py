"""Entry point of rule compute_pair_features."""

from empathy_transfer.features.pair_features import write_study_features
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_study_features(
            summary_path=job.input["summary"],
            ratings_path=job.input["ratings"],
            similarity_paths={"dataset_similarity": job.input["datasets"], "task_similarity": job.input["tasks"]},
            tasks=job.params["tasks"],
            regression_labels=job.params["regression_labels"],
            features_path=job.output["features"],
        )
