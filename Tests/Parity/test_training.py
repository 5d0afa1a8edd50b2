"""Training steps against a plain PyTorch loop: the same losses, rates, norms and weights.

One batch holds the whole data set, so the order of the examples does not matter. A LoRA or Dual
LoRA starts at random; a run of one step, all of it warm-up, has a learning rate of 0 and so saves
exactly that start.
"""

import math

import pytest
import torch
from peft import (
    HiraConfig, LoraConfig, PeftModel, TaskType, get_peft_model, set_peft_model_state_dict)
from safetensors.torch import load_file

import harness
from training_loop import (
    COUNT, STEPS, assert_same_steps, assert_same_weights, batch_of, plain_loop, settings, start_of)

# The schedule, the limit and the decay, and how the batch is cut into micro-batches.
FULL = {
    "rte": dict(task="rte"),
    "stsb": dict(task="stsb"),
    "cola": dict(task="cola"),
    "limit that binds": dict(task="rte", limit=0.05),
    "no limit": dict(task="stsb", limit=0),
    "strong decay": dict(task="rte", decay=0.5),
    "no warm-up": dict(task="cola", warmup=0),
    "warm-up rounded up": dict(task="cola", warmup=0.31),
    "equal micro-batches": dict(task="rte", batch_size=4, accumulation=3),
    "unequal micro-batches": dict(task="stsb", batch_size=5, accumulation=3),
    "warm-up in steps": dict(task="rte", warmup=4),
    "warm-up beyond the run": dict(task="rte", warmup=40),
    "cosine": dict(task="cola", schedule="cosine"),
    "constant": dict(task="stsb", schedule="constant", warmup=3),
    "Adam of another memory": dict(task="rte", adam=dict(betas=(0.8, 0.95), eps=1e-3)),
}


@pytest.mark.parametrize("name", FULL)
def test_full_fine_tuning_takes_the_steps_of_a_plain_loop(tmp_path, still, task_data, name):
    here, there = settings(**FULL[name])
    task = here["task"]
    data = task_data(task, train=COUNT)
    harness.train(still(task), data, tmp_path / "out", method="full", **here)
    model = harness.load(still(task))
    records = plain_loop(model, *batch_of(still(task), data, task), **there)
    assert_same_steps(tmp_path / "out", records)
    assert_same_weights(load_file(tmp_path / "out" / "model.safetensors"), model.state_dict(),
                        there["rate"], tolerance=0.02)


# The task, the method's options here, and the configuration in peft.
PEFT = {
    "lora": ("rte", dict(method="lora", rank=4), dict(r=4, lora_alpha=8)),
    "lora, all-linear": (
        "stsb", dict(method="lora", rank=3, alpha=2, targets="all-linear"),
        dict(r=3, lora_alpha=2, target_modules="all-linear")),
    "lora, rank-stabilised": (
        "rte", dict(method="lora", rank=9, alpha=6, use_rslora="true"),
        dict(r=9, lora_alpha=6, use_rslora=True)),
    "lora, a bias of B": (
        "rte", dict(method="lora", rank=4, lora_bias="true"),
        dict(r=4, lora_alpha=8, lora_bias=True)),
    "lora, biases of the adapted": (
        "cola", dict(method="lora", rank=4, bias="lora_only"),
        dict(r=4, lora_alpha=8, bias="lora_only")),
    "lora, all biases": (
        "rte", dict(method="lora", rank=4, bias="all"), dict(r=4, lora_alpha=8, bias="all")),
    "lora-plus": (
        "rte", dict(method="lora-plus", rank=4, loraplus_lr_ratio=5), dict(r=4, lora_alpha=8)),
    "lora-plus with biases": (
        "rte", dict(method="lora-plus", rank=4, loraplus_lr_ratio=5, bias="lora_only"),
        dict(r=4, lora_alpha=8, bias="lora_only")),
    "dora": ("rte", dict(method="dora", rank=4), dict(r=4, lora_alpha=8, use_dora=True)),
    "dora, all-linear": (
        "stsb", dict(method="dora", rank=3, alpha=2, targets="all-linear"),
        dict(r=3, lora_alpha=2, use_dora=True, target_modules="all-linear")),
    "hira": ("rte", dict(method="hira", rank=4), dict(config=HiraConfig, r=4)),
    "hira, all-linear": (
        "stsb", dict(method="hira", rank=3, targets="all-linear"),
        dict(config=HiraConfig, r=3, target_modules="all-linear")),
}


@pytest.mark.parametrize("name", PEFT)
def test_a_method_of_peft_takes_the_steps_of_peft(tmp_path, still, task_data, name):
    task, options, fields = PEFT[name]
    data = task_data(task, train=COUNT)
    start = start_of(tmp_path, still(task), data, task, **options)
    here, there = settings(task, rate=2e-3 if "ratio" in str(options) else 5e-3)
    harness.train(still(task), data, tmp_path / "out", **here, **options)
    fields = {"target_modules": ["query", "value"], "config": LoraConfig, **fields}
    model = get_peft_model(
        harness.load(still(task)), fields.pop("config")(task_type=TaskType.SEQ_CLS, **fields))
    # What peft keeps of the head is the base's, which is what training starts from here too.
    assert all(torch.equal(value, model.state_dict()[key.replace(
        "classifier.", "classifier.original_module.")]) for key, value in start.items()
        if "classifier" in key)
    report = set_peft_model_state_dict(model, start)
    assert not report.unexpected_keys
    records = plain_loop(model, *batch_of(still(task), data, task), **there,
                         ratio=options.get("loraplus_lr_ratio", 1))
    assert_same_steps(tmp_path / "out", records)
    found = load_file(tmp_path / "out" / "adapter_model.safetensors")
    expected = {
        key.replace(".default", "").replace(".modules_to_save", "")
        .replace("magnitude_vector.weight", "magnitude_vector"): value
        for key, value in model.state_dict().items()}
    assert_same_weights(
        found, expected, there["rate"] * options.get("loraplus_lr_ratio", 1), tolerance=0.02)


@pytest.mark.parametrize("name", ["lora", "dora", "hira", "lora, a bias of B"])
def test_an_adapter_of_peft_is_gone_on_from_as_peft_does(tmp_path, still, task_data, name):
    """peft writes it, and opens it with `is_trainable`; method and options are the adapter's own."""
    task, _, fields = PEFT[name] if name in PEFT else ("rte", {}, dict(r=4, lora_alpha=8))
    data = task_data(task, train=COUNT)
    fields = {"target_modules": ["query", "value"], "config": LoraConfig, **fields}
    model = get_peft_model(
        harness.load(still(task)), fields.pop("config")(task_type=TaskType.SEQ_CLS, **fields))
    harness.randomize_trained(model, deviation=0.1)
    model.save_pretrained(tmp_path / "adapter")
    here, there = settings(task, rate=5e-3)
    harness.train(still(task), data, tmp_path / "out", from_adapter=tmp_path / "adapter", **here)
    model = PeftModel.from_pretrained(
        harness.load(still(task)), tmp_path / "adapter", is_trainable=True)
    assert_same_steps(
        tmp_path / "out", plain_loop(model, *batch_of(still(task), data, task), **there))
    model.save_pretrained(tmp_path / "theirs")
    assert_same_weights(
        load_file(tmp_path / "out" / "adapter_model.safetensors"),
        load_file(tmp_path / "theirs" / "adapter_model.safetensors"), there["rate"], tolerance=0.02)


def test_the_recipe_of_a_run_from_an_adapter_makes_it_again(tmp_path, still, task_data):
    data = task_data("rte", train=COUNT)
    brief = dict(task="rte", dtype="float32", steps=3)
    harness.train(still("rte"), data, tmp_path / "first", method="dual-lora", rank=4, **brief)
    result = harness.train(
        still("rte"), data, tmp_path / "second", from_adapter=tmp_path / "first", **brief)
    assert result["method"] == "dual-lora" and result["from_adapter"] == str(tmp_path / "first")
    recipe = tmp_path / "second" / "recipe.yaml"
    harness.succeed("train", recipe, output=tmp_path / "again")
    assert (harness.digest(tmp_path / "again/adapter_model.safetensors")
            == harness.digest(tmp_path / "second/adapter_model.safetensors"))
    for changes, word in ((dict(rank=8), "--rank"), (dict(method="lora"), "--method"),
                          (dict(targets="all-linear"), "--targets")):
        done = harness.run("train", model=still("rte"), data=data, output=tmp_path / "none",
                           from_adapter=tmp_path / "first", **{**brief, **changes})
        harness.assert_refused(done, f"Error: {word}: ", str(tmp_path / "first"))
        assert not (tmp_path / "none").exists()


class StraightThroughSign(torch.autograd.Function):
    """Equations 6 and 7: +1 above 0, else -1; the gradient passes, cut to -1 ... 1."""

    @staticmethod
    def forward(context, x):
        return torch.where(x > 0, 1.0, -1.0)

    @staticmethod
    def backward(context, gradient):
        return gradient.clamp(-1, 1)


class DualLoRA(torch.nn.Module):
    """Equation 9 as a parametrization of a weight, left to autograd but for the sign."""

    def __init__(self, factors, scale):
        super().__init__()
        self.scale, self.gate = scale, 0.0
        for name, value in factors.items():
            setattr(self, name, torch.nn.Parameter(value.clone()))

    def forward(self, weight):
        update = torch.relu(self.B @ self.A) * StraightThroughSign.apply(self.D @ self.C)
        return weight + self.gate * self.scale * update


# The sign jumps at 0: where an element of DC comes as near to 0 as the rounding errors of the steps
# before are large, two correct runs may take different sides. These seeds keep every element five
# times as far away. Where the errors grow to 1e-5, some element always comes near: both sides then
# compute in float64.
DUAL = {
    "gate of the learning rate's warm-up": dict(),
    "gate over half the run": dict(gate_steps=5),
    "no gate": dict(seed=9, gate_steps=0),
    "gate cut to the run": dict(gate_steps=100),
    "r1 and r2": dict(seed=7, magnitude_rank=3, direction_rank=5, alpha=6, gate_steps=3),
    "large start, all-linear": dict(
        dtype="float64", init_std=0.3, targets="all-linear", gate_steps=2),
    "clip that binds": dict(
        dtype="float64", base="steep", init_std=0.5, alpha=40, gate_steps=4,
        targets="query,intermediate.dense"),
}


@pytest.mark.parametrize("name", DUAL)
def test_dual_lora_takes_the_steps_of_the_equations(request, tmp_path, task_data, name):
    options = dict(DUAL[name])
    task = "rte"
    data = task_data(task, train=COUNT)
    base = request.getfixturevalue(options.pop("base", "still"))(task)
    start = start_of(tmp_path, base, data, task, method="dual-lora", **options)
    here, there = settings(task, rate=2e-3)
    harness.train(base, data, tmp_path / "out", method="dual-lora", **{**here, **options})
    config = harness.read_json(tmp_path / "out" / "adapter_config.json")
    scale = config["lora_alpha"] / math.sqrt(config["r1"] * config["r2"])
    dtype = getattr(torch, options.get("dtype", "float32"))
    model = harness.load(base).to(dtype)
    for parameter in model.bert.parameters():
        parameter.requires_grad_(False)
    layers, adapters = {}, {}
    for key, value in start.items():
        if ".dual_lora_" in key:
            path, factor = key.removeprefix("base_model.model.").removesuffix(".weight").rsplit(
                ".dual_lora_", 1)
            layers.setdefault(path, {})[factor] = value.to(dtype)
    for path, factors in layers.items():
        adapters[path] = DualLoRA(factors, scale)
        torch.nn.utils.parametrize.register_parametrization(
            model.get_submodule(path), "weight", adapters[path])

    def prepare(step):
        ramp = min(options.get("gate_steps", math.ceil(there["warmup"] * STEPS)), STEPS)
        for adapter in adapters.values():
            adapter.gate = min(1.0, step / ramp) if ramp else 1.0

    records = plain_loop(model, *batch_of(base, data, task), **there, prepare=prepare)
    assert_same_steps(tmp_path / "out", records)
    found = load_file(tmp_path / "out" / "adapter_model.safetensors")
    expected = {f"base_model.model.{path}.dual_lora_{factor}.weight": getattr(adapter, factor)
                for path, adapter in adapters.items() for factor in "ABCD"}
    expected |= {f"base_model.model.classifier.{part}": getattr(model.classifier, part)
                 for part in ("weight", "bias")}
    assert found.keys() == expected.keys()
    assert_same_weights(found, expected, there["rate"], tolerance=0.05)


def test_a_dual_lora_starts_as_the_base(tmp_path, still, task_data):
    """With the gate shut, as with B = 0, the first scores are those of the base."""
    data = task_data("stsb")
    losses = [harness.train(
        still("stsb"), data, tmp_path / method, task="stsb", method=method, steps=1,
        dtype="float32")["before"]["evaluation_loss"] for method in ("dual-lora", "lora", "full")]
    assert losses[0] == pytest.approx(losses[2], rel=1e-6)
    assert losses[1] == pytest.approx(losses[2], rel=1e-6)


def test_the_start_of_a_dual_lora_is_two_percent_of_the_weight(tmp_path, still, task_data):
    """sigma is chosen so that s sigma^2 sqrt(r1 / 2) is 2 % of the weight's root mean square."""
    options = dict(magnitude_rank=6, direction_rank=3, targets="intermediate.dense")
    start = start_of(tmp_path, still("rte"), task_data("rte", train=COUNT), "rte",
                     method="dual-lora", **options)
    base = load_file(still("rte") / "model.safetensors")
    for layer in range(2):
        path = f"bert.encoder.layer.{layer}.intermediate.dense"
        size = base[path + ".weight"].square().mean().sqrt()
        sigma = (0.02 * size / (2 * math.sqrt(6 / 2))).sqrt()
        for factor in "ABCD":
            values = start[f"base_model.model.{path}.dual_lora_{factor}.weight"]
            # Of n normal numbers the deviation is within 1 / sqrt(2n) of the true one, mostly.
            assert values.std() == pytest.approx(sigma, rel=4 / math.sqrt(2 * values.numel()))
            assert values.mean().abs() < 4 * sigma / math.sqrt(values.numel())


def test_the_start_of_a_lora_is_that_of_peft(tmp_path, still, task_data):
    """A is uniform within 1 / sqrt(inputs), B is 0."""
    start = start_of(tmp_path, still("rte"), task_data("rte", train=COUNT), "rte", method="lora",
                     rank=32, targets="output.dense")
    wide = [value for name, value in start.items() if "lora_A" in name and value.shape[1] == 64]
    for value in wide:
        assert value.abs().max() <= 1 / 8
        assert value.abs().max() > 0.99 / 8
        assert value.std() == pytest.approx(1 / 8 / math.sqrt(3), rel=0.05)
    assert wide and all((value == 0).all() for name, value in start.items() if "lora_B" in name)
