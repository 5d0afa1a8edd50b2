"""`duallora forward` against transformers: hidden states and logits, element by element."""

import copy

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BertForMaskedLM, BertForSequenceClassification, BertModel

import harness

LENGTHS = [7, 1, 12, 4]

# What is peculiar about a checkpoint: its class, its configuration, how it is saved.
MODELS = {
    "plain": dict(),
    "one head": dict(num_attention_heads=1),
    "odd head size": dict(hidden_size=36, num_attention_heads=4, intermediate_size=50),
    "wide, three layers": dict(
        hidden_size=64, num_attention_heads=8, intermediate_size=40, num_hidden_layers=3),
    "gelu_new": dict(hidden_act="gelu_new"),
    "gelu_pytorch_tanh": dict(hidden_act="gelu_pytorch_tanh"),
    "relu": dict(hidden_act="relu"),
    "silu": dict(hidden_act="silu"),
    "one type": dict(type_vocab_size=1),
    "three types": dict(type_vocab_size=3),
    "large epsilon": dict(layer_norm_eps=0.1),
    "padding not 0": dict(pad_token_id=9),
    "no padding id": dict(pad_token_id=None),
    "classifier dropout": dict(classifier_dropout=0.3),
    "1 label": dict(num_labels=1),
    "3 labels": dict(num_labels=3),
    "named labels": dict(id2label={0: "no", 1: "yes", 2: "so", 3: "on"}),
    "sharded": dict(save=dict(max_shard_size="20KB")),
    "stored in bf16": dict(stored=torch.bfloat16),
    "stored in fp16": dict(stored=torch.float16),
    "stored in fp64": dict(stored=torch.float64),
    "old names of norms": dict(old_names=True),
    "encoder": dict(kind=BertModel),
    "encoder without pooler": dict(kind=BertModel, arguments=dict(add_pooling_layer=False)),
    "encoder, old names": dict(kind=BertModel, old_names=True),
    "encoder, sharded": dict(kind=BertModel, save=dict(max_shard_size="20KB")),
    "masked language model": dict(kind=BertForMaskedLM),
    "fields left to their defaults": dict(omitted=["hidden_act", "layer_norm_eps",
                                                   "type_vocab_size", "pad_token_id"]),
}


def make(folder, save=None, stored=None, old_names=False, omitted=(), **config):
    """Saves the model of a row; the model itself in float32."""
    model = harness.bert(**config)
    harness.save(model.to(stored) if stored else model, folder, tokenizer=False, **(save or {}))
    if old_names:
        path = folder / "model.safetensors"
        save_file({name.replace("LayerNorm.weight", "LayerNorm.gamma")
                   .replace("LayerNorm.bias", "LayerNorm.beta"): value
                   for name, value in load_file(path).items()}, path, {"format": "pt"})
    harness.edit_json(folder / "config.json", **dict.fromkeys(omitted))
    return model.float()


@pytest.mark.parametrize("name", MODELS)
def test_a_random_model_gives_the_reference_outputs(tmp_path, name):
    model = make(tmp_path, **MODELS[name])
    rows = harness.sequences(LENGTHS)
    types = [[i * model.config.type_vocab_size // len(row) for i in range(len(row))]
             for row in rows]
    for side in ("right", "left"):
        found = harness.forward(tmp_path, tmp_path, rows, types, padding=side)
        harness.assert_close(harness.at_tokens(found, rows, side),
                             harness.reference(model, rows, types, side))


@pytest.mark.parametrize("name", ["plain", "wide, three layers", "stored in bf16", "relu"])
def test_bfloat16_is_near_the_reference(tmp_path, name):
    """A product of bf16 numbers is off by 2^-9 of its size, and errors of many layers add up."""
    model = make(tmp_path, **MODELS[name])
    rows = harness.sequences(LENGTHS)
    found = harness.outputs_here(tmp_path, tmp_path, rows, dtype="bfloat16")
    for key, expected in harness.reference(model, rows).items():
        assert found[key].dtype == torch.float32
        assert harness.relative_error(found[key], expected) < 2e-2


def test_float64_is_nearer_to_the_reference_than_float32_can_be(tmp_path):
    model = make(tmp_path, kind=BertForSequenceClassification).double()
    rows = harness.sequences(LENGTHS)
    found = harness.outputs_here(tmp_path, tmp_path, rows, dtype="float64")
    # The outputs are written in float32.
    harness.assert_close(found, harness.reference(model, rows), 2e-6)


def test_a_sequence_alone_gives_what_it_gives_in_a_batch(tmp_path):
    make(tmp_path)
    rows = harness.sequences(LENGTHS)
    batch = harness.forward(tmp_path, tmp_path, rows)
    for i, row in enumerate(rows):
        alone = harness.forward(tmp_path, tmp_path, [row])
        harness.assert_close(alone, {"hidden": batch["hidden"][i:i + 1, :len(row)],
                                     "logits": batch["logits"][i:i + 1]}, 1e-5)


def test_a_sequence_may_fill_every_position(tmp_path):
    model = make(tmp_path)
    rows = harness.sequences([64, 63, 2])
    harness.assert_close(harness.outputs_here(tmp_path, tmp_path, rows),
                         harness.reference(model, rows))


# --- a real checkpoint ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(minilm):
    return AutoModel.from_pretrained(minilm, dtype=torch.float32).eval()


def real_rows(lengths):
    return [[101, *row[2:], 102][:len(row)]
            for row in harness.sequences(lengths, vocabulary=30522, seed=5)]


@pytest.mark.parametrize("lengths, side", [
    ([512], "right"), ([2, 30, 17, 9, 128], "right"), ([400, 512, 5], "left")], ids=str)
def test_minilm_gives_the_reference_outputs(tmp_path, minilm, real, lengths, side):
    rows = real_rows(lengths)
    types = [[int(i > len(row) // 2) for i in range(len(row))] for row in rows]
    found = harness.at_tokens(
        harness.forward(tmp_path, minilm, rows, types, padding=side), rows, side)
    theirs = harness.reference(real, rows, types, side)
    exact = harness.reference(copy.deepcopy(real).double(), rows, types, side)
    harness.assert_close(found, theirs)
    harness.assert_as_exact(found, theirs, exact)


def test_minilm_in_bfloat16_is_near_the_reference(tmp_path, minilm, real):
    rows = real_rows([40, 7, 300])
    lengths = [len(row) for row in rows]
    found = harness.outputs_here(tmp_path, minilm, rows, dtype="bfloat16")["hidden"].split(lengths)
    expected = harness.reference(real, rows)["hidden"].split(lengths)
    for here, there in zip(found, expected):
        assert harness.relative_error(here, there) < 2e-2


def test_the_tensors_are_those_of_the_contract(tmp_path):
    """Batch first, float32; logits where there is a head; nothing else."""
    make(tmp_path, stored=torch.bfloat16)
    found = harness.forward(tmp_path, tmp_path, [[1, 2, 3], [4]], dtype="bfloat16")
    assert {name: (tuple(value.shape), value.dtype) for name, value in found.items()} == {
        "hidden": ((2, 3, 32), torch.float32), "logits": ((2, 2), torch.float32)}
