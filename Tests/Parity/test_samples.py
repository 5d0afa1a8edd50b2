"""What a score shows besides its numbers: --limit, --predictions and --samples, of every kind of task."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import glue_files
import harness
import plain_text

SENTENCES = plain_text.text(30, seed=1).splitlines()


def halves(line):
    words = line.split()
    return " ".join(words[:2]) + " ", " ".join(words[2:])


def evaluate(**options):
    return json.loads(harness.succeed("evaluate", dtype="float32", json=True, **options))


def lines(path):
    return path.read_text().splitlines()


@pytest.fixture(scope="module")
def base(folder_of):
    """A decoder with words of its own, and data in the forms of the tasks text and instruct."""

    def make(folder):
        model, _ = plain_text.base(folder / "model")
        (folder / "text.txt").write_text("".join(line + "\n" for line in SENTENCES))
        rows = [dict(zip(("prompt", "completion"), halves(line))) for line in SENTENCES]
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    return folder_of("base", make)


def continued(base, ids, count):
    """What transformers' greedy search writes behind token ids."""
    model = AutoModelForCausalLM.from_pretrained(base / "model", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(base / "model")
    made = model.eval().generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        do_sample=False, max_new_tokens=count, pad_token_id=0)[0]
    return tokenizer.decode(made[len(ids):], skip_special_tokens=True)


def test_a_models_continuations_of_text_are_those_of_transformers(base, tmp_path):
    """Of the first half of each sequence that scores, up to an end token or 256 tokens or the model's
    last position; side by side in batches."""
    file = tmp_path / "made.jsonl"
    options = dict(model=base / "model", data=base / "text.txt", task="text", documents="line")
    evaluate(**options, limit=9, predictions=file)
    made = [json.loads(line) for line in lines(file)]
    assert len(made) == 9
    tokenizer, words = AutoTokenizer.from_pretrained(base / "model"), 0
    for line, row in zip(SENTENCES, made):
        ids = tokenizer(line)["input_ids"] + [tokenizer.eos_token_id]
        half = len(ids) // 2
        assert row["prompt"] == tokenizer.decode(ids[:half])
        assert row["gold"] == tokenizer.decode(ids[half:], skip_special_tokens=True)
        theirs = continued(base, ids[:half], 40).split()
        assert row["text"].split()[:len(theirs)] == theirs
        words += len(theirs)
    assert words > 30


def test_answers_are_written_behind_their_prompts(base, tmp_path):
    file = tmp_path / "made.jsonl"
    evaluate(model=base / "model", data=base / "rows.jsonl", task="instruct", predictions=file,
             limit=4)
    for line, row in zip(SENTENCES, map(json.loads, lines(file))):
        assert (row["prompt"].split(), row["gold"].split()) == tuple(
            half.split() for half in halves(line))
    assert len(lines(file)) == 4


@pytest.mark.parametrize("task, data", [("text", "text.txt"), ("instruct", "rows.jsonl")])
def test_a_limit_scores_the_first_examples(base, tmp_path, task, data):
    few = tmp_path / ("few" + (base / data).suffix)
    few.write_text("".join(line + "\n" for line in lines(base / data)[:7]))
    options = dict(model=base / "model", task=task,
                   documents="line" if task == "text" else None)
    found = evaluate(data=base / data, limit=7, **options)
    assert found["examples"] == 7 and found == evaluate(data=few, **options)
    # As many as there are may score.
    assert evaluate(data=few, limit=100, **options) == found


@pytest.mark.parametrize("task", glue_files.LABELS)
def test_a_classifiers_predictions_are_those_that_the_scores_count(classifier, task_data, tmp_path, task):
    file = tmp_path / "made.jsonl"
    found = evaluate(model=classifier(task), data=task_data(task), task=task, predictions=file,
                     limit=11)
    made = [json.loads(line) for line in lines(file)]
    rows = glue_files.read_examples(task_data(task), task, "dev")[:11]
    assert found["examples"] == len(made) == 11
    if "accuracy" in found["metrics"]:
        right = sum(row["prediction"] == row["gold"] for row in made)
        assert found["metrics"]["accuracy"] == pytest.approx(right / 11)
    assert [row["gold"] for row in made] == [label for _, label in rows]


def test_samples_are_shown(base, tmp_path):
    options = dict(model=base / "model", data=base / "text.txt", task="text", documents="line")
    text = harness.succeed("evaluate", samples=2, limit=6, **options)
    shown = [line for line in text.splitlines() if line.startswith("sample ")]
    assert [line[:10] for line in shown] == ["sample 1: ", "sample 2: "]
    assert {"prompt", "text", "gold"} == json.loads(shown[0][10:]).keys()
    found = evaluate(samples=2, limit=6, **options)
    assert [json.loads(row)["prompt"] for row in found["samples"]] == [
        json.loads(line[10:])["prompt"] for line in shown]
    assert "samples" not in evaluate(limit=6, **options)


def test_a_run_writes_and_shows_what_it_has_learnt(base, tmp_path):
    """At its end alone: the scores before that are of the loss."""
    file, output = tmp_path / "made.jsonl", tmp_path / "out"
    text = harness.succeed(
        "train", model=base / "model", data=base / "text.txt", task="text", documents="line",
        method="lora", steps=2, batch_size=4, dev_share=0.2, output=output, samples=1,
        predictions=file, limit=3, dtype="float32")
    assert text.count("sample 1: ") == 1 and "sample 2" not in text and len(lines(file)) == 3
    assert harness.read_json(output / "result.json")["value"] > 0


@pytest.mark.parametrize("options, words", [
    (dict(task="rte", samples=1), ["--samples", "rte writes no texts"]),
    (dict(task="text", samples=-1), ["--samples", "-1 is negative"]),
    (dict(task="text", limit=0), ["--limit", "0 is not 1 or greater"]),
    (dict(task="rte", limit=-3), ["--limit", "-3 is not 1 or greater"]),
    (dict(task="text", predictions="nowhere/a.txt"), ["--predictions", "no folder"]),
])
def test_what_cannot_be_scored_so_is_refused(base, options, words):
    done = harness.run("evaluate", model=base / "model", data=base / "text.txt", **options)
    harness.assert_refused(done, *words)
