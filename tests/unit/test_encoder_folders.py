"""Any folder of an encoder gives the numbers of `transformers`, or a stop that names what is wrong with it."""

import json
import os
import shutil
from functools import partial

import pytest
import torch
from adapters import AutoAdapterModel
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from empathy_transfer.errors import EncoderError
from empathy_transfer.models.packed_encoder import expected_shapes
from empathy_transfer.models.pretrained import load_pretrained
from empathy_transfer.records.encoder_config import FAMILIES, positions_of, read_config
from empathy_transfer.records.encoders import EncoderNotFoundError, find_encoder
from tiny_encoders import ADAPTER, batch, make_encoder, make_model

# More by hand: EMPATHY_EXAMPLES=2000 pytest tests/unit/test_encoder_folders.py
EXAMPLES = int(os.environ.get("EMPATHY_EXAMPLES", "40"))
PACKED = ["bert", "roberta"]
LENGTHS = [7, 3, 12]
PLAIN = {"type": "none"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder with a tiny random encoder of each family, made when it is first asked for."""
    made = {}

    def folder_of(kind, with_head=False):
        if (kind, with_head) not in made:
            made[kind, with_head] = tmp_path_factory.mktemp(kind)
            make_encoder(kind, made[kind, with_head], with_head)
        return made[kind, with_head]

    return folder_of


def inputs_of(config):
    """A batch with contexts where the encoder takes token types."""
    return batch(LENGTHS, context=config.get("type_vocab_size", 0) > 1)


def expected_vectors(folder, inputs):
    """The vectors of [CLS] that `transformers` gives, text by text, and the names of the tensors that it drew."""
    model, found = AutoModel.from_pretrained(str(folder), use_safetensors=True, output_loading_info=True)
    model.eval()
    takes = getattr(model.config, "type_vocab_size", 0) > 1
    vectors, start = [], 0
    with torch.no_grad():
        for length in inputs.lengths:
            part = slice(start, start + length)
            kinds = {"token_type_ids": inputs.token_type_ids[None, part]} if takes else {}
            vectors.append(model(input_ids=inputs.input_ids[None, part], **kinds)[0][0, 0])
            start += length
    drawn = [name for name in found["missing_keys"] if "pooler." not in name]
    return torch.stack(vectors), drawn


def assert_as_transformers(model, expected, inputs):
    """A model without adapters gives these vectors of [CLS]."""
    model.train(False)
    with torch.no_grad():
        torch.testing.assert_close(model.encode(inputs), expected, rtol=1e-4, atol=1e-4)


def edit_config(folder, **changes):
    """Change keys of a configuration; `...` takes a key out."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}), encoding="utf-8")


def edit_tensors(folder, change):
    """Write the tensors anew that a function makes of those by name."""
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path)


@pytest.fixture
def copied(folders, tmp_path):
    """A copy of the folder of a family, to damage."""

    def copy_of(kind, with_head=False):
        return shutil.copytree(folders(kind, with_head), tmp_path / f"{kind}_{with_head}")

    return copy_of


@pytest.mark.parametrize("kind", FAMILIES)
def test_defaults_and_names_of_a_family_are_those_of_transformers(kind, tmp_path):
    config = AutoConfig.for_model(kind)
    for name, value in FAMILIES[kind].defaults.items():
        assert getattr(config, FAMILIES[kind].names.get(name, name)) == value, name
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    assert read_config(kind, tmp_path).items() >= FAMILIES[kind].defaults.items()
    own = {name: 3 for name in FAMILIES[kind].names.values() if "act" not in name and "eps" not in name}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind} | own))
    read = read_config(kind, tmp_path)
    for standard, name in FAMILIES[kind].names.items():
        assert read[standard] == getattr(AutoConfig.from_pretrained(tmp_path), name), standard


@pytest.mark.parametrize("with_head", [False, True], ids=["plain", "pretrained"])
@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_gives_the_vectors_of_transformers(folders, kind, with_head):
    encoder = find_encoder(str(folders(kind, with_head)))
    inputs = inputs_of(encoder.config)
    expected, drawn = expected_vectors(encoder.folder, inputs)
    assert drawn == []
    for engine in ["auto", "reference"] if kind in PACKED else ["auto"]:
        assert_as_transformers(make_model(encoder, engine=engine, settings=PLAIN), expected, inputs)
    if not FAMILIES[kind].takes_adapters:
        return
    for engine in ["auto", "reference"] if kind in PACKED else ["auto"]:
        model = make_model(encoder, engine=engine, settings=ADAPTER)
        with torch.no_grad():
            for tensor in model.adapter().values():  # an adapter that adds nothing
                tensor.zero_()
        assert_as_transformers(model, expected, inputs)


def test_the_adapters_library_is_refused_where_it_draws_weights_of_its_own(folders):
    encoder = find_encoder(str(folders("deberta")))
    with pytest.raises(
        EncoderError, match=r"3 missing, the first is encoder\.layer\.0\.attention\.self\.in_proj\.bias"
    ):
        load_pretrained(AutoAdapterModel, encoder)


@pytest.mark.parametrize("kind", PACKED)
def test_the_fast_engine_expects_the_tensors_of_transformers(folders, kind):
    encoder = find_encoder(str(folders(kind)))
    theirs = {name: tuple(part.shape) for name, part in AutoModel.from_pretrained(encoder.folder).state_dict().items()}
    assert expected_shapes(encoder.config) == {name: theirs[name] for name in theirs if "pooler" not in name}


def to_precision(precision, tensors):
    """Tensors in another precision."""
    return {name: part.to(precision) for name, part in tensors.items()}


def drop(name):
    """Take a tensor out."""
    return lambda tensors: {key: part for key, part in tensors.items() if key != name}


def rename(name, new):
    """Rename a tensor."""
    return lambda tensors: {new if key == name else key: part for key, part in tensors.items()}


TENSOR_DAMAGE = {
    "missing": (lambda name: drop(name), r"1 missing, the first is {name}\."),
    "renamed": (lambda name: rename(name, f"{name}_1"), r"1 missing, the first is {name}\."),
    "prefixed": (lambda name: rename(name, f"model.{name}"), r"1 missing, the first is {name}\."),
    "one more": (lambda name: lambda tensors: tensors | {f"{name}.x": torch.zeros(2)}, r"the first is {name}\.x\."),
}


@pytest.mark.parametrize("damage", TENSOR_DAMAGE)
@pytest.mark.parametrize("place", [3, -6])
@pytest.mark.parametrize("kind", ["bert", "roberta", "deberta-v2", "distilbert", "mpnet"])
def test_tensors_that_do_not_match_stop_every_engine_and_are_named(copied, kind, place, damage):
    folder = copied(kind)
    names = [name for name in sorted(load_file(folder / "model.safetensors")) if "pooler" not in name]
    names.remove("embeddings.word_embeddings.weight")
    change, message = TENSOR_DAMAGE[damage]
    edit_tensors(folder, change(names[place]))
    encoder = find_encoder(str(folder))
    uses = [lambda: load_pretrained(AutoModel, encoder)]
    uses += [lambda: make_model(encoder, engine="reference")] if FAMILIES[kind].takes_adapters else []
    uses += [lambda: make_model(encoder, engine="fast")] if kind in PACKED else []
    for use in uses:
        with pytest.raises(EncoderError, match=message.format(name=names[place].replace(".", r"\."))):
            use()


@pytest.mark.parametrize("prefix", ["x.", "model.deberta.", "Deberta."])
@pytest.mark.parametrize("kind", ["bert", "deberta-v2", "modernbert"])
def test_a_prefix_before_all_tensors_is_not_read_as_an_encoder_without_weights(copied, kind, prefix):
    folder = copied(kind)
    edit_tensors(folder, lambda tensors: {f"{prefix}{name}": tensor for name, tensor in tensors.items()})
    encoder = find_encoder(str(folder))
    with pytest.raises(EncoderError, match=rf"missing, the first is {FAMILIES[kind].words}"):
        load_pretrained(AutoModel, encoder)
    if kind == "bert":
        with pytest.raises(EncoderError, match=r"missing, the first is embeddings\."):
            make_model(encoder, engine="fast")


def test_tensors_with_and_without_the_prefix_are_refused(copied):
    folder = copied("bert")
    half = {"encoder.layer.0.output.dense.bias"}
    edit_tensors(
        folder, lambda tensors: {name if name in half else f"bert.{name}": part for name, part in tensors.items()}
    )
    for engine in ("fast", "reference"):
        with pytest.raises(EncoderError, match=r"not expected, the first is encoder\.layer\.0\.output\.dense\.bias"):
            make_model(find_encoder(str(folder)), engine=engine)


@pytest.mark.parametrize("kind", PACKED)
def test_weights_of_any_precision_give_the_vectors_of_transformers(copied, kind):
    for precision in (torch.float16, torch.bfloat16, torch.float64):
        folder = copied(kind)
        edit_tensors(folder, partial(to_precision, precision))
        encoder = find_encoder(str(folder))
        inputs = inputs_of(encoder.config)
        model = make_model(encoder, engine="fast", settings=PLAIN)
        assert_as_transformers(model, expected_vectors(folder, inputs)[0], inputs)
        shutil.rmtree(folder)


@pytest.mark.parametrize("padding", [1, 4, 20])
def test_a_padding_token_in_a_text_has_the_position_that_transformers_gives_it(copied, padding):
    folder = copied("roberta")
    edit_config(folder, pad_token_id=padding)
    encoder, inputs = find_encoder(str(folder)), batch(LENGTHS)
    inputs.input_ids[[2, 3, 9, 21]] = padding
    expected, _ = expected_vectors(folder, inputs)
    assert_as_transformers(make_model(encoder, engine="fast", settings=PLAIN), expected, inputs)


REFUSED = [
    ("is_decoder", True),
    ("is_decoder", "yes"),
    ("is_decoder", []),
    ("is_decoder", None),
    ("add_cross_attention", True),
    ("is_encoder_decoder", True),
    ("pruned_heads", {"0": [1]}),
    ("quantization_config", {"quant_method": "bitsandbytes"}),
    ("adapters", {"adapters": {"x": "9"}, "config_map": {}}),
    ("_attn_implementation_internal", "someone/kernel"),
    ("_attn_implementation", "someone/kernel:x"),
    ("attn_implementation", "flash_attention_3"),
    ("pad_token_id", None),
    ("pad_token_id", -1),
    ("layer_norm_eps", "1e-12"),
    ("num_attention_heads", 5),
    ("num_hidden_layers", 10**9),
    ("type_vocab_size", 0),
    ("hidden_act", None),
    ("max_position_embeddings", 0),
]


@pytest.mark.parametrize(("key", "value"), REFUSED, ids=str)
@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_configuration_of_another_model_is_refused_and_its_key_named(copied, kind, key, value):
    folder = copied(kind)
    edit_config(folder, **{key: value})
    with pytest.raises(EncoderError, match=rf"'{folder}': {key} in .*config\.json"):
        find_encoder(str(folder))


@pytest.mark.parametrize("place", [("text_config",), ("a", "b"), ("task_specific_params", "x", "y")])
def test_an_implementation_of_attention_is_refused_at_any_depth(copied, place):
    folder = copied("deberta-v2")
    value = {"_attn_implementation_internal": "someone/kernel"}
    for key in reversed(place):
        value = {key: [value]}
    edit_config(folder, **value)
    with pytest.raises(EncoderError, match=r"_attn_implementation_internal in .* foreign code"):
        find_encoder(str(folder))


@pytest.mark.parametrize("kind", ["gpt2", "t5", "longformer", "", None, 7, ["bert"], {"x": 1}], ids=str)
def test_other_families_are_refused_with_the_list_of_those_that_can_be_used(copied, kind):
    folder = copied("bert")
    edit_config(folder, model_type=kind)
    with pytest.raises(EncoderError, match=r"none of the families that can be used: albert, bert, .*, xlm-roberta\."):
        find_encoder(str(folder))


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"model_type": "bert"', "\ufeff{}", "[" * 100_000])
def test_a_damaged_configuration_is_named(copied, content):
    folder = copied("bert")
    (folder / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(EncoderError, match=r"config\.json"):
        find_encoder(str(folder))


def test_positions_of_families_by_hand(folders):
    # 300 positions in all; those of RoBERTa and MPNet begin behind the padding token, which is token 1.
    counted = {kind: positions_of(find_encoder(str(folders(kind))).config) for kind in ("bert", "roberta", "mpnet")}
    assert counted == {"bert": 300, "roberta": 298, "mpnet": 298}


NUMBERS = [-1, 0, 1, 2, 3, 5, 7, 64, 0.5, 1e-5]
VALUES = st.sampled_from([..., None, True, False, *NUMBERS, "x", "gelu_new", "relu", [], {}])
KEYS = st.sampled_from(
    """activation chunk_size_feed_forward dim dtype embedding_size hidden_act hidden_dropout_prob hidden_size
    inner_group_num intermediate_size is_decoder layer_norm_eps max_position_embeddings n_heads n_layers
    num_attention_heads num_hidden_groups num_hidden_layers output_attentions output_hidden_states pad_token_id
    pos_att_type position_biased_input position_embedding_type pruned_heads relative_attention return_dict
    sinusoidal_pos_embds tie_word_embeddings torch_dtype torchscript type_vocab_size use_cache vocab_size""".split()
)
# Half of them harmless, so that configurations are put to the test, too.
HARMLESS = ["nothing", "nothing", "half", "own prefix", "old norms"]
CHANGES = st.sampled_from([*HARMLESS, "drop", "rename", "add", "cut", "prefix"])


def changed(tensors, change, name, prefix):
    """Tensors with one change that a folder may have met."""
    others = {key: part for key, part in tensors.items() if key != name}
    return {
        "drop": others,
        "rename": others | {f"{name}_": tensors[name]},
        "add": tensors | {f"{name}.new": tensors[name].clone()},
        "cut": others | {name: tensors[name][:-1].clone()},
        "half": {key: part.half() for key, part in tensors.items()},
        "prefix": {f"net.{key}": part for key, part in tensors.items()},
        "own prefix": {f"{prefix}.{key}": part for key, part in tensors.items()},
        "old norms": {
            key.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): part
            for key, part in tensors.items()
        },
        "nothing": tensors,
    }[change]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 100,
    phases=[Phase.generate],  # an example is small as it is drawn
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    kind=st.sampled_from([*PACKED, "bert", "roberta", "deberta-v2", "distilbert", "electra"]),
    edits=st.dictionaries(KEYS, VALUES, max_size=2),
    change=CHANGES,
    place=st.integers(0, 40),
)
def test_any_folder_gives_the_vectors_of_transformers_or_a_stop(folders, tmp_path, kind, edits, change, place):
    folder = tmp_path / "encoder"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folders(kind), folder)
    edit_config(folder, **edits)
    names = sorted(load_file(folder / "model.safetensors"))
    edit_tensors(folder, lambda all_: changed(all_, change, names[place % len(names)], FAMILIES[kind].prefix))
    try:
        encoder = find_encoder(str(folder))
        inputs = inputs_of(encoder.config)
        models = [make_model(encoder, engine=engine, settings=PLAIN) for engine in ("auto", "reference")]
        found = [model.encode(inputs) for model in models if not model.train(False)]
    except (EncoderError, EncoderNotFoundError):
        event("a stop")
        return
    event("the vectors of transformers")
    (folder / "plain").mkdir()
    shutil.copy(folder / "model.safetensors", folder / "plain")
    plain = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    # What changes how a model answers, but not what; the share of dropout is a setting of ours.
    passed = (
        "return_dict torchscript output_attentions output_hidden_states chunk_size_feed_forward hidden_dropout_prob"
    )
    for key in passed.split():
        plain.pop(key, None)
    (folder / "plain/config.json").write_text(json.dumps(plain))
    expected, drawn = expected_vectors(folder / "plain", inputs)
    assert drawn == []
    for vectors in found:
        torch.testing.assert_close(vectors.detach(), expected, rtol=1e-4, atol=1e-4)
