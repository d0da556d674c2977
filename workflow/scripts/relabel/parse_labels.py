"""Entry point of rules parse_labels and parse_sample."""

from empathy_transfer.data.lost_rows import LOST_SHARE
from empathy_transfer.frame.job import open_job
from empathy_transfer.labelling.labels import parse_labels

if __name__ == "__main__":
    with open_job(snakemake) as job:
        job.note = parse_labels(
            answers_path=job.input["answers"],
            scale_path=job.input["scale"],
            prompt_path=job.input["prompt"],
            labels_path=job.output["labels"],
            # A prompt that fails on the sample is a finding of the comparison.
            most_invalid=LOST_SHARE if "set" in job.wildcards else 1.0,
        )
