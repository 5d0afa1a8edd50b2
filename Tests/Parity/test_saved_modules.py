"""Modules that an adapter brings whole, beside its own tensors: peft's `modules_to_save`."""

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

import harness
import plain_text

ROWS = harness.sequences([6, 11, 1, 9], len(harness.WORDS), seed=3)

# The base, and what is saved. Both bases have one weight for the embedding and the head.
GPT2 = ("gpt2", dict(target_modules=["c_attn"]))
LLAMA = ("llama-one-key-head", dict(target_modules=["q_proj", "v_proj"]))
SAVED = {
    "GPT-2's embedding": (*GPT2, ["wte"]),
    "GPT-2's head": (*GPT2, ["lm_head"]),
    "GPT-2's embedding and head": (*GPT2, ["wte", "lm_head"]),
    "LLaMA's embedding": (*LLAMA, ["embed_tokens"]),
    "LLaMA's head": (*LLAMA, ["lm_head"]),
    "a square matrix that lies as (in, out)": (*GPT2, ["attn.c_proj"]),
    "matrices that lie as (in, out)": (*GPT2, ["mlp"]),
    "one block's": (*GPT2, ["h.1.mlp.c_fc"]),
    "a norm whose name ends others' names": (*LLAMA, ["model.norm"]),
}


@pytest.fixture(scope="module")
def base_of(folder_of):
    return lambda name: folder_of(("saved", name), lambda folder: plain_text.base(folder, name))


def adapter_of(base, folder, options, save=None):
    """Saves an adapter of peft with numbers that matter; peft's model."""
    model = get_peft_model(
        harness.open_base(base), LoraConfig(task_type="CAUSAL_LM", **options)).eval()
    harness.randomize_trained(model, deviation=0.2)
    model.save_pretrained(folder, **(save or {}))
    return model


def assert_matters(base, expected):
    plain = harness.outputs_there(harness.open_base(base), ROWS)
    assert harness.relative_error(plain["logits"], expected["logits"]) > 1e-2


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("tie", [False, True])
def test_modules_that_peft_saved_say_what_they_say_there(tmp_path, base_of, name, tie):
    architecture, options, modules = SAVED[name]
    base, adapter = base_of(architecture), tmp_path / "adapter"
    adapter_of(base, adapter, dict(
        **options, modules_to_save=modules, ensure_weight_tying=tie))
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    # As peft reads it: what it has in memory shares more with ensure_weight_tying.
    model = PeftModel.from_pretrained(harness.open_base(base), adapter).eval()
    expected = harness.outputs_there(model, ROWS)
    harness.assert_close(found, expected)
    assert_matters(base, expected)


@pytest.mark.parametrize("name", SAVED)
def test_modules_that_are_trained_here_say_the_same_in_peft_and_merged(tmp_path, base_of, name):
    architecture, options, modules = SAVED[name]
    base, adapter, data = base_of(architecture), tmp_path / "adapter", tmp_path / "text.txt"
    data.write_text(plain_text.text(100, 1))
    harness.train(
        base, data, adapter, task="text", method="lora", steps=3, batch_size=4, max_length=16,
        learning_rate=2e-2, dtype="float32", targets=",".join(options["target_modules"]),
        modules_to_save=",".join(modules))
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    model = PeftModel.from_pretrained(harness.open_base(base), adapter).eval()
    harness.assert_close(found, harness.outputs_there(model, ROWS))
    saved = [key for key in load_file(adapter / "adapter_model.safetensors") if "lora_" not in key]
    before, after = harness.open_base(base).state_dict(), harness.saved_tensors(adapter)
    assert saved
    for key in saved:
        key = key.removeprefix("base_model.model.")
        assert (before[key] - after[key]).abs().max() > 1e-4, f"{key} did not train"
    harness.succeed("merge", model=base, adapter=adapter, output=tmp_path / "merged")
    harness.assert_close(harness.outputs_there(harness.open_base(tmp_path / "merged"), ROWS), found)


@pytest.mark.parametrize("architecture", ["gpt2", "llama-one-key-head"])
def test_embeddings_that_peft_saved_beside_are_read(tmp_path, base_of, architecture):
    base, adapter = base_of(architecture), tmp_path / "adapter"
    options = dict([GPT2, LLAMA])[architecture]
    adapter_of(base, adapter, options, save=dict(save_embedding_layers=True))
    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    tied = [key for key in tensors if "lora_" not in key]
    assert len(tied) == 2
    changed = tensors[tied[0]] + 0.1 * torch.randn_like(tensors[tied[0]])
    save_file({**tensors, **{key: changed.clone() for key in tied}}, path)
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    model = PeftModel.from_pretrained(harness.open_base(base), adapter).eval()
    harness.assert_close(found, harness.outputs_there(model, ROWS))
    save_file({**tensors, tied[0]: changed}, path)
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, "must be one tensor", *tied)


EXTRA = {
    "the end of a name": "base_model.model.weight",
    "a layer's end of a name": "base_model.model.o_proj.weight",
    "an adapted layer's own weight": "base_model.model.model.layers.0.self_attn.q_proj.weight",
    "a norm": "base_model.model.model.norm.weight",
    "a norm without peft's prefix": "model.norm.weight",
}


@pytest.mark.parametrize("name", EXTRA)
def test_a_weight_that_the_configuration_does_not_speak_of_is_refused(tmp_path, base_of, name):
    base, adapter = base_of("llama-grouped"), tmp_path / "adapter"
    adapter_of(base, adapter, LLAMA[1])
    path = adapter / "adapter_model.safetensors"
    size = harness.open_base(base).config.hidden_size
    shape = (size,) if "norm" in name else (size, size)
    save_file({**load_file(path), EXTRA[name]: torch.randn(shape)}, path)
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, EXTRA[name])


@pytest.mark.parametrize("method", ["lora", "vera", "randlora", "hira"])
def test_layers_that_are_left_out_are_left_out_in_peft(tmp_path, base_of, method):
    base, adapter, data = base_of("llama-grouped"), tmp_path / "adapter", tmp_path / "text.txt"
    data.write_text(plain_text.text(100, 1))
    shared = dict(save_projection="false") if method in ("vera", "randlora") else {}
    harness.train(
        base, data, adapter, task="text", method=method, rank=3, steps=3, batch_size=4,
        max_length=16, learning_rate=2e-2, dtype="float32", target_pattern=".*_proj",
        exclude_targets="down_proj", **shared)
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    model = PeftModel.from_pretrained(harness.open_base(base), adapter).eval()
    harness.assert_close(found, harness.outputs_there(model, ROWS))
    assert_matters(base, found)


def test_a_name_that_other_modules_end_in_is_spelled_out(tmp_path, base_of, folder_of):
    """peft takes `1.mlp` of twelve blocks for the eleventh's, too."""
    base = folder_of("twelve", lambda folder: plain_text.base(
        folder, "llama-grouped", num_hidden_layers=12))
    adapter, data = tmp_path / "adapter", tmp_path / "text.txt"
    data.write_text(plain_text.text(40, 1))
    harness.train(
        base, data, adapter, task="text", method="lora", steps=1, batch_size=4, max_length=16,
        dtype="float32", modules_to_save="layers.1.mlp,norm")
    model = PeftModel.from_pretrained(harness.open_base(base), adapter).eval()
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    harness.assert_close(found, harness.outputs_there(model, ROWS))
    config = harness.read_json(adapter / "adapter_config.json")
    assert "model.norm" in config["modules_to_save"]
