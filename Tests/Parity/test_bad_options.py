"""Bad options and places: an exit code that is not 0, one clear line, nothing half written."""

import resource
import signal

import pytest
from safetensors.torch import load_file, save_file

import harness
from bad_input import evaluate, forward, merge, rows, train

OPTIONS = {
    "a target that is no layer": (
        lambda g: train(g, targets="query,gate_proj"),
        ["gate_proj", "query", "key", "value", "intermediate.dense", "output.dense"]),
    "no targets": (lambda g: train(g, targets=","), ["target"]),
    "targets of full": (lambda g: train(g, method="full", targets="query"), ["targets"]),
    "rank 0": (lambda g: train(g, rank=0), ["--rank"]),
    "negative rank": (lambda g: train(g, rank=-4), ["--rank"]),
    "rank beyond memory": (lambda g: train(g, rank=2 ** 50), ["rank"]),
    "magnitude rank 0": (
        lambda g: train(g, method="dual-lora", magnitude_rank=0), ["--magnitude-rank"]),
    "ranks near 2^63": (
        lambda g: train(g, method="dual-lora", magnitude_rank=2 ** 62, direction_rank=2 ** 62),
        ["rank"]),
    "odd rank of dual-lora": (lambda g: train(g, method="dual-lora", rank=5), ["--rank", "5"]),
    "both kinds of rank": (
        lambda g: train(g, method="dual-lora", rank=4, direction_rank=2), ["--rank"]),
    "negative alpha": (lambda g: train(g, alpha=-1), ["--alpha"]),
    "alpha that is not a number": (lambda g: train(g, alpha="nan"), ["--alpha"]),
    "dropout of 1": (lambda g: train(g, dropout=1), ["--dropout"]),
    "deviation 0": (lambda g: train(g, method="dual-lora", init_std=0), ["--init-std"]),
    "negative gate": (lambda g: train(g, method="dual-lora", gate_steps=-1), ["--gate-steps"]),
    "unknown method": (lambda g: train(g, method="lorra"), ["lorra", "lora", "dual-lora"]),
    "unknown task": (lambda g: train(g, task="mnlii"), ["mnlii", "cola", "rte", "stsb"]),
    "gate of lora": (lambda g: train(g, gate_steps=5), ["--gate-steps", "lora"]),
    "magnitude rank of lora": (lambda g: train(g, magnitude_rank=5), ["--magnitude-rank", "lora"]),
    "rank of full": (lambda g: train(g, method="full", rank=5), ["--rank", "full"]),
    "an option of two other tasks": (
        lambda g: train(g, packing=True), ["--packing", "rte", "text and instruct"]),
    "no steps": (lambda g: train(g, steps=0), ["steps"]),
    "no epochs": (lambda g: train(g, steps=None, epochs=0), ["epochs"]),
    "epochs of 2^62": (lambda g: train(g, steps=None, epochs=2 ** 62), ["epochs"]),
    "no batch": (lambda g: train(g, batch_size=0), ["batch-size"]),
    "batch of 2^62": (lambda g: train(g, batch_size=2 ** 62), ["batch-size"]),
    "accumulation of 2^62": (
        lambda g: train(g, gradient_accumulation=2 ** 62), ["gradient-accumulation"]),
    "learning rate 0": (lambda g: train(g, learning_rate=0), ["learning-rate"]),
    "negative learning rate": (lambda g: train(g, learning_rate=-1), ["learning-rate"]),
    "learning rate that is not a number": (
        lambda g: train(g, head_learning_rate="nan"), ["head-learning-rate"]),
    "negative decay": (lambda g: train(g, weight_decay=-1), ["weight-decay"]),
    "warm-up above 1": (lambda g: train(g, warmup_ratio=2), ["warmup-ratio"]),
    "warm-up of -1 steps": (lambda g: train(g, warmup_steps=-1), ["warmup-steps"]),
    "a beta of 1": (lambda g: train(g, adam_beta1=1), ["adam-beta1"]),
    "an epsilon of 0": (lambda g: train(g, adam_epsilon=0), ["adam-epsilon"]),
    "no steps between scores": (lambda g: train(g, evaluation_steps=0), ["evaluation-steps"]),
    "no patience": (lambda g: train(g, patience=0), ["patience"]),
    "negative limit": (lambda g: train(g, gradient_limit=-1), ["gradient-limit"]),
    "length of 1": (lambda g: train(g, max_length=1), ["max-length"]),
    "length of 1 to evaluate": (lambda g: evaluate(g, max_length=1), ["length", "1"]),
    "no logging": (lambda g: train(g, logging_steps=0), ["logging-steps"]),
    "no checkpoints": (lambda g: train(g, checkpoint_steps=0), ["checkpoint-steps"]),
    "nothing to resume": (lambda g: train(g, resume=True), ["resume"]),
    "token outside the vocabulary": (lambda g: forward(g, "1 111 2"), ["111", "vocabulary"]),
    "sequence too long": (lambda g: forward(g, " ".join(["7"] * 65)), ["65", "64"]),
    "type that does not exist": (lambda g: forward(g, type_ids="0 1 2"), ["type"]),
    "evaluate without a head": (
        lambda g: (save_file({name: value for name, value in load_file(g.weights).items()
                              if "classifier" not in name}, g.weights), evaluate(g))[1], ["head"]),
}

USAGE = {
    "ids that are no numbers": (lambda g: forward(g, "1 two 3"), ["--ids", "two"]),
    "negative ids": (lambda g: forward(g, "1 -2"), ["--ids", "-2"]),
    "ids beyond 64 bits": (lambda g: forward(g, "1 99999999999999999999"), ["--ids"]),
    "no ids": (lambda g: forward(g, " "), ["--ids"]),
    "types of another length": (lambda g: forward(g, type_ids="0 1"), ["--type-ids"]),
    "unknown device": (lambda g: forward(g, device="tpu"), ["--device", "tpu"]),
    "device that is not here": (lambda g: forward(g, device="mps"), ["--device", "mps"]),
    "no threads": (lambda g: forward(g, threads=0), ["--threads"]),
    "100,000 threads": (lambda g: forward(g, threads=10 ** 5, timeout=30), ["--threads"]),
    "unknown type": (lambda g: forward(g, dtype="int4"), ["--dtype", "int4"]),
    "unknown schedule": (
        lambda g: train(g, schedule="square"),
        ["--schedule", "square", "linear", "cosine", "constant"]),
    "unknown padding": (lambda g: forward(g, padding="top"), ["--padding", "top"]),
    "rank that is no number": (lambda g: train(g, rank="many"), ["--rank", "many"]),
    "negative seed": (lambda g: train(g, seed=-1), ["--seed", "-1"]),
    "negative number after a space": (
        lambda g: harness.run("train", "--alpha", "-1", model=g.model, data=g.data, task="rte",
                              method="lora", output=g.output), ["--alpha"]),
    "option of a method without a value": (
        lambda g: harness.run("train", *harness.flags(model=g.model, data=g.data), "--rank"),
        ["--rank", "no value"]),
    "unknown option": (lambda g: train(g, rnak=8), ["--rnak"]),
    "no model": (lambda g: train(g, model=None), ["--model"]),
    "no method": (lambda g: train(g, method=None), ["--method"]),
    "head of another task": (
        lambda g: ((g.data / "dev.csv").write_text("g\tf\t1\t2\t5\ta cat\ta dog\n"),
                   evaluate(g, task="stsb"))[1], ["head", "1", "2"]),
}

OUTPUTS = {
    "under a file": lambda g: g.model / "config.json" / "out",
    "in /proc": lambda g: "/proc/nonexistent/out",
    "with a name too long": lambda g: g.folder / ("x" * 300),
}


@pytest.mark.parametrize("command, words", rows(OPTIONS))
def test_bad_options_are_refused(given, command, words):
    harness.assert_refused(command(given), *words)
    assert not given.output.exists()


@pytest.mark.parametrize("command, words", rows(USAGE))
def test_bad_usage_is_refused(given, command, words):
    harness.assert_refused(command(given), *words, usage=True)
    assert not given.output.exists()


@pytest.mark.parametrize("place", OUTPUTS)
@pytest.mark.parametrize("command", [forward, train, merge])
def test_an_output_that_cannot_be_written_is_refused(given, place, command):
    before = {path: harness.digest(path) for path in given.folder.rglob("*") if path.is_file()}
    output = OUTPUTS[place](given)
    harness.assert_refused(command(given, output=output), str(output), "cannot be written")
    after = {path: harness.digest(path) for path in given.folder.rglob("*") if path.is_file()}
    assert before == after


@pytest.mark.parametrize("command, words", [
    (lambda g, **o: train(g, targets="nothing", **o), ["nothing"]),
    (lambda g, **o: merge(g, "nowhere", **o), ["nowhere"]),
], ids=["train, target", "merge, adapter"])
def test_an_output_folder_with_files_is_left_as_it_was(given, command, words):
    given.output.mkdir()
    (given.output / "adapter_config.json").write_text("kept")
    harness.assert_refused(command(given), str(given.output), "--overwrite", "--output")
    harness.assert_refused(command(given, overwrite=True), *words)
    assert [path.name for path in given.output.iterdir()] == ["adapter_config.json"]
    assert (given.output / "adapter_config.json").read_text() == "kept"


@pytest.mark.parametrize("method", ["full", "lora", "dual-lora"])
def test_a_loss_that_is_not_a_number_stops_the_run(given, method):
    """The step, the learning rate and the last good checkpoint are named; no result is written."""
    done = train(given, method=method, learning_rate=1e30, head_learning_rate=1e30, steps=40,
                 warmup_ratio=0, dtype="float32", checkpoint_steps=1)
    harness.assert_refused(done, "step", "learning rate", "e+29", "checkpoint", running=True)
    for name in ("result.json", "adapter_model.safetensors", "model.safetensors"):
        assert not (given.output / name).exists()


# --- a disk that is full --------------------------------------------------------------------------


def with_limit(size):
    """Lets a process write files of at most so many bytes; more fails, as on a full disk."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("command", [forward, train, merge])
def test_a_full_disk_leaves_nothing_behind(given, command):
    done = command(given, **(dict(ids=" ".join(["7"] * 60)) if command is forward else {}),
                   before=with_limit(3000))
    harness.assert_refused(done, "out", "cannot be written", running=True)
    assert not given.output.exists()
    assert not [path for path in given.folder.iterdir() if path.name.startswith(".")]


def test_a_disk_that_fills_late_leaves_the_checkpoints(given):
    """The checkpoints are small here and the log grows, so it is the log that does not fit."""
    done = train(given, steps=300, logging_steps=1, checkpoint_steps=10, rank=1,
                 targets="layer.1.attention.self.query", before=with_limit(12_000))
    assert list((given.output / "checkpoints").glob("step-*"))
    harness.assert_refused(done, "train.jsonl", running=True)
