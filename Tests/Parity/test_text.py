"""Training language models on plain text: the loss, its course, and what is written."""

import json
import math

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

import decoders
import harness
from plain_text import base, text, tokenizer


def blocks(ids, length):
    return [ids[i:i + length] for i in range(0, len(ids), length) if len(ids[i:i + length]) > 1]


def loss_of(model, sequences):
    """The mean over all predicted tokens, one sequence at a time."""
    total, count = 0.0, 0
    for ids in sequences:
        batch = torch.tensor([ids])
        with torch.no_grad():
            loss = model(batch, labels=batch).loss.item()
        total += loss * (len(ids) - 1)
        count += len(ids) - 1
    return total / count


@pytest.fixture
def place(tmp_path):
    (tmp_path / "train.txt").write_text(text(400, 1))
    (tmp_path / "other.txt").write_text(text(60, 2))
    return tmp_path


@pytest.mark.parametrize("name", ["llama-grouped", "mistral", "qwen3", "gpt2"])
@pytest.mark.parametrize("options", [
    {}, {"documents": "line"}, {"documents": "line", "packing": True}])
def test_perplexity_is_that_of_transformers(place, name, options):
    model, made = base(place / "model", name)
    source = (place / "other.txt").read_text()
    documents = source.splitlines() if options else [source]
    expected = loss_of(model, [
        block for document in documents for block in blocks(made.encode(document).ids + [2], 48)])
    found = json.loads(harness.succeed(
        "evaluate", "--json", model=place / "model", task="text", data=place / "other.txt",
        dtype="float32", max_length=48, **options))
    assert abs(found["loss"] - expected) < 1e-4
    assert abs(found["value"] / math.exp(expected) - 1) < 1e-4
    assert found["metric"] == "perplexity"


def reference_run(model, batches, steps, rate, warmup=0.06, decay=0.01):
    """The losses of a plain PyTorch loop."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate)
    rising = math.ceil(warmup * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (
        step / rising if step < rising else (steps - step) / max(1, steps - rising)))
    losses = []
    model.train()
    for batch in batches[:steps]:
        batch = torch.tensor(batch)
        loss = model(batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", ["llama-grouped", "gpt2"])
def test_pretraining_takes_the_loss_where_transformers_does(place, name):
    """From the weights that the command starts from, on the batches that it takes."""
    made = tokenizer(place / "tokenizer", beginning=True)
    configuration = decoders.CONFIGURATIONS[name].to_dict()
    configuration.update(initializer_range=0.05, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
    (place / "config.json").write_text(json.dumps(configuration))
    options = dict(
        config=place / "config.json", tokenizer=place / "tokenizer", data=place / "train.txt",
        max_length=16, batch_size=2, dtype="float32", no_shuffle=True, learning_rate=3e-3,
        logging_steps=1, dev_rows="last")
    harness.succeed("pretrain", steps=0, output=place / "start", **options)
    harness.succeed("pretrain", steps=100, output=place / "base", **options)
    ids = made.encode((place / "train.txt").read_text()).ids + [2]
    rows = blocks(ids, 16)
    rows = rows[:len(rows) - max(1, round(0.05 * len(rows)))]
    model = AutoModelForCausalLM.from_pretrained(place / "start", dtype=torch.float32)
    batches = [rows[i:i + 2] for i in range(0, len(rows), 2)]
    expected = reference_run(model, batches, 100, 3e-3)
    found = [record["loss"] for record in harness.log_of(place / "base")[0]]
    assert len(found) == 100
    assert max(abs(a / b - 1) for a, b in zip(found, expected)) < 1e-4
    assert sum(found[-10:]) < 0.8 * sum(found[:10])
    # What was written is what was trained, and opens elsewhere.
    written, report = AutoModelForCausalLM.from_pretrained(
        place / "base", dtype=torch.float32, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    harness.assert_close(
        {name: value for name, value in written.state_dict().items()},
        {name: value for name, value in model.state_dict().items()}, 1e-3)


@pytest.mark.parametrize("name", ["llama-grouped", "gpt2"])
@pytest.mark.parametrize("method, options", [
    ("dual-lora", {"rank": 8}), ("lora", {"rank": 8}), ("full", {})])
def test_every_method_lowers_the_perplexity_of_text_that_it_has_not_seen(
        place, name, method, options):
    base(place / "model", name, initializer_range=0.05)
    before = json.loads(harness.succeed(
        "evaluate", "--json", model=place / "model", task="text", data=place / "other.txt",
        documents="line", dtype="float32"))["value"]
    adapted = dict(targets="all-linear") if method != "full" else {}
    result = harness.train(
        place / "model", place / "train.txt", place / "out", task="text", method=method,
        steps=60, batch_size=8, documents="line", packing=True, max_length=32,
        learning_rate=1e-2, dtype="float32", **options, **adapted)
    assert result["value"] < result["before"]["metrics"]["perplexity"]
    tuned = (dict(model=place / "out") if method == "full"
             else dict(model=place / "model", adapter=place / "out"))
    after = json.loads(harness.succeed(
        "evaluate", "--json", task="text", data=place / "other.txt", documents="line",
        dtype="float32", **tuned))["value"]
    assert after < 0.8 * before


@pytest.mark.parametrize("name", ["llama-grouped", "gpt2"])
def test_peft_opens_an_adapter_of_a_decoder_and_says_the_same(place, name):
    model, _ = base(place / "model", name)
    harness.train(
        place / "model", place / "train.txt", place / "out", task="text", method="lora", rank=4,
        steps=5, max_length=16, learning_rate=1e-2, dtype="float32", targets="all-linear")
    fields = harness.read_json(place / "out" / "adapter_config.json")
    assert fields["task_type"] == "CAUSAL_LM"
    assert fields["fan_in_fan_out"] == (name == "gpt2")
    adapted = PeftModel.from_pretrained(model, place / "out").eval()
    sequences = harness.sequences([9, 4], vocabulary=30)
    expected, hidden, mask = decoders.logits(adapted, sequences, "left")
    found = harness.forward(
        place, place / "model", sequences, adapter=place / "out", padding="left")
    harness.assert_close({"logits": found["logits"][mask]}, {"logits": expected[mask]})
    plain = harness.forward(place, place / "model", sequences, padding="left")
    assert (plain["logits"] - found["logits"])[mask].abs().max() > 1e-3


@pytest.mark.parametrize("name", ["llama-one-key-head", "gpt2", "mistral-no-window"])
@pytest.mark.parametrize("method", ["dual-lora", "lora"])
def test_a_merged_decoder_opens_in_transformers(place, name, method):
    base(place / "model", name)
    harness.train(
        place / "model", place / "train.txt", place / "out", task="text", method=method, rank=4,
        steps=5, max_length=16, learning_rate=1e-2, dtype="float32")
    harness.succeed(
        "merge", model=place / "model", adapter=place / "out", output=place / "merged")
    merged, report = AutoModelForCausalLM.from_pretrained(
        place / "merged", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    before, after = (harness.read_json(place / part / "config.json") for part in ("model", "merged"))
    # A null says something: a Mistral without it would have a window of 4096 tokens.
    assert {key for key in before if before[key] is None} <= {
        key for key in after if after[key] is None}
    sequences = harness.sequences([9, 4], vocabulary=30)
    expected, _, mask = decoders.logits(merged.eval(), sequences, "left")
    found = harness.forward(
        place, place / "model", sequences, adapter=place / "out", padding="left")
    harness.assert_close({"logits": found["logits"][mask]}, {"logits": expected[mask]})


def test_text_that_cannot_be_trained_on_is_refused(place):
    base(place / "model")
    tokenizer(place / "bert")
    harness.save(harness.bert(), place / "bert")

    def refused(*words, model="model", data="train.txt", **options):
        done = harness.run(
            "train", model=place / model, task="text", data=place / data, method="lora",
            output=place / "out", **options)
        harness.assert_refused(done, *words)
        assert not (place / "out").exists()

    (place / "empty.txt").write_text(" \n\t\n")
    refused("empty.txt", "no text", data="empty.txt")
    (place / "latin.txt").write_bytes("fine\nna\u00efve\n".encode("latin-1"))
    refused("latin.txt:2", "UTF-8", data="latin.txt")
    refused("none.txt", "no such file", data="none.txt")
    (place / "folder").mkdir()
    refused("train.txt", data="folder")
    (place / "short.txt").write_text("dog cat\n")
    refused("--dev-data", data="short.txt")
    refused("decoder", model="bert")
    refused("--dev-share", dev_share=1.5)
    done = harness.run(
        "train", model=place / "model", task="cola", data=place, method="lora",
        output=place / "out", packing=True)
    harness.assert_refused(done, "--packing", "cola")
