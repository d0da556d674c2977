"""Entry point of rule compute_published_features."""

from empathy_transfer.features.pair_features import write_published_features
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_published_features(
            printed_paths=job.input,
            tasks=job.params["tasks"],
            regression_labels=job.params["regression_labels"],
            features_path=job.output["features"],
        )
