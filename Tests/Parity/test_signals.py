"""Ctrl-C and SIGTERM: heard at once, whatever a command is doing."""

import os
import signal
import subprocess
import time

import pytest

import glue_files
import harness

SIGNALS = [signal.SIGINT, signal.SIGTERM]


class Running:
    """A command in a process of its own, started as by someone who waits for it."""

    def __init__(self, *words, **options):
        words = [str(harness.COMMAND), *map(str, words), *harness.flags(**options)]
        # Who runs the tests in the background ignores Ctrl-C, and so would what they start; and a
        # command that settles how its threads wait starts itself anew.
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, "GOMP_SPINCOUNT": "1000"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.said = []

    def listens(self):
        """Waits until the process has said what it does with signals."""
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            status = open(f"/proc/{self.process.pid}/status").read()
            caught = int(status.split("SigCgt:")[1].split()[0], 16)
            if all(caught >> (number - 1) & 1 for number in SIGNALS):
                return
            time.sleep(0.01)
        raise AssertionError(f"it ended with {self.process.wait()}: {self.process.stderr.read()}")

    def until(self, words, stream="stderr"):
        """Reads lines until one has these words."""
        for line in getattr(self.process, stream):
            self.said.append(line)
            if words in line:
                return
        raise AssertionError(f"'{words}' is not in: {self.said}")

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        """The status, when it has ended."""
        out, error = self.process.communicate(timeout=60)
        self.said += error.splitlines(keepends=True)
        self.out = out
        return self.process.returncode


@pytest.fixture(scope="module")
def much(folder_of):
    """Data that take a while to train on and to score."""
    return folder_of("much data", lambda folder: glue_files.write_task(
        folder, "rte", train=4_000, dev=4_000))


def train(model, data, output, **changes):
    return Running("train", model=model, data=data, output=output, **{**dict(
        task="rte", method="lora", batch_size=8, dtype="float32", threads=1, logging_steps=1),
        **changes})


# --- a run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_is_stopped_after_its_step(tmp_path, classifier, task_data, number):
    running = train(classifier("rte"), task_data("rte"), tmp_path / "out", epochs=10_000,
                    evaluation_steps=10 ** 6)
    running.until("step 9/")
    running.send(number)
    assert running.end() == 128 + number
    said = "".join(running.said)
    assert "stopping after this step, with a checkpoint; once more stops at once\n" in said
    assert running.said[-1].startswith("stopped after step ") and "--resume" in running.said[-1]
    assert "Error" not in said
    kept = sorted(path.name for path in (tmp_path / "out/checkpoints").iterdir())
    assert running.said[-1].rstrip().endswith(kept[-1])
    assert not (tmp_path / "out/.duallora.lock").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_is_stopped_in_a_score_and_goes_on_with_it(
        tmp_path, classifier, task_data, much, number):
    """The score is taken by who goes on, and counts for the best step as if nothing had happened."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "train.tsv").write_text((task_data("rte") / "train.tsv").read_text())
    (data / "dev.tsv").write_text((much / "dev.tsv").read_text())
    brief = dict(steps=3, evaluation_steps=2, keep_best=True)
    running = train(classifier("rte"), data, tmp_path / "out", **brief)
    running.until("step 2/")
    running.send(number)
    assert running.end() == 128 + number
    assert "stopped after step 2; " in running.said[-1]
    assert not [record for record in harness.log_of(tmp_path / "out")[1] if record["step"] == 2]
    options = dict(task="rte", method="lora", batch_size=8, dtype="float32", threads=1,
                   logging_steps=1, **brief)
    parts, whole = (
        harness.train(classifier("rte"), data, tmp_path / name, timeout=600, **options, **more)
        for name, more in (("out", dict(resume=True)), ("whole", {})))
    for field in ("value", "loss", "best_step", "before"):
        assert parts[field] == whole[field]
    assert (harness.digest(tmp_path / "out/adapter_model.safetensors")
            == harness.digest(tmp_path / "whole/adapter_model.safetensors"))


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_that_is_stopped_before_its_first_step_leaves_nothing(
        tmp_path, classifier, much, number):
    running = train(classifier("rte"), much, tmp_path / "new/out")
    running.until("parameters train")
    running.send(number)
    assert running.end() == 128 + number
    assert running.said[-1] == "stopped before the first step; nothing is kept\n"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_stops_at_once(tmp_path, classifier, much, number):
    """In a step of 500 forward passes."""
    running = train(classifier("rte"), much, tmp_path / "new/out", gradient_accumulation=10_000,
                    evaluation_steps=10 ** 6)
    running.until("step 0: dev loss")
    running.send(number)
    running.until("stopping after this step")
    running.send(number)
    assert running.end() == 128 + number
    assert running.said[-1] == "stopped at once\n"
    assert not (tmp_path / "new").exists()


# --- commands that have nothing to keep -----------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("name", ["train", "evaluate", "inspect-data"])
def test_a_command_that_prepares_or_scores_ends(tmp_path, classifier, much, name, number):
    """Reading, tokenizing, loading or scoring: wherever it is by then."""
    options = dict(model=classifier("rte"), data=much, task="rte")
    if name == "train":
        options.update(method="lora", output=tmp_path / "new/out")
    if name == "inspect-data":
        options.update(task="text", data=much / "train.tsv", documents="line")
    running = Running(name, **options)
    running.listens()
    time.sleep(0.05)
    running.send(number)
    code = running.end()
    assert code == 128 + number, running.said
    assert "Error" not in "".join(running.said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", SIGNALS)
def test_the_demo_ends_and_leaves_nothing(tmp_path, number):
    running = Running("demo", output=tmp_path / "demo")
    running.until("parameters train")
    running.send(number)
    assert running.end() == 128 + number
    assert "Error" not in "".join(running.said)
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_generation_ends_with_what_there_is(tmp_path, number):
    base = harness.make_base("llama", tmp_path / "base", max_position_embeddings=60_000)
    running = Running("generate", model=base, ids="1 2 3", max_tokens=50_000,
                      ignore_stop_tokens=True, dtype="float32", threads=1)
    running.listens()
    time.sleep(2)
    running.send(number)
    assert running.end() == 128 + number
    assert "Error" not in "".join(running.said)


# --- what is left of a folder ---------------------------------------------------------------------


def test_a_second_run_in_a_folder_is_refused_while_the_first_is_at_work(
        tmp_path, classifier, task_data):
    out = tmp_path / "out"
    running = train(classifier("rte"), task_data("rte"), out, epochs=10_000,
                    evaluation_steps=10 ** 6)
    running.until("step 9/")
    for more in ({}, dict(resume=True), dict(overwrite=True)):
        done = harness.run("train", model=classifier("rte"), data=task_data("rte"), output=out,
                           task="rte", method="lora", **more)
        harness.assert_refused(done, str(out), f"in use by process {running.process.pid} on ")
    running.send(signal.SIGKILL)
    running.end()
    assert (out / ".duallora.lock").exists()
    # The lock of a process that is gone is no one's.
    harness.succeed("train", model=classifier("rte"), data=task_data("rte"), output=out,
                    task="rte", method="lora", steps=1, overwrite=True)
    assert not (out / ".duallora.lock").exists()
