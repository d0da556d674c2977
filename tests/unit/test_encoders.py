"""Where encoders are found, and what is said when they are not."""

import pytest
import torch
from safetensors.torch import save_file

from empathy_transfer.records import encoders


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """An empty Hugging Face cache and no network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def test_a_local_folder_comes_first(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "model.safetensors")
    encoder = encoders.find_encoder(str(tmp_path))
    assert encoder.folder == tmp_path
    assert len(encoder.weights_sha256) == 64


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(encoders.EncoderNotFoundError, match=r"no model\.safetensors"):
        encoders.find_encoder(str(tmp_path))


def test_an_unknown_encoder_says_in_one_line_what_to_do():
    with pytest.raises(encoders.EncoderNotFoundError, match="hf download roberta-base") as caught:
        encoders.find_encoder("roberta-base")
    assert "\n" not in str(caught.value)


def test_the_cache_comes_before_the_wheel(tmp_path):
    snapshot = tmp_path / "cache/models--sentence-transformers--all-MiniLM-L6-v2/snapshots/abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs/main").write_text("abc")
    save_file({"x": torch.zeros(2)}, snapshot / "model.safetensors")
    assert encoders.find_encoder(encoders.MINILM).folder == snapshot


def test_minilm_comes_from_its_wheel_with_the_original_weights():
    encoder = encoders.find_encoder(encoders.MINILM)
    assert encoder.weights_sha256 == encoders.MINILM_WEIGHTS_SHA256


def test_other_weights_in_the_wheel_are_refused(monkeypatch):
    monkeypatch.setattr(encoders, "MINILM_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(encoders.EncoderNotFoundError, match="force-reinstall"):
        encoders.find_encoder(encoders.MINILM)
