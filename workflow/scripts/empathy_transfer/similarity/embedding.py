"""The baseline of the similarity study: the cosine of an encoder's sentence embeddings, without any training."""

import time

import pandas as pd

from empathy_transfer.models.hardware import use_processor
from empathy_transfer.records.artefacts import write_json, write_table
from empathy_transfer.similarity.sentence_models import sentence_model, story_cosines
from empathy_transfer.similarity.story_pairs import read_pairs, to_rating


def embed_pairs(tables, encoder_settings, mapping, predictions_path, record_path, threads=1):
    """Write a rating of each pair: id and prediction (1 to 4), in the order of the tables.

    Args:
        tables: paths of tables of pairs; a pair in several of them counts once.
        encoder_settings: `name`, `revision`, `max_length`. mapping: one of `story_pairs.MAPPINGS`.
        predictions_path: Parquet to write. record_path: JSON to write, with what it took. threads: CPU threads.
    """
    started = time.monotonic()
    use_processor(threads)
    pairs = pd.concat([read_pairs(path) for path in tables], ignore_index=True).drop_duplicates("id")
    model, encoder = sentence_model(encoder_settings)
    answers = to_rating(story_cosines(model, pairs), mapping)
    write_table(predictions_path, pairs[["id"]].assign(prediction=answers))
    seconds = round(time.monotonic() - started, 3)
    write_json(record_path, {"encoder": encoder.public_name, "n_test": len(pairs), "seconds": seconds})
    print(f"{len(pairs):,} pairs in {seconds} s")
