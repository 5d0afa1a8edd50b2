"""A disk that is full, a file that shrinks, a system without /proc."""

import os
import resource
import shutil
import subprocess
import sys

import pytest

import harness

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")


def may_mount():
    return shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "true"], capture_output=True).returncode == 0


needs_mounts = pytest.mark.skipif(not may_mount(), reason="this user may not mount anything")


def apart(script, *words, **environment):
    """Runs a shell script with words in a mount namespace of its own."""
    return subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "bash", *map(str, words)], capture_output=True,
        text=True, encoding="utf-8", timeout=300, env={**os.environ, **environment})


# --- a full disk ----------------------------------------------------------------------------------

# The disk is filled when the first epoch is done, and stays full: a checkpoint that fails gives its
# room back. What comes after is copied out, for it is gone with the namespace.
FILLING = """
    mount -t tmpfs -o size=2m none "$1" || exit 99
    out=$1/out; kept=$2; shift 2
    fill() { while [ ! -e "$kept.done" ]; do cat /dev/zero >>"$out/../filling"; sleep 0.01; done }
    "$@" --output "$out" 2>&1 | while IFS= read -r line; do
        printf '%s\\n' "$line"
        case $line in "step 3: "*) fill >/dev/null 2>&1 & esac
    done
    code=${PIPESTATUS[0]}
    touch "$kept.done"
    cp -r "$out" "$kept"
    exit $code
"""


@needs_mounts
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_disk_that_is_full_at_the_end_costs_no_training(
        tmp_path, classifier, task_data, method):
    """What was trained is kept in the folder for temporary files, and goes on from there."""
    options = dict(model=classifier("rte"), data=task_data("rte"), task="rte", method=method,
                   epochs=2, batch_size=8, seed=3)
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    for folder in (disk, elsewhere):
        folder.mkdir()
    done = apart(FILLING, disk, tmp_path / "out", harness.COMMAND, "train",
                 *harness.flags(**options), TMPDIR=str(elsewhere))
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout.splitlines()
    error = said[-1]
    assert error.startswith("Error: ") and "No space left on device" in error
    assert "what was trained is kept: --resume goes on from " in error
    kept, = elsewhere.glob("duallora-*/checkpoints/step-00000006")
    assert str(kept) in error
    # As the message says: it is moved, and the run goes on, on a disk with room.
    out = tmp_path / "out"
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    (out / "checkpoints").mkdir()
    shutil.move(kept, out / "checkpoints")
    harness.train(output=out, resume=True, **options)
    harness.train(output=tmp_path / "whole", **options)
    weights = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    assert harness.digest(out / weights) == harness.digest(tmp_path / "whole" / weights)


# --- a file that shrinks --------------------------------------------------------------------------


def test_a_model_that_shrinks_while_it_is_used_is_named(tmp_path, task_data):
    """The weights are mapped, and read whenever they are used."""
    model = harness.make_base(
        "bert", tmp_path / "model", vocab_size=20_000, hidden_size=256, intermediate_size=1024)
    (model / "vocab.txt").write_text("\n".join(harness.VOCABULARY) + "\n")
    process = subprocess.Popen(
        [str(harness.COMMAND), "train", *harness.flags(
            model=model, data=task_data("rte"), task="rte", method="lora", epochs=10_000,
            dtype="float32", output=tmp_path / "out", logging_steps=1)],
        stderr=subprocess.PIPE, text=True, encoding="utf-8")
    for line in process.stderr:
        if line.startswith("step 3"):
            break
    weights = model / "model.safetensors"
    os.truncate(weights, 4096)
    said = process.stderr.read().splitlines()
    assert process.wait(timeout=60) == 1
    assert said[-1].startswith(f"Error: {weights} became shorter")
    assert [line.startswith("Error") for line in said].count(True) == 1


# --- without /proc --------------------------------------------------------------------------------


@needs_mounts
def test_commands_need_no_proc():
    done = apart('mount -t tmpfs none /proc && exec "$@"', harness.COMMAND, "methods", "lora")
    assert done.returncode == 0, done.stderr
    assert done.stdout == harness.succeed("methods", "lora")
    done = apart('mount -t tmpfs none /proc && exec "$@"', harness.COMMAND, "methods", "loar")
    assert done.returncode > 0 and "loar" in done.stderr


# --- files that are none --------------------------------------------------------------------------


@pytest.mark.parametrize("name", [
    "recipe.yaml", "model/config.json", "model/model.safetensors", "model/vocab.txt",
    "data/train.tsv"])
def test_a_pipe_in_the_place_of_a_file_is_refused(tmp_path, classifier, task_data, name):
    """Nobody writes into it: who opens it to read would wait for ever."""
    shutil.copytree(classifier("rte"), tmp_path / "model")
    shutil.copytree(task_data("rte"), tmp_path / "data")
    (tmp_path / "recipe.yaml").write_text("seed: 1\n")
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    done = harness.run(
        "train", tmp_path / "recipe.yaml", model=tmp_path / "model", data=tmp_path / "data",
        task="rte", method="lora", output=tmp_path / "out", timeout=30)
    harness.assert_refused(done, str(tmp_path / name), "regular file" if "safe" in name else "a pipe")
    assert not (tmp_path / "out").exists()


def test_a_recipe_may_come_through_a_pipe_of_the_shell(tmp_path, classifier, task_data):
    recipe = "\n".join([
        f"model: {classifier('rte')}", f"data: {task_data('rte')}", "task: rte", "method: lora",
        f"output: {tmp_path / 'out'}", "seed: 7"])
    said = subprocess.run(
        [str(harness.COMMAND), "train", "/dev/stdin", "--print-recipe"], input=recipe, text=True,
        capture_output=True, timeout=60)
    assert said.returncode == 0 and "seed: 7" in said.stdout, said.stderr


def limited(kind, size):
    return lambda: resource.setrlimit(kind, (size, size))


def test_too_little_memory_for_a_file_is_called_that(tmp_path, classifier, task_data):
    """Its permissions have nothing to do with it."""
    data = tmp_path / "data"
    shutil.copytree(task_data("rte"), data)
    with (data / "dev.tsv").open("w") as file:
        file.truncate(1 << 36)
    done = harness.run(
        "train", model=classifier("rte"), data=data, task="rte", method="lora",
        output=tmp_path / "out", before=limited(resource.RLIMIT_AS, 1 << 34))
    harness.assert_refused(done, "dev.tsv", "not enough memory")
    assert "permission" not in done.stderr
