"""The task e2e: its examples, its loss, its decoding, and a run from files to five scores."""

import json
import random

import pytest
import torch
import torch.nn.functional as functional
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LogitsProcessor, LogitsProcessorList

import decoders
import harness

NAMES = ["Anna", "Bento", "Copper", "Delta", "Ember", "Fig", "Grove", "Hazel"]
FOODS = ["Thai", "Greek", "French"]
AREAS = ["riverside", "centre"]
SIGNS = "| : . , ' - £".split()
WORDS = ("name Type food area price There is a an called serving in the serves and lies by "
         "restaurant pub family friendly 20 25 s it").split()
SPECIALS = ["<unk>", "</s>"]
END = 1


def tokenizer(folder):
    """A tokenizer of whole words, WordPiece with no pieces, which puts nothing before a text."""
    vocabulary = {token: place for place, token in enumerate(
        [*SPECIALS, *NAMES, *FOODS, *AREAS, *SIGNS, *WORDS])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(SPECIALS)
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"}))
    return made


def make(folder, positions=128):
    model = decoders.make(
        "gpt2", folder, vocab_size=64, n_positions=positions, resid_pdrop=0.0, embd_pdrop=0.0,
        attn_pdrop=0.0, bos_token_id=END, eos_token_id=END)
    return model, tokenizer(folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The folder of a small model, the model and its tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    return folder, *make(folder)


def rows(count, seed):
    """Meanings and texts: (meaning, how it is read, text, how it is spaced)."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        name, food, area = dice.choice(NAMES), dice.choice(FOODS), dice.choice(AREAS)
        meaning = f"name[{name}], eatType[pub], food[{food}], priceRange[£20-25], area[{area}]"
        read = f"name : {name} | Type : pub | food : {food} | price : £ 20 - 25 | area : {area}"
        texts = [(f"{name} serves {food} food in the {area}.",
                  f"{name} serves {food} food in the {area} ."),
                 (f"It's a family-friendly {food} pub, {name}.",
                  f"It 's a family - friendly {food} pub , {name} .")]
        made += [(meaning, read, *texts[dice.randrange(2)])]
    return made


def write(path, made):
    path.write_text("mr,ref\n" + "".join(f'"{row[0]}","{row[2]}"\n' for row in made),
                    encoding="utf-8")


def examples(made, tokens, text=3):
    """Ids, and where the completion begins."""
    for row in made:
        prompt = tokens.encode(row[1]).ids + [END]
        yield prompt + tokens.encode(" " + row[text]).ids + [END], len(prompt)


def loss_of(model, sequences, smoothing=0.0):
    losses = []
    for ids, start in sequences:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, start - 1:-1]
        losses.append(functional.cross_entropy(
            logits, torch.tensor(ids[start:]), reduction="none", label_smoothing=smoothing))
    return torch.cat(losses).mean().item()


@pytest.mark.parametrize("form", ["spaced", "plain"])
def test_the_loss_is_that_of_the_text_and_its_end(form, base, tmp_path):
    folder, model, tokens = base
    made = rows(20, 1)
    write(tmp_path / "dev.csv", made)
    found = json.loads(harness.succeed(
        "evaluate", model=folder, task="e2e", data=tmp_path / "dev.csv",
        dtype="float32", e2e_text=form, e2e_beams=2, limit=1, json=True))
    expected = loss_of(model, examples(made, tokens, 3 if form == "spaced" else 2))
    assert found["loss"] == pytest.approx(expected, abs=1e-4)
    assert found["metric"] == "bleu"
    assert set(found["metrics"]) == {"bleu", "nist", "meteor", "rouge_l", "cider"}


@pytest.mark.parametrize("smoothing", [0.1, 0.3])
def test_training_smooths_the_labels(smoothing, base, tmp_path):
    folder, model, tokens = base
    (tmp_path / "data").mkdir()
    made = rows(4, 2)
    write(tmp_path / "data/trainset.csv", made)
    write(tmp_path / "data/devset.csv", rows(1, 3))
    harness.succeed(
        "train", model=folder, task="e2e", data=tmp_path / "data", method="lora",
        output=tmp_path / "out", steps=1, batch_size=4, dtype="float32", logging_steps=1,
        e2e_beams=1, limit=1, label_smoothing=None if smoothing == 0.1 else smoothing)
    expected = loss_of(model, examples(made, tokens), smoothing)
    assert harness.log_of(tmp_path / "out")[0][0]["loss"] == pytest.approx(expected, abs=1e-4)


class NoRepeat(LogitsProcessor):
    """No sequence of four tokens twice, the prompt not counted."""

    def __init__(self, start):
        self.start = start

    def __call__(self, ids, scores):
        scores = scores.clone()
        for row, text in enumerate(ids[:, self.start:].tolist()):
            for place in range(len(text) - 3):
                if text[place:place + 3] == text[len(text) - 3:]:
                    scores[row, text[place + 3]] = -float("inf")
        return scores


def test_texts_are_those_of_transformers_beam_search(base, tmp_path):
    folder, model, tokens = base
    made = rows(6, 4)
    write(tmp_path / "dev.csv", made)
    harness.succeed(
        "evaluate", model=folder, task="e2e", data=tmp_path / "dev.csv",
        dtype="float32", predictions=tmp_path / "texts.txt")
    prompts = list(dict.fromkeys(row[1] for row in made))
    expected = []
    for prompt in prompts:
        ids = torch.tensor([tokens.encode(prompt).ids + [END]])
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), num_beams=10, length_penalty=0.8,
            max_new_tokens=64, early_stopping="never", do_sample=False, eos_token_id=END,
            pad_token_id=END,
            logits_processor=LogitsProcessorList([NoRepeat(ids.shape[1])]))
        expected.append(tokens.decode(out[0, ids.shape[1]:].tolist()).strip())
    assert (tmp_path / "texts.txt").read_text().splitlines() == expected


def test_a_run_learns_and_prints_all_five_scores(base, tmp_path):
    folder = base[0]
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/devset.csv", rows(240, 5))
    done = harness.run(
        "train", model=folder, task="e2e", data=tmp_path / "data", method="full",
        output=tmp_path / "out", steps=120, learning_rate=3e-3, dtype="float32", e2e_beams=2,
        limit=4, predictions=tmp_path / "train.txt")
    assert done.returncode == 0, done.stderr
    assert "note: there is no trainset.csv" in done.stderr
    result = harness.read_json(tmp_path / "out/result.json")
    before = json.loads(harness.succeed(
        "evaluate", "--json", model=folder, task="e2e", data=tmp_path / "data",
        dtype="float32", e2e_beams=2, limit=4))
    assert before["metrics"]["bleu"] < 0.1 < 0.4 < result["metrics"]["bleu"]
    assert set(result["metrics"]) == {"bleu", "nist", "meteor", "rouge_l", "cider"}
    assert len((tmp_path / "train.txt").read_text().splitlines()) == 4
    # What evaluate says of a file, score says of the texts that it wrote.
    data = tmp_path / "data/devset.csv"
    said = json.loads(harness.succeed(
        "evaluate", model=tmp_path / "out", task="e2e", data=data, dtype="float32", e2e_beams=2,
        predictions=tmp_path / "all.txt", json=True))
    scored = json.loads(harness.succeed(
        "score", hypotheses=tmp_path / "all.txt", e2e=data, e2e_text="spaced", json=True))
    for metric, value in said["metrics"].items():
        assert scored[metric] == pytest.approx(value, abs=1e-12), metric


def test_a_resumed_run_ends_as_one_that_was_not(base, tmp_path):
    """With dropout, smoothed labels, a warm-up, and the best of the scores on the way."""
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/devset.csv", rows(60, 7))
    options = dict(task="e2e", method="lora", dropout=0.2, steps=12, warmup_steps=3, learning_rate=2e-2,
                   evaluation_steps=2, keep_best=True, patience=4, label_smoothing=0.2,
                   checkpoint_steps=5, e2e_beams=1, limit=1, logging_steps=1)
    whole = harness.train(base[0], tmp_path / "data", tmp_path / "whole", **options)
    stopped = tmp_path / "stopped"
    (stopped / "checkpoints").mkdir(parents=True)
    (tmp_path / "whole/checkpoints/step-00000005").rename(stopped / "checkpoints/step-00000005")
    resumed = harness.train(base[0], tmp_path / "data", stopped, resume=True, **options)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (stopped / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert resumed["metrics"] == whole["metrics"] and resumed["best_step"] == whole["best_step"]


def test_examples_that_are_cut_are_told(base, tmp_path):
    (tmp_path / "data").mkdir()
    made = rows(20, 8)
    write(tmp_path / "data/trainset.csv", made)
    write(tmp_path / "data/devset.csv", rows(1, 3))
    lengths = sorted(len(ids) for ids, _ in examples(made, base[2]))
    starts = [start for _, start in examples(made, base[2])]
    limit = lengths[0]
    cut, empty = sum(length > limit for length in lengths), sum(start >= limit for start in starts)
    assert cut > 0 == empty
    options = dict(model=base[0], task="e2e", data=tmp_path / "data")
    done = harness.run("inspect-data", **options, max_length=limit)
    assert f"note: {cut} of 20 examples are cut to --max-length, {limit} tokens\n" in done.stderr
    harness.assert_refused(
        harness.run("train", **options, max_length=min(starts), method="lora", output=tmp_path / "out"),
        "none of 20 examples has a token to learn", "--max-length")
    assert not (tmp_path / "out").exists()


def test_prompts_that_leave_no_room_are_refused_before_the_run(tmp_path):
    """Their texts would be written at its end."""
    make(tmp_path / "base", positions=72)
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/trainset.csv", rows(4, 2))
    write(tmp_path / "data/devset.csv", rows(1, 3))
    options = dict(model=tmp_path / "base", task="e2e", data=tmp_path / "data")
    for done in (harness.run("train", **options, method="lora", output=tmp_path / "out"),
                 harness.run("evaluate", **options)):
        harness.assert_refused(done, "and 64 behind it are more than the model's 72 positions")
    assert not (tmp_path / "out").exists()


REFUSALS = {
    "limit": (dict(limit=0), ["--limit", "0 is not 1 or greater"]),
    "smoothing": (dict(label_smoothing=1), ["--label-smoothing", "one of train"]),
    "beams": (dict(e2e_beams=0), ["--beams", "0"]),
    "predictions": (dict(predictions="nowhere/texts.txt"), ["--predictions", "no folder"]),
    "task": (dict(task="text", e2e_beams=2), ["--e2e-beams", "is of e2e"]),
    "length": (dict(max_length=0), ["--max-length", "0 is not from 4"]),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_options_that_do_not_fit_are_refused_in_a_line(case, base, tmp_path):
    options, words = REFUSALS[case]
    write(tmp_path / "dev.csv", rows(4, 1))
    options = {"task": "e2e", "data": tmp_path / "dev.csv", "model": base[0], **options}
    harness.assert_refused(harness.run("evaluate", **options), *words)
