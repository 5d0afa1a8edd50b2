"""Dual LoRA's variants against a plain PyTorch loop over the equations of tables 3, 5 and 6: the
same losses, norms and weights, and a saved adapter that says what the equations say."""

import math
import struct

import pytest
import torch
from safetensors.torch import load_file

import harness
from splitmix import STEP, SplitMix64
from training_loop import (
    COUNT, assert_same_steps, assert_same_weights, batch_of, plain_loop, settings, start_of)

ROWS = harness.sequences([6, 11, 1, 9], seed=3)


class Sign(torch.autograd.Function):
    """Equations 6-8 and 12-14: what Sign is, and how the gradient passes it."""

    @staticmethod
    def forward(context, z, rule):
        context.save_for_backward(z)
        context.rule = rule
        size = {"xnor": z.abs().mean(1, keepdim=True), "dorefa": z.abs().mean()}.get(rule, 1.0)
        return torch.where(z > 0, 1.0, -1.0) * size

    @staticmethod
    def backward(context, gradient):
        (z,) = context.saved_tensors
        if context.rule == "ste_clip":
            gradient = gradient.clamp(-1, 1)
        elif context.rule == "ste_hardtanh":
            gradient = gradient * (z.abs() <= 1)
        return gradient, None


class SignClippedAtUpdate(torch.autograd.Function):
    """Equation 12 as it is printed: the clip on the gradient at the update."""

    @staticmethod
    def forward(context, magnitude, z, scale):
        sign = torch.where(z > 0, 1.0, -1.0)
        context.save_for_backward(magnitude, sign)
        context.scale = scale
        return scale * magnitude * sign

    @staticmethod
    def backward(context, gradient):
        magnitude, sign = context.saved_tensors
        scale = context.scale
        return scale * gradient * sign, scale * gradient.clamp(-1, 1) * magnitude, None


def fixed_signs(seed, outputs, inputs):
    """The signs of a fixed direction: bits of SplitMix64, with a count of numbers for each row."""
    (first, second) = struct.unpack("<II", struct.pack("<ff", *seed.tolist()))
    words = (inputs + 63) // 64
    rows = []
    for row in range(outputs):
        signs = []
        for word in range(words):
            numbers = SplitMix64((first << 32 | second) + STEP * (row * words + word))
            state = numbers.next()
            signs += [1.0 if state >> bit & 1 else -1.0 for bit in range(64)]
        rows.append(signs[:inputs])
    return torch.tensor(rows)


class Update(torch.nn.Module):
    """A variant's update as a parametrization of a weight."""

    def __init__(self, tensors, config):
        super().__init__()
        self.config, self.gate = config, 1.0
        self.frozen = {name: value for name, value in tensors.items() if len(name) > 1}
        for name, value in tensors.items():
            if len(name) == 1:
                setattr(self, name, torch.nn.Parameter(value.clone()))

    def change(self, factors, weight):
        config = self.config
        product = factors["B"] @ factors["A"]
        magnitude = {"relu": torch.relu, "abs": torch.abs, "sigmoid": torch.sigmoid,
                     "identity": lambda x: x}[config["magnitude_fn"]](product)
        if config["direction_fn"] == "fixed":
            scale = config["lora_alpha"] / config["r1"]
            return self.gate * scale * magnitude * fixed_signs(self.frozen["seed"], *weight.shape)
        scale = self.gate * config["lora_alpha"] / math.sqrt(config["r1"] * config["r2"])
        z = factors["D"] @ factors["C"]
        if config["direction_fn"] == "identity":
            return scale * magnitude * z
        if config["sign_grad"] == "ste_clip_dw":
            return SignClippedAtUpdate.apply(magnitude, z, scale)
        return scale * magnitude * Sign.apply(z, config["sign_grad"])

    def forward(self, weight):
        factors = {name: getattr(self, name) for name in "ABCD" if hasattr(self, name)}
        weight = weight + self.change(factors, weight)
        if self.config["warmup_mode"] != "subtract_init":
            return weight
        start = {name: self.frozen[name + "_init"] for name in factors}
        with torch.no_grad():
            before = self.change(start, weight)
        return weight - before


def updates_of(tensors, config):
    """{module path: its update}"""
    layers = {}
    for key, value in tensors.items():
        if ".dual_lora_" in key:
            path, name = key.removeprefix("base_model.model.").removesuffix(".weight").rsplit(
                ".dual_lora_", 1)
            layers.setdefault(path, {})[name] = value
    return {path: Update(tensors, config) for path, tensors in layers.items()}


def adapted(base, updates):
    """The base in transformers with its weights under updates, of which their factors train."""
    model = harness.load(base)
    for parameter in model.bert.parameters():
        parameter.requires_grad_(False)
    for path, update in updates.items():
        torch.nn.utils.parametrize.register_parametrization(
            model.get_submodule(path), "weight", update)
    return model


# Seeds are those of starts whose signs rounding cannot flip, as in test_training.
LARGE = dict(init_std=0.4, gate_steps=2)
VARIANTS = {
    "ste_clip_dw, binding": dict(
        base="steep", sign_grad="ste_clip_dw", init_std=0.5, alpha=40, gate_steps=4),
    "ste_identity": dict(
        base="steep", sign_grad="ste_identity", init_std=0.5, alpha=40, gate_steps=4),
    "ste_hardtanh": dict(sign_grad="ste_hardtanh", init_std=0.9, gate_steps=2, alpha=2),
    "xnor": dict(sign_grad="xnor", **LARGE),
    "dorefa": dict(sign_grad="dorefa", **LARGE),
    "abs": dict(magnitude_fn="abs", **LARGE),
    "sigmoid": dict(magnitude_fn="sigmoid", alpha=0.3, **LARGE),
    "setting 0": dict(setting=0, **LARGE),
    "setting 1": dict(setting=1, **LARGE),
    "setting 2": dict(setting=2, **LARGE),
    "setting 3": dict(setting=3, rank=6, targets="query,output.dense", **LARGE),
    "subtract_init": dict(seed=10, warmup_mode="subtract_init", init_std=0.4),
    "subtract_init, setting 3": dict(warmup_mode="subtract_init", setting=3, init_std=0.4),
    "lr_only": dict(warmup_mode="lr_only", init_std=0.1),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_takes_the_steps_of_its_equations(request, tmp_path, task_data, name):
    options = {"rank": 8, **VARIANTS[name]}
    task = "rte"
    data = task_data(task, train=COUNT)
    base = request.getfixturevalue(options.pop("base", "still"))(task)
    start = start_of(tmp_path, base, data, task, method="dual-lora", **options)
    here, there = settings(task, rate=2e-3)
    harness.train(base, data, tmp_path / "out", method="dual-lora", **{**here, **options})
    config = harness.read_json(tmp_path / "out" / "adapter_config.json")
    updates = updates_of(start, config)
    model = adapted(base, updates)
    found = load_file(tmp_path / "out" / "adapter_model.safetensors")

    def prepare(step):
        for update in updates.values():
            if config["warmup_mode"] == "gate":
                update.gate = min(1.0, step / options["gate_steps"])

    records = plain_loop(model, *batch_of(base, data, task), **there, prepare=prepare)
    assert_same_steps(tmp_path / "out", records)
    trained = {f"base_model.model.{path}.dual_lora_{factor}.weight": value
               for path, update in updates.items() for factor, value in update.named_parameters()}
    trained |= {f"base_model.model.classifier.{part}": getattr(model.classifier, part)
                for part in ("weight", "bias")}
    # What does not train is as it was at the start.
    frozen = found.keys() - trained.keys()
    assert all(torch.equal(found[key], start[key]) for key in frozen)
    assert trained.keys() <= found.keys()
    assert_same_weights({key: found[key] for key in trained}, trained, there["rate"],
                        tolerance=0.05)
    assert any((value - start[key]).abs().max() > there["rate"] for key, value in trained.items())


@pytest.mark.parametrize("name", VARIANTS)
def test_a_saved_variant_says_what_its_equations_say(tmp_path, classifier, task_data, name):
    options = {"rank": 8, **VARIANTS[name]}
    options.pop("base", None)
    base = classifier("rte")
    harness.train(base, task_data("rte"), tmp_path / "out", task="rte", method="dual-lora",
                  **{**harness.BRIEF, **options})
    found = harness.forward(tmp_path, base, ROWS, adapter=tmp_path / "out")["logits"]
    tensors = load_file(tmp_path / "out" / "adapter_model.safetensors")
    config = harness.read_json(tmp_path / "out" / "adapter_config.json")
    model = adapted(base, updates_of(tensors, config))
    with torch.no_grad():
        for part in ("weight", "bias"):
            getattr(model.classifier, part).copy_(tensors[f"base_model.model.classifier.{part}"])
    harness.assert_close({"logits": found}, {"logits": harness.reference(model, ROWS)["logits"]})
    harness.succeed("merge", model=base, adapter=tmp_path / "out", output=tmp_path / "merged")
    merged = harness.reference(harness.load(tmp_path / "merged"), ROWS)["logits"]
    harness.assert_close({"logits": found}, {"logits": merged})


def test_what_subtracts_its_start_begins_at_the_base(tmp_path, still, task_data):
    before = [harness.train(
        still("stsb"), task_data("stsb"), tmp_path / str(index), task="stsb", steps=1,
        dtype="float32", **options)["before"]["evaluation_loss"] for index, options in enumerate([
            dict(method="full"),
            dict(method="dual-lora", warmup_mode="subtract_init", init_std=0.5),
            dict(method="dual-lora", warmup_mode="lr_only", init_std=0.5)])]
    assert before[1] == pytest.approx(before[0], rel=1e-6)
    assert before[2] != pytest.approx(before[0], rel=1e-3)
