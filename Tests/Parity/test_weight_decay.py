"""What decays: the tensors that transformers' Trainer lets decay of the same adapter in PEFT."""

import json
import shutil

import pytest
import torch
from peft import PeftConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, Trainer

import harness
from harness import BRIEF

METHODS = {
    "lora": dict(method="lora"),
    "lora with biases": dict(method="lora", bias="all", lora_bias="true"),
    "dora": dict(method="dora"),
    "hira": dict(method="hira"),
    "vera": dict(method="vera", rank=4),
    "randlora": dict(method="randlora", rank=4),
    "prefix": dict(method="prefix", virtual_tokens=3),
    "prefix by a perceptron": dict(method="prefix", virtual_tokens=3, prefix_projection="true"),
    "prompt": dict(method="prompt", virtual_tokens=3),
    "p-tuning": dict(method="p-tuning", virtual_tokens=3),
}


def decaying(folder, base, data, **options):
    """What trains, by name, and whether it decays: in a step whose gradients are next to nothing, and
    from numbers of which none is zero."""
    settings = {**BRIEF, "steps": 2, "checkpoint_steps": 1, "gradient_limit": 1e-30,
                "weight_decay": 0.5, "learning_rate": 1e-2, "head_learning_rate": 1e-2,
                "warmup_ratio": 0, "schedule": "constant", "dtype": "float32", **options}
    harness.train(base, data, folder, task="rte", **settings)
    first, second = sorted((folder / "checkpoints").iterdir())
    shutil.rmtree(second)
    state = load_file(first / "state.safetensors")
    names = [name for name in state if name + ".exp_avg" in state]
    for name in names:
        state[name] = torch.full_like(state[name], 0.1)
    save_file(state, first / "state.safetensors")
    # As an earlier version left it, which kept no digests.
    record = harness.read_json(first / "state.json")
    del record["digest"], record["digests"]
    (first / "state.json").write_text(json.dumps(record))
    harness.train(base, data, folder, task="rte", resume=True, **settings)
    state = load_file(second / "state.safetensors")
    moved = {name: (state[name] / 0.1).mean().item() for name in names}
    assert all(share == pytest.approx(1, abs=1e-6) or share == pytest.approx(0.995, abs=1e-6)
               for share in moved.values()), moved
    return {name: share < 0.999 for name, share in moved.items()}


def bare(name):
    """A name of PEFT's as it is in a file."""
    for word in ("base_model.model.", "base_model.", ".default", ".modules_to_save", ".base_layer",
                 "prompt_encoder."):
        name = name.replace(word, "")
    return name.replace("magnitude_vector.weight", "magnitude_vector")


def expected(model):
    decays = set(Trainer.get_decay_parameter_names(None, model))
    return {bare(name): name in decays for name, parameter in model.named_parameters()
            if parameter.requires_grad}


@pytest.mark.parametrize("name", METHODS)
def test_what_decays_is_what_decays_of_peft_in_a_trainer(tmp_path, encoder, task_data, name):
    found = decaying(tmp_path / "out", encoder, task_data("rte"), **METHODS[name])
    base = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=2)
    config = PeftConfig.from_pretrained(tmp_path / "out")
    config.inference_mode = False
    right = expected(get_peft_model(base, config))
    found = {bare(key): decays for key, decays in found.items()}
    if name in ("prefix", "prompt"):
        found = {key.replace("prompt_embeddings", "embedding.weight"): decays
                 for key, decays in found.items()}
    assert found == right


def test_what_decays_of_a_model_is_what_decays_in_a_trainer(tmp_path, encoder, task_data):
    found = decaying(tmp_path / "out", encoder, task_data("rte"), method="full")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    assert found == expected(model)
    assert set(found.values()) == {False, True}
