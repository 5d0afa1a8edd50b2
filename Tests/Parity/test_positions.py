"""`--max-length` and the positions that a model has: what is cut is said, and recipes say the truth."""

import json
import re

import pytest

import harness
from plain_text import base, text


@pytest.fixture
def place(tmp_path):
    base(tmp_path / "gpt2", "gpt2")
    base(tmp_path / "llama", "llama-grouped")
    (tmp_path / "data.txt").write_text(text(200, 1))
    return tmp_path


NOTE = "note: the model has positions for 64 tokens: examples are cut to 64, not to --max-length, 200"


def train(place, model="gpt2", **options):
    return harness.run("train", **{**dict(
        model=place / model, task="text", data=place / "data.txt", dev_data=place / "data.txt",
        method="lora", steps=1, batch_size=2, dtype="float32", output=place / "out"), **options})


def recipe(place, folder="out"):
    text = (place / folder / "recipe.yaml").read_text()
    return int(re.search(r"^ *max-length: (\d+)$", text, re.MULTILINE)[1])


def test_a_length_beyond_the_positions_is_told_and_the_recipe_has_what_was_done(place):
    done = train(place, max_length=200)
    assert done.returncode == 0 and NOTE in done.stderr.splitlines()
    assert recipe(place) == 64
    again = harness.run("train", place / "out/recipe.yaml", output=place / "again")
    assert again.returncode == 0 and "positions for" not in again.stderr
    assert (harness.log_of(place / "again")[0][0]["loss"]
            == harness.log_of(place / "out")[0][0]["loss"])


def test_a_default_beyond_the_positions_is_in_the_recipe_as_what_was_done(place):
    done = train(place)
    assert done.returncode == 0 and "positions for" not in done.stderr
    assert recipe(place) == 64


def test_positions_without_an_end_cut_nothing(place):
    done = train(place, "llama", max_length=200)
    assert done.returncode == 0 and "positions for" not in done.stderr
    assert recipe(place) == 200


def test_virtual_tokens_take_positions(place):
    done = train(place, method="prompt", virtual_tokens=10, max_length=200)
    assert done.returncode == 0, done.stderr
    assert "positions for 54 tokens: examples are cut to 54" in done.stderr
    assert recipe(place) == 54


def test_a_run_goes_on_from_its_recipe_as_from_its_flags(place):
    assert train(place, max_length=200, steps=4, checkpoint_steps=2).returncode == 0
    for flags in (dict(max_length=200), dict(max_length=64), dict()):
        assert train(place, steps=4, checkpoint_steps=2, resume=True, **flags).returncode == 0
    harness.assert_refused(
        train(place, steps=4, checkpoint_steps=2, resume=True, max_length=32), "--max-length")


def test_evaluation_and_inspection_tell_it_too(place):
    words = dict(model=place / "gpt2", task="text", data=place / "data.txt", max_length=200)
    for done in (harness.run("evaluate", dtype="float32", **words),
                 harness.run("inspect-data", **words)):
        assert done.returncode == 0 and NOTE in done.stderr.splitlines()


@pytest.mark.parametrize("command", ["inspect-data", "train"])
def test_advice_does_not_ask_for_a_length_that_the_model_cannot_have(place, command):
    long = {"instruction": "word " * 300, "output": "yes"}
    (place / "long.jsonl").write_text(json.dumps(long) + "\n")
    words = dict(model=place / "gpt2", task="instruct", data=place / "long.jsonl",
                 chat_template="alpaca", truncation="drop")
    options = dict(method="lora", steps=1, output=place / "out") if command == "train" else {}
    for length in (None, 64, 200):
        done = harness.run(command, max_length=length, **words, **options)
        harness.assert_refused(done, "64", "the model has positions for no more")
    done = harness.run(command, max_length=20, **words, **options)
    harness.assert_refused(done, "a greater --max-length")
