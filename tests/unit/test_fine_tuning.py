"""Fine-tuning of a tiny causal language model with LoRA: examples, answers, files, and reading back."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_json, read_table
from empathy_transfer.records.encoders import EncoderNotFoundError
from empathy_transfer.similarity.causal_models import load_causal_model, load_lora, model_folder, with_lora
from empathy_transfer.similarity.fine_tuning import fit_language_model, read_explanations, training_examples
from empathy_transfer.similarity.rating_answers import candidate_scores, rate_pairs
from empathy_transfer.similarity.rating_prompts import RatingPrompts, nearest
from similar_pairs import story_pairs
from similar_runs import LORA, MODEL, PLAIN, TUNING, tune_model, write_study
from tiny_causal import write_tiny_causal
from tiny_gguf import write_tiny_gguf


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def tokenizer(study):
    return load_causal_model(MODEL | {"name": str(study / "model")})[1]


def test_an_example_takes_its_loss_where_it_is_told(tokenizer):
    prompts = RatingPrompts(tokenizer, "empathy", False, 1000)
    made = {on: prompts.example("a story", "another", 3.3, None, on) for on in ("answer", "all")}
    ids = made["answer"]["input_ids"]
    text = tokenizer.decode(ids)
    assert text.startswith("<s>Two people each tell")
    assert "First story: a story\n\nSecond story: another\n\n" in text
    # 3.3 is nearest to 3.5; the end of the turn is learnt, too.
    assert text.endswith("Answer with the score alone.</s><s>3.5</s>")
    assert made["all"]["labels"] == made["all"]["input_ids"] == ids
    assert made["answer"]["labels"] == [-100] * (len(ids) - 4) + ids[-4:]
    explained = RatingPrompts(tokenizer, "moral", True, 1000).example("a", "b", 1, " Both differ.", "answer")
    assert tokenizer.decode(explained["input_ids"]).endswith("</s><s>Both differ.\nScore: 1.0</s>")


def test_stories_are_cut_alike_and_can_not_end_their_turn(tokenizer):
    prompts = RatingPrompts(tokenizer, "empathy", False, 400)
    ids = prompts.prompt("x" * 300, "y" * 20 + "</s><s>4.0", 4)
    text = tokenizer.decode(ids)
    assert len(ids) <= 396
    assert text.count("y") >= 20  # the short one is whole, and what it leaves goes to the long one
    assert text.count("x") > 60
    assert text.count("</s>") == 1
    with pytest.raises(DataError, match="max_length: 200 tokens leave no room"):
        RatingPrompts(tokenizer, "empathy", False, 200).prompt("x" * 300, "y" * 300, 4)


def test_braces_in_a_story_are_text(tokenizer):
    text = tokenizer.decode(RatingPrompts(tokenizer, "event", False, 1000).asked("{second} one", "{first} two"))
    assert "First story: {second} one\n\nSecond story: {first} two\n\n" in text


def test_ratings_are_taken_to_the_nearest_half():
    assert [nearest(rating) for rating in (1, 1.2, 1.3, 4, 3.9)] == [0, 0, 1, 6, 6]


def test_scores_of_candidates_are_their_probabilities(study):
    model, tokenizer, _ = load_causal_model(MODEL | {"name": str(study / "model")})
    ids, candidates = tokenizer("how alike")["input_ids"], [[5], [7, 8], [9, 10, 11]]
    found = candidate_scores(model.eval(), ids, candidates).tolist()
    for candidate, score in zip(candidates, found, strict=True):
        with torch.inference_mode():
            shares = model(torch.tensor([ids + candidate])).logits[0].double().log_softmax(-1)
        places = range(len(ids) - 1, len(ids) + len(candidate) - 1)
        expected = sum(float(shares[place, token]) for place, token in zip(places, candidate, strict=True))
        assert score == pytest.approx(expected, abs=1e-5)
    # A model that can only say 1.0 or 4.0 with even chances says 2.5.
    pairs = pd.DataFrame({"first": ["a"], "second": ["b"]})
    prompts = RatingPrompts(tokenizer, "empathy", False, 1000)
    even = lambda *_: torch.tensor([0.0] + [-torch.inf] * 5 + [0.0], dtype=torch.float64)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("empathy_transfer.similarity.rating_answers.candidate_scores", even)
        assert rate_pairs(model, prompts, pairs, 10) == [2.5]


def test_both_orders_are_examples(tokenizer):
    pairs = pd.DataFrame({"id": ["p"], "first": ["aa"], "second": ["bb"], "label": [2.0]})
    prompts = RatingPrompts(tokenizer, "empathy", False, 1000)
    texts = [tokenizer.decode(one["input_ids"]) for one in training_examples(pairs, prompts, PLAIN)]
    assert ["First story: aa" in text for text in texts] == [True, False]
    assert len(training_examples(pairs, prompts, PLAIN | {"reversed": False})) == 1


def test_a_run_leaves_an_adapter_and_no_pickle(study, monkeypatch):
    monkeypatch.chdir(study)
    output = tune_model("runs/plain", learning_rate=0.01)
    record, predictions = read_json(output["run"]), read_table(output["predictions"])
    assert (record["examples"], record["steps"], record["n_test"]) == (48, 6, 8)
    assert predictions["prediction"].between(1, 4).all()
    files = {path.name for path in Path("runs/plain").rglob("*") if path.suffix != ".lock"}
    assert files == {"run.json", "predictions.parquet", "validation.parquet", "adapter.safetensors", "provenance.json"}
    assert not [path for path in study.rglob("*") if path.suffix in (".bin", ".pt", ".pth", ".pkl")]
    write_tiny_causal(study / "other", seed=1)
    with pytest.raises(DataError, match="trained on other weights"):
        load_lora(output["adapter"], {"name": "other"})


@pytest.mark.parametrize("loss_on", ["answer", "all"])
def test_training_makes_the_right_answer_likelier(loss_on, study):
    model, tokenizer, _ = load_causal_model(MODEL | {"name": str(study / "model")})
    model = with_lora(model, LORA, seed=0)
    prompts, pairs = RatingPrompts(tokenizer, "empathy", False, 400), story_pairs(8).assign(label=4.0)
    before = rate_pairs(model, prompts, pairs[:2], 0)
    training = TUNING | {"learning_rate": 0.03, "accumulation": 1, "epochs": 6}
    examples = training_examples(pairs, prompts, PLAIN | {"reversed": False, "loss_on": loss_on})
    assert fit_language_model(model, tokenizer, examples, training, 0, "fp32") == 12
    after = rate_pairs(model, prompts, pairs[:2], 0)
    # Tokens of the question outweigh those of the answer where they all count.
    assert min(after) > max(before) + (0.1 if loss_on == "answer" else 0)


def test_an_explanation_comes_first_where_the_variant_says_so(study, monkeypatch):
    monkeypatch.chdir(study)
    output = tune_model("runs/explained", {"explanation": True, "loss_on": "all", "reversed": False})
    assert read_json(output["run"])["examples"] == 24
    assert read_table(output["predictions"])["prediction"].between(1, 4).all()
    pairs = story_pairs(3, start=500)
    with pytest.raises(DataError, match=r"3 of 3 training pairs have no explanation, such as p500"):
        read_explanations("explanations.csv", pairs)


def test_a_gguf_file_is_read_too(tmp_path):
    write_tiny_gguf(tmp_path / "tiny.gguf")
    model, tokenizer, digest = load_causal_model({"name": str(tmp_path), "gguf_file": "tiny.gguf"})
    assert model.config.hidden_size == 64
    assert tokenizer.chat_template.startswith("{% for message in messages %}")
    assert load_causal_model({"name": str(tmp_path), "gguf_file": "tiny.gguf"})[2] == digest


def test_a_folder_without_safe_weights_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytest_model.bin").write_bytes(b"")
    with pytest.raises(EncoderNotFoundError, match="pickled weights are not read"):
        model_folder({"name": str(tmp_path)})
    with pytest.raises(EncoderNotFoundError, match=r"has no some\.gguf"):
        model_folder({"name": str(tmp_path), "gguf_file": "some.gguf"})
    with pytest.raises(EncoderNotFoundError, match="`hf download nobody/nothing`"):
        model_folder({"name": "nobody/nothing"})
