"""Adapters that `duallora train` writes: LoRA in peft, Dual LoRA by the paper's equations."""

import math
from xml.etree import ElementTree

import pytest
import torch
from peft import PeftConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, BertForMaskedLM

import glue_files
import harness
import plain_text
from harness import BRIEF, dual_update, factors_of, saved_tensors

ROWS = harness.sequences([6, 11, 1, 9], seed=3)

SMALL_LAYERS = {"query": (32, 32), "key": (32, 32), "value": (32, 32),
                "attention.output.dense": (32, 32), "intermediate.dense": (64, 32),
                "output.dense": (32, 64)}  # (outputs, inputs)


@pytest.fixture(scope="module")
def headless(folder_of):
    """A masked language model: neither pooler nor classifier is in the checkpoint."""
    return folder_of("masked", lambda folder: harness.save(
        harness.bert(BertForMaskedLM, seed=2), folder))


def logits_here(tmp_path, base, adapter, **options):
    return harness.forward(tmp_path, base, ROWS, adapter=adapter, **options)["logits"]


def base_model(folder, task):
    """The base in transformers; what the checkpoint lacks is random, and the adapter has it."""
    return AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=glue_files.LABELS[task], dtype=torch.float32).eval()


def assert_trained(tmp_path, base, adapter, found):
    """The comparison is worth something only if the adapter changes the outputs."""
    names = [name for name in saved_tensors(adapter) if "lora_" in name]
    zeroed = tmp_path / "zeroed"
    zeroed.mkdir()
    tensors = load_file(adapter / "adapter_model.safetensors")
    save_file({name: value * 0 if "lora_B" in name else value for name, value in tensors.items()},
              zeroed / "adapter_model.safetensors")
    (zeroed / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    assert names
    assert (logits_here(tmp_path, base, zeroed) - found).abs().max() > 1e-3


# --- LoRA -----------------------------------------------------------------------------------------

LORA = {
    "stsb": dict(task="stsb"),
    "rte": dict(task="rte", rank=3, alpha=5),
    "cola": dict(task="cola", targets="query"),
    "dense names": dict(task="rte", targets="attention.output.dense,intermediate.dense"),
    "all-linear": dict(task="stsb", targets="all-linear", rank=2),
    "one layer": dict(task="cola", targets="layer.1.output.dense"),
    "dropout": dict(task="cola", dropout=0.2),
    "bf16 run": dict(task="cola", dtype="bfloat16"),
    "base without pooler": dict(task="rte", base="headless"),
    "base without pooler, all-linear": dict(
        task="stsb", base="headless", targets="all-linear", rank=2),
    "dense but for the saved pooler": dict(
        task="rte", targets="dense", modules_to_save="pooler", rank=2),
    "patterns that overlap": dict(
        task="rte", targets="query,key,value", rank_pattern=".*(query|value)=5,(query|key)=2",
        alpha_pattern=".*=3,(query|value)=40"),
    "base without head": dict(task="stsb", base="encoder"),
}


def base_folder(request, task, base=None):
    return request.getfixturevalue(base) if base else request.getfixturevalue("classifier")(task)


@pytest.mark.parametrize("name", LORA)
def test_a_lora_trained_here_gives_the_same_logits_in_peft(request, tmp_path, task_data, name):
    options = dict(LORA[name])
    task = options["task"]
    base = base_folder(request, task, options.pop("base", None))
    adapter = tmp_path / "adapter"
    harness.train(base, task_data(task), adapter, method="lora", **{**BRIEF, **options})
    found = logits_here(tmp_path, base, adapter)
    model = PeftModel.from_pretrained(base_model(base, task), adapter).eval()
    harness.assert_close({"logits": found}, {"logits": harness.reference(model, ROWS)["logits"]})
    assert_trained(tmp_path, base, adapter, found)


def test_peft_misses_and_leaves_over_no_tensor_of_a_lora_trained_here(
        tmp_path, headless, task_data):
    adapter = tmp_path / "adapter"
    harness.train(headless, task_data("rte"), adapter, task="rte", method="lora", **BRIEF)
    model = PeftModel.from_pretrained(base_model(headless, "rte"), adapter)
    there = {name.replace(".default", "").replace(".modules_to_save", "")
             for name, _ in model.named_parameters()
             if "lora_" in name or "modules_to_save" in name}
    assert there == set(load_file(adapter / "adapter_model.safetensors"))


# --- LoRA's kin on every architecture -------------------------------------------------------------

KIN = {
    "lora": dict(method="lora", rank=3, alpha=5, use_rslora="true"),
    "lora, a bias of B": dict(method="lora", rank=2, lora_bias="true"),
    "lora, all biases": dict(method="lora", rank=2, bias="all"),
    "lora-plus": dict(method="lora-plus", rank=2, loraplus_lr_ratio=4, learning_rate=5e-3),
    "dora": dict(method="dora", rank=3, targets="all-linear"),
    "dora, options": dict(
        method="dora", rank=3, use_rslora="true", dropout=0.1, bias="lora_only",
        init_weights="gaussian", rank_pattern=".*(c_attn|q_proj|query)=2"),
    "hira": dict(method="hira", rank=3, targets="all-linear"),
    "hira, options": dict(method="hira", rank=3, dropout=0.1, init_weights="gaussian"),
}


@pytest.fixture(scope="module")
def trainable_of(folder_of, task_data):
    """The folder of a random base that can be trained, and its data, by architecture."""
    def make(name, folder):
        harness.make_base(name, folder / "base")
        if name == "bert":
            harness.save(harness.open_base(folder / "base"), folder / "base")
            return
        plain_text.tokenizer(folder / "base")
        (folder / "text.txt").write_text(plain_text.text(100, 1))

    def get(name):
        folder = folder_of(("trainable", name), lambda folder: make(name, folder))
        if name == "bert":
            return folder / "base", dict(task="rte", data=task_data("rte"))
        return folder / "base", dict(task="text", data=folder / "text.txt", max_length=16)

    return get


@pytest.mark.parametrize("architecture", harness.ARCHITECTURES)
@pytest.mark.parametrize("name", KIN)
def test_kin_of_lora_trained_here_say_the_same_in_peft(tmp_path, trainable_of, architecture, name):
    (base, data), rows = trainable_of(architecture), harness.rows_of(architecture)
    adapter = tmp_path / "adapter"
    harness.train(base, output=adapter, **{**BRIEF, **data, **KIN[name]})
    found = harness.outputs_here(tmp_path, base, rows, adapter=adapter)
    model = harness.open_base(base)
    plain = harness.outputs_there(model, rows)
    model = PeftModel.from_pretrained(model, adapter).eval()
    harness.assert_close(found, harness.outputs_there(model, rows))
    assert (plain["logits"] - found["logits"]).abs().max() > 1e-3
    # And peft has a place for every tensor, and a tensor for every place that trains.
    config = read_adapter_config(adapter)
    again = get_peft_model(harness.open_base(base), config)
    report = set_peft_model_state_dict(again, load_file(adapter / "adapter_model.safetensors"))
    assert not report.unexpected_keys
    trained = {key for key, value in again.named_parameters() if value.requires_grad}
    assert trained and not trained & set(report.missing_keys)


def read_adapter_config(adapter):
    config = PeftConfig.from_pretrained(adapter)
    config.inference_mode = False
    return config


# --- Dual LoRA ------------------------------------------------------------------------------------

DUAL = {
    "stsb": dict(task="stsb"),
    "rte": dict(task="rte", rank=4, alpha=5),
    "magnitude above direction": dict(task="cola", magnitude_rank=6, direction_rank=2),
    "direction above magnitude": dict(task="cola", magnitude_rank=1, direction_rank=5, alpha=3),
    "deviation given": dict(task="rte", init_std=0.2, gate_steps=0),
    "gate longer than the run": dict(task="rte", gate_steps=1000),
    "all-linear": dict(task="stsb", targets="all-linear", rank=2),
    "dense names": dict(task="cola", targets="output.dense,intermediate.dense"),
    "dropout": dict(task="cola", dropout=0.2),
    "base without pooler": dict(task="rte", base="headless"),
}


def with_dual_update(base, task, adapter):
    """The base in transformers with the adapter's updates added and its head in place."""
    model, config = base_model(base, task), harness.read_json(adapter / "adapter_config.json")
    tensors = saved_tensors(adapter)
    layers = factors_of(tensors)
    with torch.no_grad():
        for path, factors in layers.items():
            model.get_submodule(path).weight += dual_update(factors, config)
        for name, value in tensors.items():
            if ".dual_lora_" not in name:
                model.get_parameter(name).copy_(value)
    return model


@pytest.mark.parametrize("name", DUAL)
def test_a_dual_lora_trained_here_is_the_equations_of_the_paper(
        request, tmp_path, task_data, name):
    options = dict(DUAL[name])
    task = options["task"]
    base = base_folder(request, task, options.pop("base", None))
    adapter = tmp_path / "adapter"
    harness.train(base, task_data(task), adapter, method="dual-lora", **{**BRIEF, **options})
    found = logits_here(tmp_path, base, adapter)
    model = with_dual_update(base, task, adapter)
    harness.assert_close({"logits": found}, {"logits": harness.reference(model, ROWS)["logits"]})
    assert_trained(tmp_path, base, adapter, found)


@pytest.fixture(scope="module")
def dual(folder_of, classifier, task_data):
    """A trained Dual LoRA with r1 = 3 and r2 = 5."""
    return folder_of("dual adapter", lambda folder: harness.train(
        classifier("rte"), task_data("rte"), folder, task="rte", method="dual-lora",
        magnitude_rank=3, direction_rank=5, targets="query,intermediate.dense", gate_steps=4,
        seed=7, **BRIEF))


def copied(adapter, folder, tensors=None, **changes):
    """A copy of an adapter with other fields and, by factor, other tensors."""
    folder.mkdir()
    config = harness.read_json(adapter / "adapter_config.json")
    (folder / "adapter_config.json").write_text("{}")
    harness.edit_json(folder / "adapter_config.json", **{**config, **changes})
    saved = load_file(adapter / "adapter_model.safetensors")
    for factor, edit in (tensors or {}).items():
        for name in saved:
            if f"dual_lora_{factor}." in name:
                saved[name] = edit(saved[name]).contiguous()
    save_file(saved, folder / "adapter_model.safetensors")
    return folder


EDITED = {
    "half a gate": dict(gate=0.5),
    "closed gate": dict(gate=0),
    "no gate means an open one": dict(gate=None),
    "another alpha": dict(lora_alpha=1.5),
    "Sign(0) is -1": dict(tensors={"D": lambda d: d * 0}),
    "Sign(-0) is -1": dict(tensors={"C": lambda c: c * -0.0}),
    "a magnitude of 0 is none": dict(tensors={"B": lambda b: b * 0}),
    "large factors": dict(tensors={"A": lambda a: a * 8, "C": lambda c: c * 1e3}),
}


@pytest.mark.parametrize("name", EDITED)
def test_an_edited_dual_lora_is_the_equations_of_the_paper(tmp_path, classifier, dual, name):
    adapter = copied(dual, tmp_path / "edited", **EDITED[name])
    found = logits_here(tmp_path, classifier("rte"), adapter)
    expected = harness.reference(with_dual_update(classifier("rte"), "rte", adapter), ROWS)
    harness.assert_close({"logits": found}, {"logits": expected["logits"]})


def test_turning_both_direction_factors_around_changes_nothing(tmp_path, classifier, dual):
    """Sign((-D)(-C)) = Sign(D C), to the last bit."""
    turned = copied(dual, tmp_path / "turned", {"C": torch.neg, "D": torch.neg})
    base = classifier("rte")
    assert torch.equal(logits_here(tmp_path, base, turned), logits_here(tmp_path, base, dual))


def test_the_configuration_of_a_dual_lora_has_every_field(dual, classifier):
    config = harness.read_json(dual / "adapter_config.json")
    assert {key: config.get(key) for key in (
        "peft_type", "task_type", "base_model_name_or_path", "r1", "r2", "lora_dropout",
        "magnitude_fn", "direction_fn", "sign_grad", "init_std", "warmup_mode",
        "warmup_steps_gate", "gate", "seed")} == dict(
            peft_type="DUAL_LORA", task_type="SEQ_CLS",
            base_model_name_or_path=str(classifier("rte")), r1=3, r2=5, lora_dropout=0,
            magnitude_fn="relu", direction_fn="sign", sign_grad="ste_clip", init_std="auto",
            warmup_mode="gate", warmup_steps_gate=4, gate=1, seed=7)
    # The default scale is 2: alpha = 2 sqrt(r1 r2).
    assert config["lora_alpha"] == pytest.approx(2 * math.sqrt(15), rel=1e-9)
    assert sorted(config["target_modules"]) == ["intermediate.dense", "query"]


def test_the_tensors_of_a_dual_lora_have_the_names_and_shapes_of_the_format(dual):
    layers = factors_of(saved_tensors(dual))
    assert len(layers) == 4
    for path, factors in layers.items():
        outputs, inputs = SMALL_LAYERS[
            "query" if path.endswith("query") else "intermediate.dense"]
        assert {name: tuple(value.shape) for name, value in factors.items()} == {
            "A": (3, inputs), "B": (outputs, 3), "C": (5, inputs), "D": (outputs, 5)}
        assert all(value.dtype == torch.float32 for value in factors.values())


# --- counts and files -----------------------------------------------------------------------------

COUNTED = {
    "lora": (dict(method="lora", rank=5), lambda d, k: 5 * (d + k)),
    "lora, a bias of B": (
        dict(method="lora", rank=5, lora_bias="true"), lambda d, k: 5 * (d + k) + d),
    "lora-plus": (dict(method="lora-plus", rank=5), lambda d, k: 5 * (d + k)),
    "dora": (dict(method="dora", rank=5), lambda d, k: 5 * (d + k) + d),
    "hira": (dict(method="hira", rank=5), lambda d, k: 5 * (d + k)),
    "dual-lora": (dict(method="dual-lora", rank=6), lambda d, k: 6 * (d + k)),
    "dual-lora, r1 and r2": (
        dict(method="dual-lora", magnitude_rank=3, direction_rank=5), lambda d, k: 8 * (d + k)),
}


@pytest.mark.parametrize("name", COUNTED)
def test_the_parameter_count_is_the_formula(tmp_path, classifier, task_data, name):
    options, formula = COUNTED[name]
    targets = ["value", "output.dense", "intermediate.dense"]
    result = harness.train(
        classifier("cola"), task_data("cola"), tmp_path / "out", task="cola",
        targets=",".join(targets), **{**BRIEF, **options, "steps": 1})
    # "output.dense" names the attention's output too.
    layers = [SMALL_LAYERS[name] for name in (*targets, "attention.output.dense")]
    adapter = 2 * sum(formula(d, k) for d, k in layers)  # two blocks
    head = 2 * 32 + 2
    base = sum(value.numel() for value in
               load_file(classifier("cola") / "model.safetensors").values())
    assert result["method_parameters"] == adapter
    assert result["trainable_parameters"] == adapter + head
    assert result["total_parameters"] == base + adapter
    saved = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert sum(value.numel() for value in saved.values()) == adapter + head


def test_full_fine_tuning_trains_every_parameter(tmp_path, classifier, task_data):
    result = harness.train(classifier("cola"), task_data("cola"), tmp_path / "out", task="cola",
                           method="full", steps=1, batch_size=8)
    base = load_file(classifier("cola") / "model.safetensors")
    count = sum(value.numel() for value in base.values())
    assert result["trainable_parameters"] == result["total_parameters"] == count
    assert {name: value.shape for name, value in base.items()} == {
        name: value.shape for name, value in load_file(tmp_path / "out/model.safetensors").items()}


@pytest.mark.parametrize("task, metrics", [
    ("stsb", ["pearson", "spearman"]), ("rte", ["accuracy"]), ("cola", ["accuracy", "matthews"])])
def test_a_run_writes_what_the_contract_lists(tmp_path, classifier, task_data, task, metrics):
    output = tmp_path / "out"
    result = harness.train(classifier(task), task_data(task), output, task=task, method="lora",
                           logging_steps=2, seed=3, **BRIEF)
    assert {"adapter_config.json", "adapter_model.safetensors", "train.jsonl", "result.json",
            "loss.svg"} <= {path.name for path in output.iterdir()}
    assert ElementTree.parse(output / "loss.svg").getroot().tag.endswith("}svg")
    assert result["task"] == task and result["seed"] == 3
    assert sorted(result["metrics"]) == metrics
    assert result["value"] == result["metrics"][result["metric"]]
    assert result["metric"] == {"stsb": "pearson", "rte": "accuracy", "cola": "matthews"}[task]
    for field in ("seconds", "tokens_per_second", "peak_memory_mib"):
        assert result[field] > 0
    assert result["versions"]["libtorch"].startswith(torch.__version__.split("+")[0])
    steps, evaluations = harness.log_of(output)
    assert [record["step"] for record in steps] == [2, 4, 6]
    assert evaluations[0]["step"] == 0 and evaluations[-1]["step"] == 6
    assert evaluations[-1]["metrics"] == result["metrics"]
