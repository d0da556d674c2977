"""Pairs of invented stories with ratings, and their tables as jobs write them, for tests of the similarity study."""

import numpy as np
import pandas as pd

from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import write_table
from fake_jobs import fake_snakemake

TOPICS = ["harbour", "kettle", "lighthouse", "ferns", "marbles", "bridge"]
SPLITS = ("train", "validation", "test")
LABELS = ("empathy", "event")


def story_pairs(count, seed=0, start=0):
    """Pairs of stories about one topic (rated 3.5) or two (rated 1.5): id, first, second, label."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(start, start + count):
        same = random.integers(2)
        topics = random.permutation(len(TOPICS))[:2]
        first, second = (TOPICS[topics[0]], TOPICS[topics[0 if same else 1]])
        rows.append((f"p{number:03d}", f"{first} {number} one", f"{second} {number} two", 3.5 if same else 1.5))
    return pd.DataFrame(rows, columns=["id", "first", "second", "label"])


def write_pairs(fold, task, tables):
    """Write the splits of a task as a job would, below the working folder; returns their paths by split."""
    output = {split: f"pairs/{fold}/{task}/{split}.parquet" for split in SPLITS}
    provenance = {"provenance": f"pairs/{fold}/{task}/provenance.json"}
    with open_job(fake_snakemake("prepare_pairs", output | provenance)) as job:
        for split in SPLITS:
            frame = tables[split].rename(columns={"first": "context", "second": "text"})
            write_table(job.output[split], frame.assign(group=frame["id"], label_source="test"))
    return output
