"""Adapters written by peft: those that load give peft's logits, the others are refused by name."""

import copy
import shutil

import pytest
import torch
from peft import HiraConfig, LoraConfig, TaskType, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification, BertForSequenceClassification, BertModel)

import harness

ROWS = harness.sequences([6, 11, 1, 9], seed=3)

QUERY_VALUE = dict(target_modules=["query", "value"])

# The first that matches counts, and this is not the order of the keys.
UNSORTED = {"query": 9, "layer.0.attention.self.query": 1}

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
    "all biases, saved pooler": dict(QUERY_VALUE, bias="all", modules_to_save=["pooler"]),
    "a bias of B": dict(QUERY_VALUE, lora_bias=True, lora_alpha=3),
    "gaussian start": dict(QUERY_VALUE, init_lora_weights="gaussian"),
    "orthogonal start": dict(QUERY_VALUE, init_lora_weights="orthogonal"),
    "DoRA of every kind of dense": dict(target_modules=["dense"], use_dora=True),
    "DoRA stored in bf16": dict(QUERY_VALUE, use_dora=True, stored=torch.bfloat16),
    "HiRA of every kind of dense": dict(target_modules=["dense"], config=HiraConfig, r=3),
    "HiRA stored in fp16": dict(QUERY_VALUE, config=HiraConfig, stored=torch.float16),
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
    "dense but for the saved pooler": dict(target_modules=["dense"], modules_to_save=["pooler"]),
    "whole paths, of which no block is asked": dict(
        target_modules=["bert.encoder.layer.1.attention.self.query", "value"],
        layers_to_transform=[0]),
    "no head": dict(QUERY_VALUE, task_type=TaskType.FEATURE_EXTRACTION, kind=BertModel),
    "no head, dense": dict(
        target_modules=["output.dense"], task_type=TaskType.FEATURE_EXTRACTION, kind=BertModel),
    "no head, a pattern of whole paths": dict(
        QUERY_VALUE, task_type=TaskType.FEATURE_EXTRACTION, kind=BertModel, r=4,
        rank_pattern={r"^encoder.layer.1.*value": 2},
        alpha_pattern={r"^encoder.layer.0.attention.self.query": 30}),
    "a pattern that looks behind": dict(target_modules=r".*self\.(?P<kind>query|key|value)(?<!key)"),
    "a name of another architecture": dict(target_modules=["query", "value", "q_proj"]),
    "patterns in an order of their own": dict(
        QUERY_VALUE, alpha_pattern=UNSORTED, edits=dict(alpha_pattern=UNSORTED)),
    "alphas of 0 and below": dict(QUERY_VALUE, alpha_pattern={"query": 0, "value": -3}),
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
                if parameter.requires_grad:
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
    found = harness.outputs_here(tmp_path, tmp_path / "base", ROWS, adapter=tmp_path / "adapter")
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
    found = harness.outputs_here(
        tmp_path, tmp_path / "base", rows, adapter=tmp_path / "adapter", dtype="bfloat16")
    expected = harness.reference(model, rows)
    rounded = harness.reference(model.bfloat16(), rows)
    for key in expected:
        torch_error = harness.relative_error(rounded[key], expected[key])
        assert harness.relative_error(found[key], expected[key]) < 1.3 * torch_error


# Options that change what an adapter computes, or that need more than this package does, with the
# word that the message must have.
REFUSED = {
    "PiSSA": dict(QUERY_VALUE, edits=dict(init_lora_weights="pissa"), word="init_lora_weights"),
    "OLoRA": dict(QUERY_VALUE, edits=dict(init_lora_weights="olora"), word="plain LoRA"),
    "KaSA": dict(QUERY_VALUE, edits=dict(kasa_config=dict(beta=1)), word="kasa_config"),
    "activated LoRA": dict(
        QUERY_VALUE, edits=dict(alora_invocation_tokens=[5, 6]), word="alora_invocation_tokens"),
    "another task": dict(QUERY_VALUE, edits=dict(task_type="TOKEN_CLS"), word="TOKEN_CLS"),
    "a flag in quotes": dict(
        QUERY_VALUE, edits=dict(use_dora="true"), word="'use_dora' is 'true'"),
    "an unknown type": dict(QUERY_VALUE, edits=dict(peft_type="IA3"), word="IA3"),
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


# --- LoRA's kin on every architecture -------------------------------------------------------------


def everywhere(architecture):
    """Layers of every shape and, in GPT-2, of both ways to lie in memory."""
    named = harness.ARCHITECTURES[architecture]
    return dict(target_modules=[*named["attention"], named["last"]])


def patterns(architecture):
    named = harness.ARCHITECTURES[architecture]
    second = named["path"].replace(".", r"\.") + r"\.1\..*"
    return {named["attention"][0]: 2, second + named["last"]: 3}


KIN = {
    "lora": lambda _: dict(r=4, lora_alpha=6),
    "lora, all-linear": lambda _: dict(r=3, target_modules="all-linear"),
    "lora, rank-stabilised": lambda _: dict(r=5, lora_alpha=7, use_rslora=True),
    "lora, patterns": lambda name: dict(
        r=4, rank_pattern=patterns(name), alpha_pattern={key: 5 for key in patterns(name)},
        use_rslora=True),
    "lora, a bias of B": lambda _: dict(r=4, lora_bias=True, lora_alpha=6),
    "lora, all biases": lambda _: dict(r=4, bias="all"),
    "dora": lambda _: dict(r=4, lora_alpha=6, use_dora=True),
    "dora, all-linear": lambda _: dict(r=3, use_dora=True, target_modules="all-linear"),
    "dora, rank-stabilised, patterns": lambda name: dict(
        r=5, use_dora=True, use_rslora=True, rank_pattern=patterns(name)),
    "dora, biases of the adapted": lambda _: dict(r=4, use_dora=True, bias="lora_only"),
    "hira": lambda _: dict(config=HiraConfig, r=4),
    "hira, all-linear": lambda _: dict(config=HiraConfig, r=3, target_modules="all-linear"),
    "hira, patterns": lambda name: dict(
        config=HiraConfig, r=5, rank_pattern=patterns(name), init_weights="gaussian"),
}


@pytest.fixture(scope="module")
def base_of(folder_of):
    """The folder of a random base, by architecture."""
    return lambda name: folder_of(
        ("base", name), lambda folder: harness.make_base(name, folder))


def kin(architecture, name, base, folder):
    """Saves an adapter of peft with numbers that matter; peft's model."""
    fields = {"config": LoraConfig, **everywhere(architecture), **KIN[name](architecture)}
    fields["fan_in_fan_out"] = architecture == "gpt2"
    kind = TaskType.SEQ_CLS if architecture == "bert" else TaskType.CAUSAL_LM
    model = get_peft_model(
        harness.open_base(base), fields.pop("config")(task_type=kind, **fields)).eval()
    harness.randomize_trained(model, deviation=0.2)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("architecture", harness.ARCHITECTURES)
@pytest.mark.parametrize("name", KIN)
def test_kin_of_lora_say_what_they_say_in_peft(tmp_path, base_of, architecture, name):
    base, rows = base_of(architecture), harness.rows_of(architecture)
    model = kin(architecture, name, base, tmp_path / "adapter")
    found = harness.outputs_here(tmp_path, base, rows, adapter=tmp_path / "adapter")
    expected = harness.outputs_there(model, rows)
    harness.assert_close(found, expected)
    plain = harness.outputs_there(harness.open_base(base), rows)
    assert harness.relative_error(plain["logits"], expected["logits"]) > 1e-2


@pytest.mark.parametrize("architecture", harness.ARCHITECTURES)
@pytest.mark.parametrize("name", KIN)
def test_kin_of_lora_merge_to_what_peft_merges(tmp_path, base_of, architecture, name):
    base, rows = base_of(architecture), harness.rows_of(architecture)
    model = kin(architecture, name, base, tmp_path / "adapter")
    options = dict(model=base, adapter=tmp_path / "adapter", output=tmp_path / "merged")
    if architecture == "llama" and "bias of B" in name:
        with pytest.raises(RuntimeError, match="no bias"):
            copy.deepcopy(model).merge_and_unload()
        harness.assert_refused(harness.run("merge", **options), "q_proj", "has none")
        assert not (tmp_path / "merged").exists()
        return
    adapted = harness.outputs_there(model, rows)
    harness.succeed("merge", **options)
    merged = harness.open_base(tmp_path / "merged")
    harness.assert_close(harness.outputs_there(merged, rows), adapted)
    found, expected = merged.state_dict(), model.merge_and_unload().state_dict()
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert (found[key] - value).abs().max() < 1e-5, key


def rewrite(folder, change):
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


SPOILT = {
    "missing": (lambda tensors, key: tensors.pop(key), "has no tensor"),
    "extra": (lambda tensors, key: tensors.update({key + "x": tensors[key].clone()}), "does not speak of"),
    "too wide": (lambda tensors, key: tensors.update(
        {key: torch.zeros(tensors[key].shape[0], tensors[key].shape[1] + 1)}), "has shape"),
}


def test_a_pickle_is_refused_as_one(tmp_path):
    make(tmp_path, **QUERY_VALUE)
    adapter = tmp_path / "adapter"
    torch.save(load_file(adapter / "adapter_model.safetensors"), adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").unlink()
    done = harness.run("forward", model=tmp_path / "base", adapter=adapter, ids="1 2 3",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, "adapter_model.bin is a pickle", "safetensors")


@pytest.mark.parametrize("name", ["lora", "dora", "hira"])
@pytest.mark.parametrize("how", [*SPOILT, "another base"])
def test_kin_that_do_not_fit_are_refused_by_tensor(tmp_path, base_of, name, how):
    base, adapter = base_of("llama"), tmp_path / "adapter"
    kin("llama", name, base, adapter)
    part = "hira_A" if name == "hira" else "lora_A.weight"
    key = f"base_model.model.model.layers.1.self_attn.v_proj.{part}"
    words = [key]
    if how == "another base":
        base, words = harness.make_base(
            "llama", tmp_path / "base", hidden_size=24, num_attention_heads=2), ["has shape"]
    else:
        change, word = SPOILT[how]
        rewrite(adapter, lambda tensors: change(tensors, key))
        words.append(word)
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2 3",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, *words)


def test_a_magnitude_of_dora_is_read_as_older_versions_of_peft_named_it(tmp_path, base_of):
    base, rows = base_of("bert"), harness.rows_of("bert")
    model = kin("bert", "dora", base, tmp_path / "adapter")
    shutil.copytree(tmp_path / "adapter", tmp_path / "renamed")

    def rename(tensors):
        for key in [key for key in tensors if key.endswith("lora_magnitude_vector")]:
            tensors[key + ".weight"] = tensors.pop(key)

    rewrite(tmp_path / "renamed", rename)
    found = harness.outputs_here(tmp_path, base, rows, adapter=tmp_path / "renamed")
    harness.assert_close(found, harness.outputs_there(model, rows))
