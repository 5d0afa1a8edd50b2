"""Compares decoders with transformers: hidden states and logits of random checkpoints."""

import shutil

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import decoders
import harness

LENGTHS = [13, 3, 7]
SEQUENCES = harness.sequences(LENGTHS, vocabulary=decoders.VOCABULARY, seed=3)


def forward(folder, model, sequences=SEQUENCES, **options):
    return harness.forward(folder, model, sequences, **options)


def compare(found, expected, mask, tolerance=1e-4):
    """Where there is a token."""
    harness.assert_close(
        {name: value[mask] for name, value in found.items()},
        {name: value[mask] for name, value in expected.items()}, tolerance)


@pytest.mark.parametrize("name", decoders.CONFIGURATIONS)
def test_hidden_states_and_logits_are_those_of_transformers(tmp_path, name):
    model = decoders.make(name, tmp_path / "model")
    for side in ("left", "right"):
        logits, hidden, mask = decoders.logits(model, SEQUENCES, side)
        found = forward(tmp_path, tmp_path / "model", padding=side)
        compare(found, {"logits": logits, "hidden": hidden}, mask)


@pytest.mark.parametrize("name", ["llama-grouped", "llama-3.1", "mistral", "qwen3", "gpt2"])
@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
def test_half_precision_computes_what_transformers_does(tmp_path, name, stored):
    decoders.make(name, tmp_path / "model", dtype=stored)

    def reference(dtype):
        model = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=dtype)
        return decoders.logits(model.eval(), SEQUENCES, "left")

    exact, _, mask = reference(torch.float32)
    rough, _, _ = reference(torch.bfloat16)
    found = forward(tmp_path, tmp_path / "model", padding="left", dtype="bfloat16")["logits"]
    limit = max(2e-2, 1.5 * harness.relative_error(rough[mask], exact[mask]))
    assert harness.relative_error(found[mask], exact[mask]) < limit
    whole = forward(tmp_path, tmp_path / "model", padding="left", dtype="float32")["logits"]
    harness.assert_close({"logits": whole[mask]}, {"logits": exact[mask]})


@pytest.mark.parametrize(
    "name", ["llama-theta", "llama-3.1", "llama-dynamic", "llama-yarn", "mistral"])
def test_long_sequences_keep_their_angles(tmp_path, name):
    model = decoders.make(name, tmp_path / "model")
    sequences = harness.sequences([700], vocabulary=decoders.VOCABULARY, seed=4)
    logits, hidden, mask = decoders.logits(model, sequences, "right")
    found = forward(tmp_path, tmp_path / "model", sequences)
    compare(found, {"logits": logits, "hidden": hidden}, mask)


@pytest.mark.parametrize("scaling", [
    None, {"type": "linear", "factor": 2.0}, {"rope_type": "dynamic", "factor": 2.0},
    {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
     "original_max_position_embeddings": 16}])
def test_the_older_spelling_of_rotary_scaling_means_the_same(tmp_path, scaling):
    """What checkpoints before transformers 5 say: `rope_theta` beside `rope_scaling`."""
    folder = tmp_path / "model"
    decoders.make("llama", folder, max_position_embeddings=8)
    harness.edit_json(
        folder / "config.json", rope_parameters=None, rope_theta=700.0, rope_scaling=scaling)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    assert model.config.rope_parameters["rope_theta"] == 700.0
    logits, hidden, mask = decoders.logits(model, SEQUENCES, "right")
    compare(forward(tmp_path, folder), {"logits": logits, "hidden": hidden}, mask)


@pytest.mark.parametrize("name", ["llama-grouped", "gpt2"])
def test_checkpoints_in_shards_and_of_the_bare_model_are_read(tmp_path, name):
    model = decoders.make(name, tmp_path / "model")
    expected = forward(tmp_path, tmp_path / "model")
    model.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 2
    harness.assert_close(forward(tmp_path, tmp_path / "shards"), expected, 1e-9)
    model.base_model.save_pretrained(tmp_path / "bare")
    bare = forward(tmp_path, tmp_path / "bare")
    assert ("logits" in bare) == model.config.tie_word_embeddings
    harness.assert_close({"hidden": bare["hidden"]}, {"hidden": expected["hidden"]}, 1e-9)


def change(folder, edit):
    """Writes the checkpoint again with some of its tensors changed."""
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("name, prefix, layer", [
    ("llama", "model.layers.1.", "self_attn.q_proj.weight"),
    ("gpt2", "transformer.h.1.", "attn.c_attn.weight")])
def test_tensors_that_do_not_fit_are_named_in_full(tmp_path, name, prefix, layer):
    folder, output = tmp_path / "model", tmp_path / "out.safetensors"

    def refused(edit, *words):
        decoders.make(name, folder)
        change(folder, edit)
        harness.assert_refused(
            harness.run("forward", model=folder, ids="1 2", output=output), *words)
        assert not output.exists()

    key = prefix + layer
    refused(lambda tensors: tensors.pop(key), f"'{key}'", "no tensor")
    refused(lambda tensors: tensors.update({key: torch.zeros(3, 5)}), f"'{key}' has shape [3, 5]")
    refused(lambda tensors: [tensors.pop(name) for name in list(tensors) if prefix in name],
            f"'{key}'", "tensors do not fit")
    decoders.make(name, folder)
    change(folder, lambda tensors: tensors.update({prefix + "extra.weight": torch.zeros(2)}))
    done = harness.run("forward", model=folder, ids="1 2", output=output)
    assert done.returncode == 0
    assert f"not used of the checkpoint: {prefix}extra.weight" in done.stderr


@pytest.mark.parametrize("name, field, value, words", [
    ("llama", "rope_parameters", {"rope_type": "longrope", "factor": 2.0}, "longrope"),
    ("llama", "rope_parameters", {"rope_type": "linear"}, "rope_parameters.factor"),
    ("llama", "rope_parameters", {"rope_type": "linear", "factor": 0.5}, "at least 1"),
    ("llama", "rope_parameters", {"rope_type": "default", "partial_rotary_factor": 0.5},
     "partial_rotary_factor"),
    ("llama", "hidden_act", "laplace", "hidden_act"),
    ("llama", "num_key_value_heads", 3, "a divisor of num_attention_heads"),
    ("llama", "head_dim", 7, "even"),
    ("llama", "model_type", "falcon", "falcon"),
    ("llama", "quantization_config", {"quant_method": "gptq"}, "gptq"),
    ("qwen2", "layer_types", ["chunked_attention"] * 3, "layer_types"),
    ("gpt2", "add_cross_attention", True, "add_cross_attention"),
    ("gpt2", "activation_function", "softsign", "activation_function"),
    ("gpt2", "n_head", 5, "n_embd"),
])
def test_fields_that_are_not_supported_are_refused_by_name(tmp_path, name, field, value, words):
    folder = tmp_path / "model"
    decoders.make(name, folder)
    extra = {"use_sliding_window": True} if name == "qwen2" else {}
    harness.edit_json(folder / "config.json", **{field: value}, **extra)
    harness.assert_refused(
        harness.run("forward", model=folder, ids="1 2", output=tmp_path / "out.safetensors"),
        words, "config.json")


def test_sequences_beyond_the_positions_are_refused(tmp_path):
    decoders.make("gpt2", tmp_path / "model")
    ids = " ".join(["1"] * 65)
    harness.assert_refused(
        harness.run("forward", model=tmp_path / "model", ids=ids, output=tmp_path / "out"),
        "65 tokens", "64")
    harness.assert_refused(
        harness.run("forward", model=tmp_path / "model", ids="97", output=tmp_path / "out"),
        "97", "vocabulary")


# --- a head and an embedding that are one in the configuration ------------------------------------

TIED = ["llama-one-key-head", "qwen3-tied", "gpt2"]
HEAD = "lm_head.weight"


def embedding_of(tensors):
    return next(key for key in tensors if key.endswith(("wte.weight", "embed_tokens.weight")))


def compare_with_transformers(tmp_path, folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    logits, hidden, mask = decoders.logits(model, SEQUENCES, "left")
    compare(forward(tmp_path, folder, padding="left"), {"logits": logits, "hidden": hidden}, mask)
    return model


@pytest.mark.parametrize("name", TIED)
def test_a_head_of_its_own_is_used_and_told_of_though_the_configuration_ties_it(tmp_path, name):
    folder = tmp_path / "model"
    decoders.make(name, folder)
    change(folder, lambda tensors: tensors.update(
        {HEAD: torch.randn_like(tensors[embedding_of(tensors)])}))
    model = compare_with_transformers(tmp_path, folder)
    assert not torch.equal(model.lm_head.weight, model.get_input_embeddings().weight)
    done = harness.run("forward", model=folder, ids="1 2", output=tmp_path / "out")
    note = next(line for line in done.stderr.splitlines() if "tie_word_embeddings" in line)
    assert note.startswith("note: ") and HEAD in note and "config.json" in note


@pytest.mark.parametrize("name", TIED)
def test_the_same_tensor_under_both_names_is_one_and_needs_no_word(tmp_path, name):
    folder = tmp_path / "model"
    decoders.make(name, folder)
    change(folder, lambda tensors: tensors.update(
        {HEAD: tensors[embedding_of(tensors)].clone()}))
    compare_with_transformers(tmp_path, folder)
    done = harness.run("forward", model=folder, ids="1 2", output=tmp_path / "out")
    assert "note" not in done.stderr


@pytest.mark.parametrize("name", TIED)
def test_of_a_tied_pair_either_name_is_enough(tmp_path, name):
    folder = tmp_path / "model"
    decoders.make(name, folder)
    change(folder, lambda tensors: tensors.update(
        {HEAD: tensors.pop(embedding_of(tensors))}))
    compare_with_transformers(tmp_path, folder)


def test_a_head_of_another_shape_than_its_embedding_is_named(tmp_path):
    folder = tmp_path / "model"
    decoders.make("gpt2", folder)
    change(folder, lambda tensors: tensors.update({HEAD: torch.zeros(5, 32)}))
    harness.assert_refused(
        harness.run("forward", model=folder, ids="1 2", output=tmp_path / "out"),
        HEAD, "[5, 32]")


@pytest.mark.parametrize("name", TIED)
def test_what_peft_leaves_of_a_tied_model_with_a_trained_head_is_read_and_merged(tmp_path, name):
    model = decoders.make(name, tmp_path / "base")
    target = "c_attn" if name == "gpt2" else "q_proj"
    wrapped = peft.get_peft_model(model, peft.LoraConfig(
        target_modules=[target], modules_to_save=["lm_head"], fan_in_fan_out=name == "gpt2"))
    harness.randomize_trained(wrapped)
    folder = tmp_path / "merged"
    wrapped.merge_and_unload().save_pretrained(folder)
    assert HEAD in load_file(folder / "model.safetensors")
    compare_with_transformers(tmp_path, folder)
    again, adapter = tmp_path / "again", tmp_path / "adapter"
    peft.get_peft_model(AutoModelForCausalLM.from_pretrained(folder), peft.LoraConfig(
        target_modules=[target], fan_in_fan_out=name == "gpt2")).save_pretrained(adapter)
    harness.succeed("merge", model=folder, adapter=adapter, output=again)
    assert harness.read_json(again / "config.json")["tie_word_embeddings"] is False
    compare_with_transformers(tmp_path, again)


# --- shards whose index is stale ------------------------------------------------------------------


@pytest.fixture(scope="module")
def sharded(folder_of):
    def make(folder):
        model = decoders.make("llama", folder / "whole")
        model.save_pretrained(folder / "shards", max_shard_size="20KB")

    return folder_of("sharded decoder", make) / "shards"


def index_of(folder):
    return folder / "model.safetensors.index.json"


@pytest.mark.parametrize("edit", [
    lambda shards: shards.pop("model.norm.weight"),
    lambda shards: shards.update({"model.norm.weight": min(shards.values())}),
    lambda shards: [shards.pop(key) for key in list(shards) if "input_layernorm" in key]],
    ids=["a tensor not listed", "a tensor in another shard", "several not listed"])
def test_a_stale_index_is_read_as_transformers_reads_it(tmp_path, sharded, edit):
    folder = shutil.copytree(sharded, tmp_path / "model")
    shards = harness.read_json(index_of(folder))["weight_map"]
    before = set(shards.values())
    edit(shards)
    assert set(shards.values()) == before
    harness.edit_json(index_of(folder), weight_map=shards)
    compare_with_transformers(tmp_path, folder)


def test_an_index_that_leaves_a_file_out_is_blamed(tmp_path, sharded):
    folder = shutil.copytree(sharded, tmp_path / "model")
    shards = harness.read_json(index_of(folder))["weight_map"]
    lost = shards["model.norm.weight"]
    harness.edit_json(index_of(folder), weight_map={
        key: file for key, file in shards.items() if file != lost})
    harness.assert_refused(
        harness.run("forward", model=folder, ids="1 2", output=tmp_path / "out"),
        "index.json", lost)
