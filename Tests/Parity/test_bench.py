"""`duallora bench`: its line beside that of the PEFT script, what it counts, and what it refuses."""

import json
import os
import runpy
import subprocess
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM

import decoders
import harness

SCRIPTS = [harness.ROOT / "Benchmarks" / "peft_step.py",
           harness.ROOT.parent / "shared" / "bench" / "peft_step.py"]
SHORT = dict(batch=2, length=8, steps=1, json=True)
SHAPE = dict(
    model_type="llama", vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
    tie_word_embeddings=False)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(SHAPE))
    return path


def bench(**options):
    lines = harness.succeed("bench", **options).splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


def script(path, monkeypatch, capsys, **options):
    """The line of the PEFT script, run here: a process of its own would load torch anew."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(sys, "argv", [str(path), *harness.flags(**options)])
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("path", SCRIPTS, ids=["ours", "shared"])
@pytest.mark.parametrize("method, theirs", [
    ("lora", "lora"), ("dual-lora", "dual-naive"), ("full", "full")])
def test_two_lines_compare(config, path, method, theirs, monkeypatch, capsys):
    """The same fields of the same kinds, and as many numbers that train."""
    if not path.exists():
        pytest.skip(f"there is no {path}")
    options = dict(config=config, batch=2, length=8, steps=1, threads=1, dtype="float32")
    rank = {} if method == "full" else dict(rank=4)
    found = bench(method=method, json=True, **options, **rank)
    expected = script(path, monkeypatch, capsys, method=theirs, **options, **rank)
    assert expected.keys() <= found.keys()
    for name in ("config", "batch", "length", "dtype", "threads", "trainable"):
        assert found[name] == expected[name], name
    assert (found["tool"], found["method"]) == ("duallora", method)
    for name, value in expected.items():
        assert isinstance(found[name], str) == isinstance(value, str), name
    for line in (found, expected):
        tokens = line["batch"] * line["length"] / line["median_ms"] * 1000
        assert line["tokens_per_s"] == pytest.approx(tokens, rel=0.06 / line["median_ms"] + 1e-3)
        assert line["min_ms"] <= line["median_ms"] <= line["max_ms"]


@pytest.mark.parametrize("method", ["lora", "dual-lora"])
@pytest.mark.parametrize("targets", [None, "q_proj,down_proj", "all-linear"])
def test_what_trains_is_counted_by_the_formula(config, method, targets):
    found = bench(config=config, method=method, rank=6, targets=targets, **SHORT)
    sizes = dict(q_proj=(32, 32), k_proj=(16, 32), v_proj=(16, 32), o_proj=(32, 32),
                 gate_proj=(48, 32), up_proj=(48, 32), down_proj=(32, 48))
    names = {None: ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"],
             "all-linear": list(sizes)}.get(targets) or targets.split(",")
    assert found["trainable"] == sum(2 * 6 * sum(sizes[name]) for name in names)


def test_a_model_without_the_papers_layers_has_its_own_defaults(tmp_path):
    decoders.make("gpt2", tmp_path)
    found = bench(config=tmp_path / "config.json", method="lora", rank=2, **SHORT)
    assert found["trainable"] == 3 * 2 * (32 + 96)  # c_attn of three layers


def test_the_parts_of_a_step_make_the_whole(config):
    found = bench(config=config, method="dual-lora", limit=True, **{**SHORT, "length": 64})
    parts = sum(found[f"{part}_ms"] for part in ("forward", "backward", "optimizer"))
    assert parts == pytest.approx(found["median_ms"], abs=0.3)
    assert 0 < found["limit_ms"] and found["times_limit"] > 0
    assert found["instruction_set"] and found["version"]


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["text", "json"])
def test_without_json_the_numbers_are_told_in_words(config, words):
    text = harness.succeed("bench", *words, config=config, method="lora", batch=1, length=4, steps=1)
    assert ("tokens/s" in text) == (not words) and ("MiB resident" in text) == (not words)


# --- weights in a folder --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["llama-grouped", "qwen3-tied", "mistral-no-window", "gpt2"])
def test_written_weights_open_in_transformers(tmp_path, name):
    """No tensor is missing, and a field that is null in config.json stays so."""
    made = decoders.make(name, tmp_path / "source")
    path = tmp_path / "source" / "config.json"
    harness.succeed("bench", config=path, write_weights=tmp_path / "random")
    model, report = AutoModelForCausalLM.from_pretrained(
        tmp_path / "random", output_loading_info=True)
    assert not any(report.values()), report
    assert model.config.to_diff_dict() | {"dtype": None, "architectures": None} == (
        made.config.to_diff_dict() | {"dtype": None, "architectures": None})


def test_steps_are_measured_on_weights_in_a_folder(tmp_path, config):
    """As large as the file says, mapped from there, and the other memory told apart."""
    weights = tmp_path / "weights"
    harness.edit_json(config, vocab_size=20_000)
    text = harness.succeed("bench", config=config, write_weights=weights)
    assert str(weights) in text
    found = bench(weights=weights, method="lora", dtype="bfloat16", **SHORT)
    size = (weights / "model.safetensors").stat().st_size
    assert found["weights_mib"] == pytest.approx(size / 2 ** 20, abs=0.1)
    assert found["weights_mapped"] is True and found["config"] == "config.json"
    resident = found["peak_rss_mib"] - found["peak_without_weights_mib"]
    assert 1.2 < resident < found["weights_mib"] + 0.2  # the head, at least
    same = bench(
        weights=weights, config=config, method="lora", dtype="bfloat16", **SHORT)
    assert same["loss"] == found["loss"]
    # Matrices of fewer bits than what is computed in stay where they are; blocks do not.
    assert bench(weights=weights, dtype="float32", method="lora", **SHORT)["weights_mapped"] is True
    done = harness.run("bench", weights=weights, quantize="q8_0", method="lora", **SHORT)
    assert "not mapped" in done.stderr and json.loads(done.stdout)["weights_mapped"] is False


# --- one layer ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["1x1", "7x33", "48x17", "129x65"])
@pytest.mark.parametrize("method", ["lora", "dual-lora"])
@pytest.mark.parametrize("transposed", [None, True])
def test_a_layer_of_any_size_is_measured(size, method, transposed):
    found = bench(layer=size, method=method, rank=2, tokens=5, steps=1, transposed=transposed,
                  json=True)
    outputs, inputs = map(int, size.split("x"))
    assert (found["output_size"], found["input_size"]) == (outputs, inputs)
    assert found["trainable"] == 2 * (outputs + inputs)
    assert found["products"] == (2 if method == "lora" else 3)
    assert found["transposed"] is bool(transposed)


# --- what is refused ------------------------------------------------------------------------------

GPT2 = dict(model_type="gpt2", n_embd=32, n_layer=1, n_head=4, max_position_embeddings=16)

WRONG = {
    "a missing config": (dict(config="nowhere.json"), ["nowhere.json", "no such file"]),
    "no config": (dict(config=None), ["--config"]),
    "an unknown method": (dict(method="lorra"), ["lorra", "lora", "dual-lora"]),
    "no batch": (dict(batch=0), ["--batch", "0"]),
    "a batch beyond memory": (dict(batch=2 ** 62), ["--batch"]),
    "a length of 1": (dict(length=1), ["--length", "1"]),
    "a negative length": (dict(length=-3), ["--length", "-3"]),
    "no steps": (dict(steps=0), ["--steps"]),
    "rank 0": (dict(rank=0), ["--rank"]),
    "odd rank of dual-lora": (dict(method="dual-lora", rank=5), ["--rank", "5"]),
    "targets that match nothing": (dict(targets="c_attn"), ["c_attn", "q_proj (32 x 32)"]),
    "targets of full": (dict(method="full", targets="q_proj"), ["targets", "full"]),
    "weights that are not there": (dict(weights="nowhere"), ["nowhere", "model.safetensors"]),
    "tokens of a whole step": (dict(tokens=8), ["--tokens", "--layer"]),
    "a transposed step": (dict(transposed=True), ["--transposed", "--layer"]),
    "a layer of a model": (dict(layer="3x3"), ["--config", "--layer"]),
    "a layer of full": (dict(config=None, layer="3x3", method="full"), ["--layer", "full"]),
    "a layer without outputs": (dict(config=None, layer="0x3"), ["--layer", "0"]),
    "a layer of no tokens": (dict(config=None, layer="3x3", tokens=0), ["--tokens", "0"]),
    "a layer beyond memory": (dict(config=None, layer="1000000x1000000"), ["memory"]),
    "weights to write and to read": (dict(weights="a", write_weights="b"), ["--write-weights"]),
}


@pytest.mark.parametrize("options, words", WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_line(config, options, words):
    done = harness.run("bench", **{**dict(config=config, method="lora"), **options})
    harness.assert_refused(done, *words)
    assert done.returncode == 1 and not done.stdout


@pytest.mark.parametrize("fields, words", [
    (dict(model_type="mamba"), ["mamba", "llama", "gpt2"]),
    (dict(model_type="bert"), ["Bert", "decoder"]),
    (dict(hidden_size=33), ["tiny.json", "33"]),
    (dict(vocab_size=0), ["tiny.json", "vocab_size"]),
    (GPT2, ["17", "16"]),
], ids=["architecture", "encoder", "heads", "vocabulary", "positions"])
def test_a_model_that_cannot_be_measured_is_one_line(config, fields, words):
    config.write_text(json.dumps({**SHAPE, **fields}))
    done = harness.run("bench", config=config, method="lora", batch=1, length=17)
    harness.assert_refused(done, *words)
    assert done.returncode == 1


@pytest.mark.parametrize("change, words", [
    (dict(hidden_size=16), ["model.safetensors", "[60, 32]", "[60, 16]"]),
    (dict(num_hidden_layers=3), ["tiny.json", "num_hidden_layers", "at most 2"]),
    (dict(num_hidden_layers=1), ["tiny.json", "9 tensor(s)", "layers.1."]),
], ids=["sizes", "too few layers", "too many layers"])
def test_weights_of_another_model_are_refused(tmp_path, config, change, words):
    weights = tmp_path / "weights"
    harness.succeed("bench", config=config, write_weights=weights)
    config.write_text(json.dumps({**SHAPE, **change}))
    done = harness.run("bench", config=config, weights=weights, method="lora", batch=1, length=4)
    harness.assert_refused(done, *words)
    assert done.returncode == 1


def test_a_damaged_weights_file_is_refused(tmp_path, config):
    weights = tmp_path / "weights"
    harness.succeed("bench", config=config, write_weights=weights)
    path = weights / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    done = harness.run("bench", weights=weights, method="lora")
    harness.assert_refused(done, "model.safetensors", "truncated")


def test_weights_are_never_written_over(tmp_path, config):
    weights = tmp_path / "weights"
    harness.succeed("bench", config=config, write_weights=weights)
    before = {path: harness.digest(path) for path in weights.iterdir()}
    done = harness.run("bench", config=config, write_weights=weights, seed=2)
    harness.assert_refused(done, str(weights), "weights already")
    assert before == {path: harness.digest(path) for path in weights.iterdir()}


def test_the_comparison_runs_both_sides(tmp_path, config):
    """The whole script, on a model so small that only its tables matter."""
    script = harness.ROOT / "Benchmarks" / "training_step.py"
    done = subprocess.run(
        [sys.executable, str(script), "--config", str(config), "--rounds", "1", "--steps", "1",
         "--batch", "1", "--length", "8", "--threads", "1", "--rank", "4", "--pairs", "lora/lora"],
        capture_output=True, text=True,
        env={**os.environ, "DUALLORA": str(harness.COMMAND)})
    assert done.returncode == 0, done.stderr
    assert "duallora lora / PEFT lora" in done.stdout
    assert done.stderr.count("round 1: ") == 2


def test_checkpointing_changes_no_loss_and_layers_refuse_it(config):
    plain = bench(config=config, method="dual-lora", dtype="float32", **SHORT)
    kept = bench(config=config, method="dual-lora", dtype="float32", activation_checkpointing=True,
                 **SHORT)
    assert kept["loss"] == plain["loss"]
    assert kept["trainable"] == plain["trainable"]
    done = harness.run("bench", layer="8x8", activation_checkpointing=True)
    harness.assert_refused(done, "--activation-checkpointing")
