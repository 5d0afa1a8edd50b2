"""`scripts/try_gpu`, and through it the command on a device that is not the processor.

The device is the tests' own (Tests/SecondDevice): it refuses tensors of the processor among its own, and
has no kernel of this package. What is compared is LibTorch's own operators beside the kernels.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import torch

import harness

sys.path.append(str(harness.ROOT / "scripts"))
from gpu import models  # noqa: E402

SCRIPT = harness.ROOT / "scripts" / "try_gpu"
LIBTORCH = (harness.ROOT / ".libtorch" / "torch").resolve()
SECOND_DEVICE = harness.ROOT / ".build" / "release" / "libSecondDevice.so"
needs_second_device = pytest.mark.skipif(
    not SECOND_DEVICE.exists(), reason="swift build --product SecondDevice makes it")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder as `try_gpu build` leaves it, with the command under test."""
    folder = tmp_path_factory.mktemp("built")
    write_build(folder, torch.__version__.split("+")[0])
    return folder


def write_build(folder, version):
    (folder / "portable").mkdir()
    shutil.copy(harness.COMMAND, folder / "portable" / "duallora")
    (folder / "portable" / "build.json").write_text(json.dumps({"libtorch": version, "commit": "x"}))


def check(built, *words, **environment):
    return subprocess.run(
        [sys.executable, str(SCRIPT), "check", "--folder", str(built), "--seconds", "3000",
         "--command-seconds", "600", *map(str, words)], capture_output=True, text=True,
        env={**os.environ, "LIBTORCH": str(LIBTORCH), **environment})


def results(folder):
    return json.loads((folder / "results.json").read_text())


def assert_says_why(done, *words):
    """It ended with 3 and one line."""
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("try_gpu: "), done.stderr
    for word in words:
        assert word in done.stderr


def test_the_processor_beside_itself_differs_in_nothing(built, tmp_path):
    done = check(built, "--device", "cpu", "--models", "llama", "bert", "--methods", "lora", "corda",
                 "--types", "float32", "bfloat16", "--output", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = results(tmp_path)
    rows = {(row["check"], row["model"], row["method"], row["dtype"]): row["differences"]
            for row in found["rows"]}
    assert len(rows) == len(found["rows"]) == 2 * 2 + 1 + 2 + 2 + 2 + 2
    for row, differences in rows.items():
        assert differences and set(differences.values()) == {0}, row
    assert set(rows["training", "llama", "corda", "bfloat16"]) == {"losses", "weights", "logits"}
    assert [row["method"] for row in found["times"]] == ["lora", "corda"]
    assert all(row["step"] > 0 and not row["plain"] for row in found["times"])
    table = (tmp_path / "table.md").read_text()
    assert table.strip() == done.stdout.strip()
    assert len(re.findall(r"^\| (?:training|logits|tokens|quantised|activation)", table, re.M)) == len(rows)


def test_a_failure_is_a_row_and_not_the_end(built, tmp_path):
    done = check(built, "--device", "cpu", "--models", "llama", "--methods", "lora", "full", "--types",
                 "float32", "--config", tmp_path / "none.json", "--output", tmp_path)
    assert done.returncode == 1 and "2 of 8 rows failed" in done.stdout
    assert all(row["passed"] for row in results(tmp_path)["rows"])
    assert all("none.json" in row["failure"] for row in results(tmp_path)["times"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_one_line_says_that_there_is_no_gpu(built, tmp_path):
    output, place = tmp_path / "output", tmp_path / "place"
    place.mkdir()
    done = check(built, "--output", output, TMPDIR=str(place))
    assert_says_why(done, "no cuda device can be had here: --device cuda: ")
    assert not output.exists() and not list(place.iterdir())


def test_another_version_of_libtorch_is_refused(tmp_path):
    write_build(tmp_path, "2.4.1")
    assert_says_why(check(tmp_path), "2.4.1", torch.__version__.split("+")[0], "--torch")


def test_no_build_and_no_libtorch_are_said(built, tmp_path):
    assert_says_why(check(tmp_path), "has no build", "try_gpu build")
    assert_says_why(check(built, LIBTORCH=str(tmp_path)), str(tmp_path), "is no torch")


@needs_second_device
def test_a_device_trains_every_method_as_the_processor_does(built, tmp_path):
    done = check(built, "--device", "privateuseone", "--preload", SECOND_DEVICE, "--models", "llama",
                 "--types", "float32", "--no-times", "--output", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(results(tmp_path)["rows"]) == 4 + len(
        json.loads(harness.succeed("methods", "--json"))["methods"])


@needs_second_device
def test_a_device_computes_what_the_processor_does_on_other_models(built, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(dict(
        model_type="llama", vocab_size=60, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512)))
    done = check(built, "--device", "privateuseone", "--preload", SECOND_DEVICE, "--models", "gpt2", "bert",
                 "--methods", "lora", "dual-lora", "full", "prefix", "--types", "float32",
                 "--config", config, "--output", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    # The rotary kernel has no row for the device.
    plain = {row["method"]: row["plain"] for row in results(tmp_path)["times"]}
    assert all("duallora::rotary" in counts for counts in plain.values())


@needs_second_device
def test_methods_that_train_weights_refuse_quantised_ones_on_a_device(tmp_path):
    models.make("llama", tmp_path / "base")
    models.write_texts(tmp_path / "texts")
    done = subprocess.run(
        [str(harness.COMMAND), "train", "--model", str(tmp_path / "base"), "--task", "text", "--data",
         str(tmp_path / "texts" / "lines.txt"), "--method", "full", "--quantize", "q8_0", "--device",
         "privateuseone", "--output", str(tmp_path / "out")],
        capture_output=True, text=True, env={**os.environ, "LD_PRELOAD": str(SECOND_DEVICE)})
    harness.assert_refused(done, "full trains the model's own weights", "q8_0")
