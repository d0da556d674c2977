"""Entry point of rule score_peers."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.peers import write_peers

if __name__ == "__main__":
    with open_job(snakemake) as job:
        paths = iter(job.input["peers"])
        files = {split: {path.name: path for path in (next(paths), next(paths))} for split in job.params["splits"]}
        write_peers(
            files=files | dict(zip(job.params["names"], job.input["machines"], strict=True)),
            peers={split: job.params["peers"][split] for split in job.params["splits"]},
            groups={name: job.params["groups"][name] for name in job.params["names"]},
            settings=job.params["settings"],
            record_folder=job.params["record_folder"],
            peers_path=job.output["peers"],
            apart_path=job.output["disagreements"],
        )
