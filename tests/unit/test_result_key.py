"""Keys of results: another one for everything that decides a result, and the same one wherever the files lie."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from empathy_transfer.frame import result_key
from empathy_transfer.frame.job import describe
from empathy_transfer.frame.result_key import NotShareableError, device_model, encoder_facts, facts_of, key_of
from fake_jobs import fake_snakemake

SETTINGS = {"learning_rate": 0.001, "epochs": 3}


@pytest.fixture(autouse=True)
def encoder(tmp_path, monkeypatch):
    """An encoder, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    folder = tmp_path / "encoder"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "vocab.txt").write_text("a\nb\n")
    (folder / "README.md").write_text("for people")
    return folder


def job_of(study, tokens=b"tokens", extra=(b"one", b"two"), settings=SETTINGS, seed="1", **changes):
    """A job of a study whose inputs have these contents; other changes are made to the job itself."""
    inputs = {"tokens": f"results/{study}/tokens", "extra": [f"results/{study}/extra{n}" for n in range(len(extra))]}
    inputs["after"] = f"results/{study}/released"
    Path(f"results/{study}").mkdir(parents=True, exist_ok=True)
    for path, data in zip([inputs["tokens"], *inputs["extra"]], [tokens, *extra], strict=True):
        Path(path).write_bytes(data)
    Path(inputs["after"]).write_text(study)
    output = {name: f"results/{study}/{seed}/{name}.json" for name in ("metrics", "provenance")}
    params = {"training": dict(settings), "encoder": {"name": "encoder", "revision": None, "max_length": 16}}
    job = describe(fake_snakemake("train_baseline", output, inputs, params, {"task": "a", "seed": seed}))
    for name, value in changes.items():
        setattr(job, name, value)
    job.digest_inputs()
    return job


def key(*arguments, **changes):
    """Key of `job_of` these."""
    return key_of(facts_of(job_of(*arguments, **changes)))


def test_the_same_job_of_two_studies_has_one_key():
    assert key("first") == key("second")
    assert "first" not in str(facts_of(job_of("first")))


def test_the_order_of_settings_and_wildcards_is_of_no_account():
    turned = dict(reversed(SETTINGS.items()))
    assert key("first", settings=turned, wildcards={"seed": "1", "task": "a"}) == key("second")


@pytest.mark.parametrize(
    "change",
    [
        {"tokens": b"others"},
        {"extra": (b"two", b"one")},
        {"extra": (b"one",)},
        {"settings": SETTINGS | {"epochs": 4}},
        {"settings": SETTINGS | {"patience": None}},
        {"seed": "2"},
        {"rule": "train_longer"},
        {"code": "0123456789abcdef"},
        {"threads": 2},
    ],
    ids=str,
)
def test_whatever_decides_a_result_changes_its_key(change):
    assert key("first") != key("second", **change)


def test_the_same_contents_under_other_names_of_inputs_are_another_job():
    job = job_of("first")
    before = key_of(facts_of(job))
    job.input = {"adapter" if name == "tokens" else name: path for name, path in job.input.items()}
    assert key_of(facts_of(job)) != before


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt", "tokenizer.json"])
def test_weights_configuration_and_tokenizer_of_the_encoder_are_in_the_key(encoder, name):
    before = key("first")
    (encoder / name).write_text('{"model_type": "bert", "something": "else"}')
    assert key("first") != before


def test_what_people_read_of_an_encoder_is_not_in_the_key(encoder):
    before = key("first")
    (encoder / "README.md").write_text("for other people")
    assert key("first") == before


@pytest.mark.parametrize("package", ["torch", "numpy", "transformers", "tokenizers", "adapters", "safetensors"])
def test_another_version_of_a_package_that_computes_is_another_key(package):
    facts = facts_of(job_of("first"))
    assert facts["versions"][package]
    other = copy.deepcopy(facts)
    other["versions"][package] = "0.0.1"
    assert key_of(other) != key_of(facts)
    assert "snakemake" not in facts["versions"]
    assert facts["versions"]["torch build"] != facts["versions"]["numpy build"]


@pytest.mark.parametrize("name", ["device_model", "kernels_in_use", "processor", "versions"])
def test_another_machine_is_another_key(monkeypatch, name):
    before = key("first")
    monkeypatch.setattr(result_key, name, lambda: "another")
    assert key("first") != before


def test_variables_that_choose_instructions_are_in_the_key_and_others_are_not(monkeypatch):
    before = key("first")
    monkeypatch.setenv("EDITOR", "vi")
    assert key("first") == before
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert key("first") != before


def test_the_processor_is_told_by_its_model_and_instructions(monkeypatch):
    monkeypatch.setattr(result_key, "description", lambda: {"vendor_id": "V", "model name": "M 9", "stepping": "8"})
    monkeypatch.setattr(result_key, "instructions", lambda: {"fpu", "avx2", "amx_bf16", "hypervisor"})
    assert result_key.processor.__wrapped__() == "V M 9 amx_bf16 avx2"
    monkeypatch.setattr(result_key, "description", dict)
    monkeypatch.setattr(result_key.socket, "gethostname", lambda: "this host")
    assert result_key.processor.__wrapped__() == "this host"


def gpus(monkeypatch, folder, *models, visible="0", torch="2.13.0"):
    """A machine with GPUs of these models, as the driver tells them."""
    for number, model in enumerate(models):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "information").write_text(f"Model: \t\t {model}\nIRQ:   16\n")
    monkeypatch.setattr(result_key, "DRIVER", folder)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(result_key, "package_versions", lambda: {"torch": torch})


def test_the_device_is_told_by_the_model_of_the_gpus(monkeypatch, tmp_path):
    gpus(monkeypatch, tmp_path / "driver", "NVIDIA A", "NVIDIA A")
    assert device_model() == "NVIDIA A"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-0123")
    assert device_model() == "NVIDIA A (part)"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert device_model() == "cpu"


def test_a_torch_that_knows_no_gpu_computes_on_the_processor(monkeypatch, tmp_path):
    gpus(monkeypatch, tmp_path / "driver", "NVIDIA A", torch="2.13.0+cpu")
    assert device_model() == "cpu"


@pytest.mark.parametrize(("models", "words"), [(["NVIDIA A", "NVIDIA B"], "several models"), ([], "unknown model")])
def test_results_of_gpus_that_differ_or_are_unknown_are_not_shared(monkeypatch, tmp_path, models, words):
    gpus(monkeypatch, tmp_path / "driver", *models)
    with pytest.raises(NotShareableError, match=words):
        facts_of(job_of("first"))


def test_an_input_without_a_name_is_refused():
    job = job_of("first")
    job.inputs.append(Path("results/first/released"))
    with pytest.raises(ValueError, match="without a name"):
        facts_of(job)


def test_asking_for_a_key_imports_no_torch():
    code = (
        "import sys, empathy_transfer.frame.reuse; sys.exit(len({'torch', 'numpy', 'transformers'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_facts_of_an_encoder_do_not_name_its_folder(encoder):
    assert set(encoder_facts("encoder", None)["files"]) == {"config.json", "vocab.txt"}
