"""Trained models of the similarity study give the same answers in a new process, from their safetensors alone."""

import subprocess
import sys

from similar_runs import train_model, tune_model, write_study
from study_copy import ROOT

CODE = """
import sys; sys.path.insert(0, sys.argv[1])
from empathy_transfer.records.artefacts import read_table
from empathy_transfer.similarity.causal_models import load_lora
from empathy_transfer.similarity.rating_answers import rate_pairs
from empathy_transfer.similarity.rating_prompts import RatingPrompts
from empathy_transfer.similarity.sentence_models import load_sentence_model, story_cosines
from empathy_transfer.similarity.story_pairs import read_pairs, to_rating
pairs = read_pairs("pairs/fold1/stories_empathy/test.parquet")
model = load_sentence_model("runs/encoder/model.safetensors", {"name": "encoder", "revision": None, "max_length": 16})
known = read_table("runs/encoder/predictions.parquet")["prediction"]
assert (to_rating(story_cosines(model, pairs), "range") == known).all()
model, tokenizer = load_lora("runs/tuned/adapter.safetensors", {"name": "model"})
found = rate_pairs(model, RatingPrompts(tokenizer, "empathy", False, 400), pairs, 12)
assert found == read_table("runs/tuned/predictions.parquet")["prediction"].tolist()
"""


def test_a_new_process_reads_models_back(tmp_path, monkeypatch):
    monkeypatch.chdir(write_study(tmp_path))
    train_model("softmax", "runs/encoder")
    tune_model("runs/tuned", learning_rate=0.01)
    subprocess.run([sys.executable, "-c", CODE, str(ROOT / "workflow/scripts")], check=True)
