"""Every key of a configuration that transformers acts on is acted on here, or refused by name."""

import json
import shutil

import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, GenerationConfig)

import configuration_keys
import decoders
import harness
from configuration_keys import CLASSES, GENERATION, ROTARY, generation_keys, rotary_keys

BASES = {"llama": "llama", "mistral": "mistral-no-window", "qwen2": "qwen2", "qwen3": "qwen3",
         "gpt2": "gpt2"}
ROWS = harness.sequences([9, 4], vocabulary=60, seed=6)


def fields_of(architecture, **changes):
    """What `config.json` says of a small model of an architecture; None takes a field out."""
    if architecture == "bert":
        fields = dict(
            harness.SHAPE, model_type="bert", vocab_size=60, num_hidden_layers=3,
            id2label={"0": "a", "1": "b"})
    else:
        fields = json.loads(decoders.CONFIGURATIONS[BASES[architecture]].to_json_string())
        # It follows from the number of layers, and would not follow its change.
        fields.pop("layer_types", None)
    fields.update(changes)
    return {key: value for key, value in fields.items() if value is not None}


def loader(fields):
    return (AutoModelForSequenceClassification if fields["model_type"] == "bert"
            else AutoModelForCausalLM)


def write(folder, fields):
    """A random model of a configuration, whose file says just that."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(fields))
    torch.manual_seed(7)
    model = loader(fields).from_config(AutoConfig.from_pretrained(folder)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    tied = set(model.all_tied_weights_keys)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()
               if key not in tied}, folder / "model.safetensors", metadata={"format": "pt"})


def outputs(folder, fields):
    """What transformers makes of the folder."""
    model = loader(fields).from_pretrained(folder, dtype=torch.float32).eval()
    return harness.outputs_there(model, ROWS)


def compare(place, folder, fields):
    found = harness.outputs_here(place, folder, ROWS)
    harness.assert_close(found, outputs(folder, fields))


@pytest.mark.parametrize("architecture", CLASSES)
def test_every_key_of_the_installed_transformers_is_known(architecture):
    read = configuration_keys.read_by_transformers(architecture)
    assert not read - set(configuration_keys.known(architecture))
    assert {"vocab_size", "is_causal", "layer_types", "dtype"} <= read


def test_every_key_of_generation_and_of_rotary_positions_is_known():
    assert not generation_keys() - set(GENERATION)
    assert not rotary_keys() - set(ROTARY)


CASES = [(architecture, key) for architecture in CLASSES
         for key, entry in configuration_keys.known(architecture).items()
         if entry.value is not None]


@pytest.mark.parametrize("architecture, key", CASES)
def test_a_key_changes_the_numbers_as_in_transformers_or_is_refused(tmp_path, architecture, key):
    entry = configuration_keys.known(architecture)[key]
    folder = tmp_path / "model"
    if entry.kind == "refused":
        write(folder, fields_of(architecture))
        fields = fields_of(architecture, **entry.beside)
        (folder / "config.json").write_text(json.dumps({**fields, key: entry.value}))
        harness.assert_refused(
            harness.run("forward", model=folder, ids="1 2 3", output=tmp_path / "out"),
            key, "config.json")
        return
    fields = fields_of(architecture, **{**entry.beside, key: entry.value})
    write(folder, fields)
    compare(tmp_path, folder, fields)


@pytest.mark.parametrize("key", [key for key, entry in ROTARY.items() if entry.value is not None])
def test_a_key_of_rotary_positions_turns_as_in_transformers_or_is_refused(tmp_path, key):
    entry, folder = ROTARY[key], tmp_path / "model"
    rotary = {"rope_theta": 10000.0, **entry.beside, key: entry.value}
    fields = fields_of("llama", max_position_embeddings=32, rope_parameters=rotary)
    if entry.kind == "refused":
        write(folder, fields_of("llama"))
        (folder / "config.json").write_text(json.dumps(fields))
        harness.assert_refused(
            harness.run("forward", model=folder, ids="1 2 3", output=tmp_path / "out"),
            "config.json", key if key == "partial_rotary_factor" else "longrope")
        return
    write(folder, fields)
    compare(tmp_path, folder, fields)


@pytest.mark.parametrize("architecture", ["qwen2", "mistral"])
def test_positions_that_differ_by_layer_are_refused(tmp_path, architecture):
    folder = tmp_path / "model"
    write(folder, fields_of(architecture))
    nested = {"full_attention": {"rope_type": "default", "rope_theta": 99.0}}
    harness.edit_json(
        folder / "config.json", rope_parameters=nested, layer_types=["full_attention"] * 3)
    harness.assert_refused(
        harness.run("forward", model=folder, ids="1 2 3", output=tmp_path / "out"),
        "rope_parameters.full_attention")


@pytest.fixture(scope="module")
def generating(folder_of):
    return folder_of("generating", lambda folder: decoders.make("llama-grouped", folder))


# Without a file of its own, generation is as the model's configuration says.
@pytest.mark.parametrize("key, place", [
    *((key, "generation_config.json") for key, entry in GENERATION.items()
      if entry.value is not None),
    *((key, "config.json") for key in (
        "max_new_tokens", "do_sample", "num_beams", "repetition_penalty", "eos_token_id",
        "bad_words_ids", "force_bos_token_to_be_generated"))])
def test_a_key_of_generation_chooses_as_in_transformers_or_is_refused(
        tmp_path, generating, key, place):
    entry, folder = GENERATION[key], tmp_path / "model"
    shutil.copytree(generating, folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    fields = {"eos_token_id": 2, **({} if key == "max_new_tokens" else {"max_length": 24}),
              **entry.beside, key: entry.value}
    if place == "config.json":
        harness.edit_json(folder / place, **fields)
    else:
        (folder / place).write_text(json.dumps(fields))
    ids = [5, 17, 9, 5, 17, 33]
    words = dict(model=folder, ids=" ".join(map(str, ids)), dtype="float32", json=True)
    done = harness.run("generate", **words)
    if entry.kind == "refused":
        return harness.assert_refused(done, key, place)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["ids"] for line in done.stdout.splitlines()]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    options = GenerationConfig(
        output_attentions=False, output_hidden_states=False, output_scores=False,
        output_logits=False, return_dict_in_generate=False, pad_token_id=0)
    made = model.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        generation_config=options)
    stops = fields["eos_token_id"]
    stops = stops if isinstance(stops, list) else [stops]
    for mine, theirs in zip(found, made[:, len(ids):].tolist(), strict=True):
        assert mine == theirs[:len(mine)]
        assert not any(theirs[len(mine):]) and (len(mine) > 2 or set(stops) & set(mine))
