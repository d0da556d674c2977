"""Entry point of rule slice_writers."""

from empathy_transfer.frame.job import open_job
from empathy_transfer.relabel.slices import write_slices

if __name__ == "__main__":
    with open_job(snakemake) as job:
        write_slices(
            scores_path=job.input["scores"],
            test_path=job.input["test"],
            labels_paths={path.parts[-3]: path for path in job.input["labels"]},
            runs_folder=job.input["predictions"][0].parents[4],
            codes=job.params["codes"],
            least=job.params["least"],
            settings=job.params["settings"],
            slices_path=job.output["slices"],
        )
