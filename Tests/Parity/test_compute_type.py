"""`--dtype auto`: what a model is computed in on this machine, what is said of it, and what is kept."""

import json
import pathlib
import re
import shutil

import pytest

import decoders
import harness

LIMITS = {
    "LibTorch's": {"ATEN_CPU_CAPABILITY": "avx2"},
    "LibTorch's, to the least": {"ATEN_CPU_CAPABILITY": "default"},
    "oneDNN's": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "oneDNN's, to AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
}
NAMES = ["ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"]
WARNING = re.compile(
    r"warning: products of bfloat16 take ([0-9.]+) times as long as float32's here; "
    r"--dtype auto computes in float32")
BRIEF = dict(task="rte", method="lora", steps=4, batch_size=8, checkpoint_steps=2)


@pytest.fixture
def limited(monkeypatch):
    """Limits the processor; with no limit, takes away those of the suite."""

    def limit(limits):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in limits.items():
            monkeypatch.setenv(name, value)

    return limit


@pytest.fixture
def slow(limited):
    """A processor without products of bfloat16."""
    limited({"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"})


@pytest.fixture
def places(classifier, task_data):
    return dict(model=classifier("rte"), data=task_data("rte"))


def said_of(done):
    """The lines on what a command computes in."""
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if "computing in" in line or "bfloat16" in line]


def has_bfloat16():
    """Whether the processor's flags have it; nothing where they are not known."""
    path = pathlib.Path("/proc/cpuinfo")
    flags = re.search(r"^flags\s*:(.*)$", path.read_text(), re.M) if path.exists() else None
    return "avx512_bf16" in flags[1].split() if flags else None


# --- what is taken --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIMITS)
def test_a_limited_processor_computes_in_float32_and_says_so(places, limited, name):
    limited(LIMITS[name])
    done = harness.run("evaluate", task="rte", json=True, **places)
    ((variable, value),) = LIMITS[name].items()
    assert said_of(done) == [
        f"note: computing in float32: {variable}={value} asks for a processor without fast "
        "bfloat16 products"]
    same = harness.run("evaluate", task="rte", json=True, dtype="float32", **places)
    assert said_of(same) == [] and same.stdout == done.stdout


@pytest.mark.skipif(has_bfloat16() is None, reason="the processor's flags are not known")
def test_the_processors_own_type_is_taken(places, limited):
    limited({})
    done = harness.run("evaluate", task="rte", json=True, **places)
    kind = "bfloat16" if has_bfloat16() else "float32"
    (line,) = said_of(done)
    assert line.startswith(f"note: computing in {kind}: this processor (")
    assert ("--dtype bfloat16 is slower here" in line) == (kind == "float32")
    for dtype in ("auto", kind):
        same = harness.run("evaluate", task="rte", json=True, dtype=dtype, **places)
        assert same.stdout == done.stdout


def test_a_named_type_that_is_slow_is_taken_with_its_measured_ratio(places, slow):
    done = harness.run("evaluate", task="rte", json=True, dtype="bfloat16", **places)
    (line,) = said_of(done)
    assert float(WARNING.fullmatch(line)[1]) > 1.1
    assert done.stdout != harness.succeed("evaluate", task="rte", json=True, **places)
    for dtype in ("float32", "float64"):
        assert said_of(harness.run("evaluate", task="rte", dtype=dtype, **places)) == []


def test_every_command_that_computes_says_it_once_and_no_other(tmp_path, slow, folder_of):
    model = tmp_path / "model"
    decoders.make("gpt2", model)
    (tmp_path / "ids").write_text("")
    words = {
        "generate": dict(model=model, ids="1 2 3", max_tokens=2),
        "bench": dict(config=model / "config.json", method="lora", batch=1, length=4, steps=1),
        "bench ": dict(layer="8x8", method="lora", tokens=4, steps=1),
    }
    for name, options in words.items():
        done = harness.run(name.strip(), **options)
        assert len(said_of(done)) == 1 and "computing in float32" in done.stderr, name
        done = harness.run(name.strip(), dtype="bfloat16", **options)
        assert WARNING.fullmatch(said_of(done)[0]) and len(said_of(done)) == 1, name
    silent = {
        "inspect": [str(model)],
        "forward": harness.flags(model=model, ids="1 2", output=tmp_path / "out"),
        "bench": harness.flags(config=model / "config.json", write_weights=tmp_path / "random"),
        "methods": [],
    }
    for name, options in silent.items():
        assert said_of(harness.run(name, *options)) == [], name


def test_written_weights_have_the_type_of_checkpoints(tmp_path, slow):
    """A folder for `bench` serves any machine."""
    decoders.make("gpt2", tmp_path / "model")
    text = harness.succeed("bench", config=tmp_path / "model" / "config.json",
                           write_weights=tmp_path / "random")
    assert "tensors of bfloat16" in text


# --- what is kept ---------------------------------------------------------------------------------


def test_result_and_recipe_have_the_type_that_was_taken(tmp_path, places, slow, limited):
    done = harness.run("train", output=tmp_path / "out", **BRIEF, **places)
    assert len(said_of(done)) == 1
    result = harness.read_json(tmp_path / "out" / "result.json")
    recipe = tmp_path / "out" / "recipe.yaml"
    assert result["dtype"] == "float32" and "dtype: float32\n" in recipe.read_text()
    # Elsewhere the recipe makes the same run.
    limited({})
    done = harness.run("train", recipe, output=tmp_path / "again")
    assert said_of(done) == []
    assert harness.read_json(tmp_path / "again" / "result.json")["dtype"] == "float32"


def test_a_printed_recipe_has_the_machines_type_and_says_nothing(places, slow):
    done = harness.run("train", output="out", print_recipe=True, **BRIEF, **places)
    assert "dtype: float32\n" in done.stdout and not done.stderr
    done = harness.run("train", output="out", print_recipe=True, dtype="bf16", **BRIEF, **places)
    assert "dtype: bfloat16\n" in done.stdout and not done.stderr


def test_a_recipe_of_a_run_that_says_no_type_means_bfloat16(tmp_path, places, slow):
    """So did all runs before there was a choice; a recipe by hand says nothing of the past."""
    text = harness.succeed("train", output="out", print_recipe=True, **BRIEF, **places)
    assert text.startswith("# Written by duallora ")
    lines = [line for line in text.splitlines() if "dtype" not in line]
    for name, kept, dtype in (("old", lines, "bfloat16"), ("own", lines[1:], "float32")):
        path = tmp_path / f"{name}.yaml"
        path.write_text("\n".join(kept) + "\n")
        assert f"dtype: {dtype}\n" in harness.succeed("train", path, print_recipe=True)
        assert "dtype: float64\n" in harness.succeed(
            "train", path, print_recipe=True, dtype="float64")


def stopped(folder, output):
    """A run's folder as it was after two of its four steps."""
    shutil.copytree(folder, output, ignore=shutil.ignore_patterns(
        "step-00000004", "result.json", "loss.svg", "adapter_*"))
    return output


@pytest.mark.parametrize("began", ["bfloat16", "float32"])
def test_a_resumed_run_keeps_its_type_whatever_the_machine(tmp_path, places, slow, began):
    harness.succeed("train", output=tmp_path / "whole", dtype=began, **BRIEF, **places)
    out = stopped(tmp_path / "whole", tmp_path / "out")
    done = harness.run("train", output=out, resume=True, **BRIEF, **places)
    (line,) = said_of(done)
    if began == "bfloat16":
        assert WARNING.fullmatch(line)
    else:
        assert line == "note: computing in float32, as the run did before it was stopped"
    assert harness.read_json(out / "result.json")["dtype"] == began
    assert f"dtype: {began}\n" in (out / "recipe.yaml").read_text()
    name = "adapter_model.safetensors"
    assert harness.digest(out / name) == harness.digest(tmp_path / "whole" / name)


def test_a_checkpoint_that_says_no_type_is_of_bfloat16(tmp_path, places, slow):
    harness.succeed("train", output=tmp_path / "whole", dtype="bfloat16", **BRIEF, **places)
    out = stopped(tmp_path / "whole", tmp_path / "out")
    path = out / "checkpoints" / "step-00000002" / "state.json"
    state = json.loads(path.read_text())
    del state["identity"]["flags"]["dtype"], state["digest"]
    path.write_text(json.dumps(state))
    done = harness.run("train", output=out, resume=True, dtype="float32", **BRIEF, **places)
    harness.assert_refused(done, "with --dtype bfloat16, not float32")
    done = harness.run("train", output=out, resume=True, **BRIEF, **places)
    assert WARNING.fullmatch(said_of(done)[0])
    assert harness.read_json(out / "result.json")["dtype"] == "bfloat16"


# --- the demo -------------------------------------------------------------------------------------


def test_the_demo_says_what_it_computes_with(tmp_path, slow):
    """And, without a word of chance, that every method learns."""
    done = harness.run("demo", output=tmp_path / "demo", timeout=900)
    assert done.returncode == 0, done.stderr
    assert said_of(done)[0].startswith("note: computing in float32: ")
    assert done.stdout.startswith("Instruction set: ")
    assert "; computing in float32.\n" in done.stdout
    assert "\nEvery method learns the new constructions: matthews is 0.95 or more.\n" in done.stdout
