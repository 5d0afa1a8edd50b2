"""What holds for every command: its help, and the numbers that `duallora methods` counts."""

import json

import pytest

import harness

COMMANDS = ["train", "evaluate", "merge", "convert", "generate", "pretrain", "inspect", "forward",
            "tokenize", "methods", "bench"]
METHODS = [
    "full", "lora", "lora-plus", "dora", "hira", "mora", "flora", "randlora", "vera", "corda",
    "delta-lora", "galore", "garare", "adapter-l", "adapter-p", "prefix", "prompt", "p-tuning",
    "loreft", "dual-lora"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    text = harness.succeed(command, help=True)
    assert "Example:" in text and f"duallora {command}" in text


def test_the_help_of_the_program_lists_every_command():
    text = harness.succeed("--help")
    assert all(f"\n  {command} " in text for command in COMMANDS)


@pytest.mark.parametrize("rank, outputs, inputs", [(8, 30, 20), (32, 4096, 11008), (2, 1, 1)])
def test_methods_counts_by_the_formulas(rank, outputs, inputs):
    """Dual LoRA has half the rank in each group, so that it trains as much as LoRA."""
    found = json.loads(harness.succeed(
        "methods", json=True, rank=rank, output_size=outputs, input_size=inputs))
    counts = {method["name"]: method["count"] for method in found["methods"]}
    lora = rank * (outputs + inputs)
    assert counts == counts | {"full": outputs * inputs, "lora": lora, "dual-lora": lora}


def test_methods_counts_what_the_paper_counts_for_llama():
    """LLaMA-7B, the q, k, v, up and down projections of 32 blocks, rank 32: 0.83 % of the model."""
    total = 0
    for outputs, inputs, times in ((4096, 4096, 3), (11008, 4096, 1), (4096, 11008, 1)):
        found = json.loads(harness.succeed(
            "methods", json=True, rank=32, output_size=outputs, input_size=inputs))
        counts = {method["name"]: method["count"] for method in found["methods"]}
        total += 32 * times * counts["dual-lora"]
    assert total == 56_098_816


def test_methods_has_every_method_of_the_paper():
    found = json.loads(harness.succeed("methods", json=True))["methods"]
    assert sorted(row["name"] for row in found) == sorted(METHODS)
    assert all(row["equation"] and row["source"] and row["step_products"] in (2, 3)
               for row in found)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_tells_its_options(method):
    found = json.loads(harness.succeed("methods", method, json=True))
    text = harness.succeed("methods", method)
    assert all(f"--{option['name']} " in text and option["help"] in text
               for option in found["options"])
    assert found["options"]


def test_no_option_of_a_method_is_one_of_a_command():
    """They share one line of words."""
    own = {option["name"] for method in METHODS
           for option in json.loads(harness.succeed("methods", method, json=True))["options"]}
    for command in ("train", "bench"):
        text = harness.succeed(command, help=True)
        assert not [name for name in own if f"  --{name} " in text], command
