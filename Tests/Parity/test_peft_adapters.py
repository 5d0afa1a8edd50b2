"""Adapters written by peft: those that load give peft's logits, the others are refused by name."""

import pytest
import torch
from peft import HiraConfig, LoraConfig, TaskType, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification, BertForSequenceClassification, BertModel)

import harness

ROWS = harness.sequences([6, 11, 1, 9], seed=3)

QUERY_VALUE = dict(target_modules=["query", "value"])

# What is peculiar about an adapter: options of LoraConfig, and the base it is for.
LOADED = {
    "query and value": dict(QUERY_VALUE),
    "rank 1": dict(QUERY_VALUE, r=1),
    "rank above the size": dict(QUERY_VALUE, r=40),
    "scale": dict(QUERY_VALUE, r=3, lora_alpha=17),
    "rank-stabilised": dict(QUERY_VALUE, r=5, lora_alpha=7, use_rslora=True),
    "rank pattern": dict(
        target_modules=["query", "value"], r=4,
        rank_pattern={"query": 3, r"layer\.1\..*value": 5}, alpha_pattern={"value": 6}),
    "all biases": dict(QUERY_VALUE, bias="all"),
    "biases of the adapted": dict(QUERY_VALUE, bias="lora_only"),
    "a block by number and pattern": dict(
        target_modules=["query"], layers_to_transform=0, layers_pattern="layer"),
    "dropout is of training": dict(QUERY_VALUE, lora_dropout=0.5),
    "dense of every kind": dict(target_modules=["dense"]),
    "output.dense": dict(target_modules=["output.dense"]),
    "attention.output.dense": dict(target_modules=["attention.output.dense"]),
    "intermediate.dense and key": dict(target_modules=["intermediate.dense", "key"]),
    "pooler": dict(target_modules=["pooler.dense"]),
    "whole path": dict(target_modules=["bert.encoder.layer.1.attention.self.query"]),
    "all-linear": dict(target_modules="all-linear"),
    "regular expression": dict(target_modules=r".*layer\.1\..*(query|key)"),
    "some layers": dict(QUERY_VALUE, layers_to_transform=[1]),
    "all but some": dict(target_modules=["query", "key"], exclude_modules=r".*layer\.0.*key"),
    "peft's default targets": dict(),
    "saved pooler": dict(QUERY_VALUE, modules_to_save=["pooler"]),
    "no head": dict(QUERY_VALUE, task_type=TaskType.FEATURE_EXTRACTION, kind=BertModel),
    "no head, dense": dict(
        target_modules=["output.dense"], task_type=TaskType.FEATURE_EXTRACTION, kind=BertModel),
    "no task type": dict(QUERY_VALUE, task_type=None),
    "head of its own size": dict(QUERY_VALUE, kind=BertModel, num_labels=3),
    "1 label": dict(QUERY_VALUE, num_labels=1),
    "stored in bf16": dict(QUERY_VALUE, stored=torch.bfloat16),
    "stored in fp16": dict(QUERY_VALUE, stored=torch.float16),
    "base stored in bf16": dict(QUERY_VALUE, base_stored=torch.bfloat16),
}


def make(folder, kind=BertForSequenceClassification, num_labels=2, base_stored=None, stored=None,
         task_type=TaskType.SEQ_CLS, config=LoraConfig, edits=None, **options):
    """Saves a base and an adapter for it; peft's model."""
    saved = harness.bert(kind, **({} if kind is BertModel else {"num_labels": num_labels}))
    harness.save(saved.to(base_stored or torch.float32), folder / "base", tokenizer=False)
    if task_type == TaskType.FEATURE_EXTRACTION:
        base = BertModel.from_pretrained(folder / "base", dtype=torch.float32)
    else:
        base = AutoModelForSequenceClassification.from_pretrained(
            folder / "base", num_labels=num_labels, dtype=torch.float32)
    model = get_peft_model(base, config(task_type=task_type, **options)).eval()
    harness.randomize_trained(model)
    if stored:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name or "modules_to_save" in name:
                    parameter.copy_(parameter.to(stored))
    model.save_pretrained(folder / "adapter")
    path = folder / "adapter" / "adapter_model.safetensors"
    if stored:
        save_file({name: value.to(stored) for name, value in load_file(path).items()}, path)
    harness.edit_json(folder / "adapter" / "adapter_config.json", **(edits or {}))
    return model


@pytest.mark.parametrize("name", LOADED)
def test_an_adapter_of_peft_gives_the_logits_of_peft(tmp_path, name):
    model = make(tmp_path, **LOADED[name])
    found = harness.forward(tmp_path, tmp_path / "base", ROWS, adapter=tmp_path / "adapter")
    expected = harness.reference(model, ROWS)
    harness.assert_close(found, expected)
    with model.disable_adapter():
        plain = harness.reference(model, ROWS)
    key = "logits" if "logits" in plain else "hidden"
    assert harness.relative_error(plain[key], expected[key]) > 1e-3, "the adapter does nothing"


def test_an_adapter_in_bfloat16_is_as_near_as_torch_comes(tmp_path):
    """A random adapter amplifies what bf16 rounds away, so torch's own error is the measure."""
    model = make(tmp_path, target_modules="all-linear")
    rows = harness.sequences([6, 11, 1, 9] * 4, seed=4)
    found = harness.forward(
        tmp_path, tmp_path / "base", rows, adapter=tmp_path / "adapter", dtype="bfloat16")
    expected = harness.reference(model, rows)
    rounded = harness.reference(model.bfloat16(), rows)
    for key in expected:
        torch_error = harness.relative_error(rounded[key], expected[key])
        assert harness.relative_error(found[key], expected[key]) < 1.3 * torch_error


# Options that change what an adapter computes, or that need more than this package does, with the
# word that the message must have.
REFUSED = {
    "lora_bias": dict(QUERY_VALUE, lora_bias=True, word="lora_bias"),
    "activated LoRA": dict(
        QUERY_VALUE, edits=dict(alora_invocation_tokens=[5, 6]), word="alora_invocation_tokens"),
    "trained embedding": dict(target_modules=["query", "word_embeddings"], word="word_embeddings"),
    "trained tokens": dict(
        QUERY_VALUE, trainable_token_indices={"word_embeddings": [3, 4]},
        word="trainable_token_indices"),
    "HiRA": dict(QUERY_VALUE, config=HiraConfig, r=4, word="HIRA"),
    "no peft_type": dict(QUERY_VALUE, edits=dict(peft_type=None), word="peft_type"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_option_that_is_not_supported_is_refused_by_name(tmp_path, name):
    options = dict(REFUSED[name])
    word = options.pop("word")
    make(tmp_path, **options)
    output = tmp_path / "forward.safetensors"
    done = harness.run("forward", model=tmp_path / "base", adapter=tmp_path / "adapter",
                       ids="1 2 3", output=output)
    harness.assert_refused(done, word)
    assert not output.exists()
