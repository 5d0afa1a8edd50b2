"""Delta-LoRA against its algorithm in a plain PyTorch loop, in which the weight itself moves."""

import pytest
import torch
from safetensors.torch import load_file

import harness
from training_loop import (
    COUNT, STEPS, assert_same_steps, assert_same_weights, batch_of, plain_loop, settings,
    start_of)

ROWS = harness.sequences([6, 11, 1, 9], seed=3)


class DeltaLoRA(torch.nn.Module):
    """Zi et al. 2023, algorithm 1: a weight to which what B A has moved is added after a step."""

    def __init__(self, down, up, scale, share):
        super().__init__()
        self.down, self.up = torch.nn.Parameter(down.clone()), torch.nn.Parameter(up.clone())
        self.scale, self.share = scale, share
        self.moved, self.last, self.kept = torch.zeros(up.shape[0], down.shape[1]), None, None

    @torch.no_grad()
    def prepare(self, step, start):
        product = self.up @ self.down
        if step > start:
            self.moved = self.moved + self.share * self.scale * (product - self.last)
        else:
            self.moved = torch.zeros_like(product)
            self.kept = (self.down.clone(), self.up.clone())
        self.last = product

    def forward(self, weight):
        # The weight is a constant to the gradient, though it is made of A and B.
        return weight + self.moved + self.scale * self.up @ self.down


CASES = {
    "from step 3": dict(delta_start=3),
    "from the start": dict(delta_start=0, delta_scale=0.5, targets="query,intermediate.dense"),
    "all-linear": dict(delta_start=6, delta_scale=5, alpha=3, targets="all-linear"),
    "never": dict(delta_start=10),
    "longer than the run": dict(),
}


@pytest.mark.parametrize("name", CASES)
def test_delta_lora_takes_the_steps_of_its_algorithm(tmp_path, still, task_data, name):
    task, options = "rte", dict(rank=4, **CASES[name])
    data = task_data(task, train=COUNT)
    start = start_of(tmp_path, still(task), data, task, method="delta-lora", **options)
    here, there = settings(task, rate=5e-3)
    harness.train(still(task), data, tmp_path / "out", method="delta-lora", **here, **options)
    config = harness.read_json(tmp_path / "out" / "adapter_config.json")
    found = load_file(tmp_path / "out" / "adapter_model.safetensors")
    model = harness.load(still(task))
    for parameter in model.bert.parameters():
        parameter.requires_grad_(False)
    adapters = {}
    for key in start:
        if key.endswith(".lora_A.weight"):
            path = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            adapters[path] = DeltaLoRA(
                start[key], start[key.replace("lora_A", "lora_B")],
                config["lora_alpha"] / config["r"], config["delta_scale"])
            torch.nn.utils.parametrize.register_parametrization(
                model.get_submodule(path), "weight", adapters[path])

    def prepare(step):
        for adapter in adapters.values():
            adapter.prepare(step, config["delta_start"])

    records = plain_loop(model, *batch_of(still(task), data, task), **there, prepare=prepare)
    prepare(STEPS)
    assert_same_steps(tmp_path / "out", records)
    expected = {}
    for path, adapter in adapters.items():
        expected[f"base_model.model.{path}.lora_A.weight"] = adapter.down
        expected[f"base_model.model.{path}.lora_B.weight"] = adapter.up
        if config["delta_start"] < STEPS:
            expected[f"base_model.model.{path}.delta_A.weight"] = adapter.kept[0]
            expected[f"base_model.model.{path}.delta_B.weight"] = adapter.kept[1]
    assert config["delta_started"] == (config["delta_start"] < STEPS)
    assert_same_weights({key: found[key] for key in expected}, expected, there["rate"],
                        tolerance=0.02)
    logits = harness.forward(tmp_path, still(task), ROWS, adapter=tmp_path / "out")["logits"]
    model.eval()
    with torch.no_grad():
        for part in ("weight", "bias"):
            getattr(model.classifier, part).copy_(found[f"base_model.model.classifier.{part}"])
    harness.assert_close(
        {"logits": logits}, {"logits": harness.reference(model, ROWS)["logits"]}, 1e-3)


def test_a_merged_delta_lora_opens_in_transformers(tmp_path, classifier, task_data):
    base = classifier("rte")
    harness.train(base, task_data("rte"), tmp_path / "out", task="rte", method="delta-lora",
                  delta_start=2, rank=4, **harness.BRIEF)
    found = harness.forward(tmp_path, base, ROWS, adapter=tmp_path / "out")["logits"]
    harness.succeed("merge", model=base, adapter=tmp_path / "out", output=tmp_path / "merged")
    merged = harness.reference(harness.load(tmp_path / "merged"), ROWS)["logits"]
    harness.assert_close({"logits": found}, {"logits": merged})
