"""What holds for every command: its help, and the numbers that `duallora methods` counts."""

import json
import os
import subprocess

import pytest

import decoders
import harness
import plain_text

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
    assert f"rate: {found['default_learning_rate']}, found on encoders" in text
    large = found["large_model_learning_rate"]
    assert (large is not None) == ("at LLaMA's size" in text)
    assert not large or f"--learning-rate {large}" in text
    assert all(f"--{name} {value}" in text for name, value in found["sizes"].items())


@pytest.mark.parametrize("method, rate, sizes", [
    ("dual-lora", 1e-3, {"magnitude-rank": "8", "direction-rank": "8"}),
    ("hira", 1e-3, {"rank": "32"}), ("lora", 3e-4, {"rank": "16"}),
    ("prefix", None, {"virtual-tokens": "20"}), ("full", None, {})])
def test_a_method_tells_its_rate_at_llamas_size_and_its_ranks(method, rate, sizes):
    found = json.loads(harness.succeed("methods", method, json=True))
    assert (found["large_model_learning_rate"], found["sizes"]) == (rate, sizes)


def test_no_option_of_a_method_is_one_of_a_command():
    """They share one line of words."""
    own = {option["name"] for method in METHODS
           for option in json.loads(harness.succeed("methods", method, json=True))["options"]}
    for command in ("train", "bench"):
        text = harness.succeed(command, help=True)
        assert not [name for name in own if f"  --{name} " in text], command


# --- standard output ------------------------------------------------------------------------------


def sent(place, *words, **options):
    """A command whose standard output is a file."""
    with open(place, "w") as output:
        return subprocess.run(
            [str(harness.COMMAND), *map(str, words), *harness.flags(**options)], stdout=output,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", timeout=120, input="a\n")


@pytest.fixture(scope="module")
def talker(folder_of):
    """A decoder with a tokenizer, a template and data."""

    def make(folder):
        decoders.make("gpt2", folder, vocab_size=200)
        plain_text.tokenizer(folder)
        (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
        (folder / "talk.jsonl").write_text('[{"role": "user", "content": "a"}]\n' * 2)
        (folder / "text.txt").write_text("the sea is old\n" * 40)

    return folder_of("talker", make)


def printing(folder):
    """A call of every command that prints, by a name."""
    text = dict(task="text", data=folder / "text.txt", documents="line")
    talk = dict(model=folder, messages=folder / "talk.jsonl")
    lines = folder / "text.txt"
    run = dict(model=folder, method="lora", steps=1, batch_size=2, **text)
    return {
        "a stream": (("generate",), dict(model=folder, prompt="the", max_tokens=2)),
        "ids": (("generate",), dict(model=folder, ids="5 6", max_tokens=2)),
        "answers": (("generate", "--json"), dict(max_tokens=2, **talk)),
        "a conversation": (("generate", "--chat"), dict(model=folder, max_tokens=2)),
        "examples": (("inspect-data", "--json"), dict(model=folder, **text)),
        "a template": (("chat-template",), talk),
        "a score": (("evaluate",), dict(model=folder, **text)),
        "scores of texts": (("score",), dict(hypotheses=lines, references=lines)),
        "a recipe": (("train", "--print-recipe"), dict(output=folder / "out", **run)),
        "a result": (("train",), dict(output=folder / "out", **run)),
        "a result as JSON": (("train", "--json"), dict(output=folder / "out", **run)),
        "tokens": (("tokenize", "the"), dict(model=folder)),
        "tensors": (("inspect", folder), {}),
        "methods": (("methods",), {}),
        "help": (("train", "--help"), {}),
        "a version": (("--version",), {}),
    }


@pytest.mark.parametrize("name", printing(harness.ROOT))
def test_a_full_disk_behind_standard_output_is_told(talker, name):
    words, options = printing(talker)[name]
    done = sent(os.devnull, *words, **options)
    assert done.returncode == 0, done.stderr
    done = sent("/dev/full", *words, **options)
    error = "Error: standard output cannot be written: No space left on device"
    assert done.returncode > 0 and done.stderr.splitlines()[-1] == error
    assert done.stderr.count("Error: ") == 1 and "Fatal" not in done.stderr


@pytest.mark.parametrize("name", ["a stream", "examples", "methods", "help"])
@pytest.mark.parametrize("is_ignored", [False, True])
def test_a_reader_that_has_enough_ends_a_command_quietly(talker, name, is_ignored):
    """As `head -1` does; whoever started the command may have it ignore the signal."""
    words, options = printing(talker)[name]
    reader, writer = os.pipe()
    os.close(reader)
    line = [str(harness.COMMAND), *map(str, words), *harness.flags(**options)]
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120,
                          restore_signals=not is_ignored)
    os.close(writer)
    assert done.returncode != 0 and "Error" not in done.stderr and "Fatal" not in done.stderr


def test_a_full_disk_behind_standard_error_does_not_end_a_command(talker):
    words, options = printing(talker)["a result"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(harness.COMMAND), *words, *harness.flags(**options)], stdout=subprocess.PIPE,
            stderr=full, text=True, timeout=120)
    assert done.returncode == 0 and "perplexity" in done.stdout
