"""Entry point of rule measure_reliability."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.reliability.report import write_reliability

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_reliability(
            paths={name: job.input.get(name, []) for name in "ratings improvement features scores ceilings".split()},
            prediction_paths=job.input["predictions"],
            test_paths=job.input["tests"],
            tasks=job.params["tasks"],
            settings=job.params["settings"],
            outputs={name: job.output[name] for name in ("csv", "text")},
        )
