"""Entry point of rule summarise_data."""

from empathy_transfer.data.summary import collect_tasks, summarise
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import write_csv

if __name__ == "__main__":
    with open_job(snakemake) as job:
        tasks = collect_tasks(job.params["tasks"], job.input["tables"], job.input["task_files"])
        write_csv(job.output["summary"], summarise(tasks, job.params["published"]))
        for path in job.output["released"]:
            path.touch()
