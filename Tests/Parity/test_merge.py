"""`duallora merge`: the folder opens in transformers and is the adapted model."""

import json

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoTokenizer, BertForMaskedLM, BertModel

import glue_files
import harness
from harness import BRIEF, dual_update, factors_of, saved_tensors

ROWS = harness.sequences([6, 11, 1, 9], seed=3)
TEXTS = ["the red dog sees a bird.", "Zebra, naïve ☃!", "", "a man and the woman not near"]

# The base and how an adapter came to be. `stored` is the type of the base's file.
MERGED = {
    "lora": dict(method="lora"),
    "lora, all-linear": dict(method="lora", targets="all-linear", rank=3),
    "lora, 1 label": dict(method="lora", task="stsb"),
    "lora on bf16": dict(method="lora", stored=torch.bfloat16),
    "lora on fp16": dict(method="lora", stored=torch.float16),
    "lora on an encoder": dict(method="lora", kind=BertModel),
    "lora on shards": dict(method="lora", save=dict(max_shard_size="20KB")),
    "lora without pooler": dict(method="lora", kind=BertForMaskedLM),
    "dual-lora": dict(method="dual-lora"),
    "dual-lora, r1 and r2": dict(
        method="dual-lora", magnitude_rank=2, direction_rank=5, targets="dense"),
    "dual-lora, 1 label": dict(method="dual-lora", task="stsb"),
    "dual-lora on bf16": dict(method="dual-lora", stored=torch.bfloat16),
    "dual-lora on an encoder": dict(method="dual-lora", kind=BertModel),
}


def make(folder, task_data, task="rte", kind=None, stored=torch.float32, save=None, **options):
    """A base, and an adapter trained on it."""
    kinds = dict(kind=kind) if kind else dict(num_labels=glue_files.LABELS[task])
    model = harness.bert(**kinds).to(stored)
    harness.save(model, folder / "base", **(save or {}))
    harness.train(folder / "base", task_data(task), folder / "adapter", task=task,
                  **{**BRIEF, **options})


def merge(folder, **options):
    harness.succeed("merge", model=folder / "base", adapter=folder / "adapter",
                    output=folder / "merged", **options)
    return folder / "merged"


def weights(folder):
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(path)
    return tensors


def bare(name):
    return name.removeprefix("bert.")


@pytest.mark.parametrize("name", MERGED)
def test_a_merged_model_gives_the_adapted_logits_in_transformers(tmp_path, task_data, name):
    options = dict(MERGED[name])
    make(tmp_path, task_data, **options)
    adapted = harness.outputs_here(tmp_path, tmp_path / "base", ROWS, adapter=tmp_path / "adapter")
    merged = merge(tmp_path)
    expected = harness.reference(harness.load(merged), ROWS)
    # The merged folder is read here as it is there, whatever its type.
    harness.assert_close(harness.outputs_here(tmp_path, merged, ROWS), expected)
    if options.get("stored", torch.float32) == torch.float32:
        harness.assert_close(adapted, expected)
    else:
        # W + dW is rounded to the file's type once more: 2^-9 (fp16: 2^-12) of each weight.
        for key in expected:
            assert harness.relative_error(adapted[key], expected[key]) < 2e-2


@pytest.mark.parametrize("name", [name for name in MERGED if MERGED[name]["method"] != "lora"]
                         + ["lora", "lora on bf16"])
def test_every_merged_weight_is_the_sum_rounded_once(tmp_path, task_data, name):
    make(tmp_path, task_data, **MERGED[name])
    before = {bare(key): value for key, value in weights(tmp_path / "base").items()}
    after = {bare(key): value for key, value in weights(merge(tmp_path)).items()}
    config = harness.read_json(tmp_path / "adapter" / "adapter_config.json")
    saved = {bare(key): value for key, value in saved_tensors(tmp_path / "adapter").items()}
    updates = {path: dual_update(factors, config) for path, factors in factors_of(saved).items()}
    for key in saved:
        if key.endswith(".lora_A.weight"):
            path = key.removesuffix(".lora_A.weight")
            product = saved[path + ".lora_B.weight"] @ saved[key]
            updates[path] = config["lora_alpha"] / config["r"] * product
    assert updates
    for key, value in after.items():
        path = key.removesuffix(".weight")
        if path in updates:
            exact = before[key].double() + updates[path].double()
            # Half a step of the file's type, and what float32 loses in forming the update.
            allowed = 0.505 * torch.finfo(value.dtype).eps * exact.abs() + 1e-6
            assert ((value.double() - exact).abs() <= allowed).all(), key
        elif key in before and not key.startswith("classifier."):
            assert value.dtype == before[key].dtype and torch.equal(value, before[key]), key
        else:
            assert torch.equal(value.float(), saved[key].to(value.dtype).float()), key


def test_an_adapter_of_peft_merges_to_what_peft_merges(tmp_path):
    base = harness.bert(num_labels=3)
    harness.save(base, tmp_path / "base")
    model = get_peft_model(base, LoraConfig(
        task_type=TaskType.SEQ_CLS, target_modules="all-linear", r=4, lora_alpha=3,
        use_rslora=True, init_lora_weights=False)).eval()
    model.save_pretrained(tmp_path / "adapter")
    found = weights(merge(tmp_path))
    expected = model.merge_and_unload().state_dict()
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert (found[key] - value).abs().max() < 1e-6, key


def test_a_merged_folder_has_the_tokenizer_of_the_base(tmp_path, task_data):
    make(tmp_path, task_data, method="lora")
    merged = merge(tmp_path)
    before, after = (AutoTokenizer.from_pretrained(tmp_path / name) for name in ("base", "merged"))
    assert type(before) is type(after)
    assert before(TEXTS)["input_ids"] == after(TEXTS)["input_ids"]
    for name in ("vocab.txt", "tokenizer_config.json"):
        assert (merged / name).read_bytes() == (tmp_path / "base" / name).read_bytes()


def test_the_tokenizer_of_minilm_comes_along(tmp_path, minilm, task_data):
    harness.train(minilm, task_data("stsb"), tmp_path / "adapter", task="stsb",
                  method="dual-lora", **{**BRIEF, "steps": 2})
    rows = [[101, 7592, 2088, 102], [101, 102]]
    adapted = harness.outputs_here(tmp_path, minilm, rows, adapter=tmp_path / "adapter")
    merged = tmp_path / "merged"
    harness.succeed("merge", model=minilm, adapter=tmp_path / "adapter", output=merged)
    harness.assert_close(adapted, harness.reference(harness.load(merged), rows))
    before, after = (AutoTokenizer.from_pretrained(folder) for folder in (minilm, merged))
    assert before(TEXTS)["input_ids"] == after(TEXTS)["input_ids"]


@pytest.mark.parametrize("task, names, problem", [
    ("rte", {0: "entailment", 1: "not_entailment"}, "single_label_classification"),
    ("stsb", {0: "LABEL_0"}, "regression")])
def test_a_fully_fine_tuned_model_says_what_its_head_means(
        tmp_path, encoder, task_data, task, names, problem):
    harness.train(encoder, task_data(task), tmp_path / "out", task=task, method="full",
                  **{**BRIEF, "learning_rate": 1e-3})
    config = AutoConfig.from_pretrained(tmp_path / "out")
    assert config.id2label == names and config.num_labels == len(names)
    assert config.problem_type == problem
    model = harness.load(tmp_path / "out")
    harness.assert_close(harness.outputs_here(tmp_path, tmp_path / "out", ROWS),
                         harness.reference(model, ROWS))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    expected = AutoTokenizer.from_pretrained(encoder)(TEXTS)
    assert tokenizer(TEXTS)["input_ids"] == expected["input_ids"]


def test_merging_again_gives_the_same_bytes(tmp_path, task_data):
    make(tmp_path, task_data, method="dual-lora")
    first = harness.digest(merge(tmp_path) / "model.safetensors")
    assert harness.digest(merge(tmp_path, no_verify=True, overwrite=True) / "model.safetensors") == first


def test_merge_leaves_base_and_adapter_alone(tmp_path, task_data):
    make(tmp_path, task_data, method="lora")
    inputs = [path for name in ("base", "adapter") for path in (tmp_path / name).iterdir()]
    before = {path: harness.digest(path) for path in inputs}
    merge(tmp_path)
    assert {path: harness.digest(path) for path in inputs} == before
    assert not list((tmp_path / "merged").glob(".*"))


@pytest.mark.parametrize("dtype", [None, "float32"])
def test_a_merge_into_bfloat16_says_how_much_of_a_small_change_is_gone(tmp_path, dtype):
    base = harness.bert(num_labels=3).to(torch.bfloat16)
    harness.save(base, tmp_path / "base")
    before = {name: value.double() for name, value in base.state_dict().items()}
    model = get_peft_model(base, LoraConfig(
        task_type=TaskType.SEQ_CLS, target_modules="all-linear", r=4, init_lora_weights=False))
    updates = {}
    with torch.no_grad():
        for path, layer in model.base_model.model.named_modules():
            if hasattr(layer, "lora_B"):
                layer.lora_B["default"].weight.mul_(3e-3)
                updates[path + ".weight"] = layer.get_delta_weight("default").double()
    model.save_pretrained(tmp_path / "adapter")
    options = dict(dtype=dtype) if dtype else {}
    run = harness.run("merge", "--json", model=tmp_path / "base", adapter=tmp_path / "adapter",
                      output=tmp_path / "merged", **options)
    found = json.loads(run.stdout)
    after = weights(tmp_path / "merged")
    # The head, which an adapter brings whole, is wider.
    assert {after[name].dtype for name in updates} == {getattr(torch, dtype or "bfloat16")}
    assert not dtype or {value.dtype for value in after.values()} == {torch.float32}
    assert AutoConfig.from_pretrained(tmp_path / "merged").dtype == getattr(torch, found["dtype"])
    lost = sum(((after[name].double() - before[name] - update) ** 2).sum()
               for name, update in updates.items())
    share = (lost / sum((update ** 2).sum() for update in updates.values())).sqrt().item()
    assert found["lost"] == pytest.approx(share, abs=1e-4)
    assert {layer["name"] + ".weight" for layer in found["layers"]} == updates.keys()
    if dtype:
        assert share < 1e-3 and "warning" not in run.stderr
    else:
        assert share > 0.3 and "--dtype float32 keeps it" in run.stderr
