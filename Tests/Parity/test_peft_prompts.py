"""Prefix-tuning, prompt tuning and P-tuning against peft: logits, training, generated tokens."""

import copy
import json
import math

import pytest
import torch
from peft import (
    PeftModel, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model)
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

import decoders
import harness
import plain_text

V = 5

METHODS = {
    "prefix": lambda **more: PrefixTuningConfig(num_virtual_tokens=V, **more),
    "prefix, projected": lambda **more: PrefixTuningConfig(
        num_virtual_tokens=V, prefix_projection=True, encoder_hidden_size=12, **more),
    "one token": lambda **more: PrefixTuningConfig(num_virtual_tokens=1, **more),
    "prompt": lambda **more: PromptTuningConfig(num_virtual_tokens=V, **more),
    "p-tuning, MLP": lambda **more: PromptEncoderConfig(
        num_virtual_tokens=V, encoder_hidden_size=12, **more),
    "p-tuning, LSTM": lambda **more: PromptEncoderConfig(
        num_virtual_tokens=V, encoder_reparameterization_type="LSTM", encoder_hidden_size=12,
        **more),
}

DECODERS = ["llama", "llama-grouped", "llama-dynamic", "mistral", "qwen2-window", "qwen3", "gpt2"]

ROWS = harness.sequences([6, 11, 1, 9], decoders.VOCABULARY, seed=3)


def randomize(model, seed=4):
    """Whatever trains gets numbers that matter; those of an encoder make large vectors."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))


def saved(base, config, folder):
    """peft's model, its adapter in a folder."""
    model = get_peft_model(base, config).eval()
    randomize(model)
    model.save_pretrained(folder)
    return model


def decoder(tmp_path, name, method, **more):
    base = decoders.make(name, tmp_path / "base")
    return saved(base, METHODS[method](task_type="CAUSAL_LM", **more), tmp_path / "adapter")


def classifier(tmp_path, method, **more):
    harness.save(harness.bert(), tmp_path / "base", tokenizer=False)
    base = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "base", dtype=torch.float32)
    return saved(base, METHODS[method](task_type="SEQ_CLS", **more), tmp_path / "adapter")


def own_logits(model, rows, side="right"):
    """peft's logits of a padded batch at the rows' own tokens, and the mask that tells them."""
    ids, mask, positions = decoders.padded(rows, side)
    places = {"position_ids": positions} if side == "left" else {}
    with torch.no_grad():
        logits = model(ids, attention_mask=mask, **places).logits.float()
    return logits[:, logits.shape[1] - ids.shape[1]:], mask.bool()


def assert_logits(tmp_path, expected, mask, rows=ROWS, side="right", base="base"):
    found = harness.forward(tmp_path, tmp_path / base, rows, adapter=tmp_path / "adapter",
                            padding=side)["logits"]
    assert found.shape == expected.shape
    assert (found - expected)[mask].abs().max() < 1e-4 * max(1, expected.abs().max())


# --- adapters of peft -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_gives_the_logits_of_peft(tmp_path, name, method):
    model = decoder(tmp_path, name, method)
    expected, mask = own_logits(model, ROWS)
    assert_logits(tmp_path, expected, mask)
    with model.disable_adapter():
        plain, _ = own_logits(model, ROWS)
    assert harness.relative_error(plain[mask], expected[mask]) > 1e-2, "the adapter does nothing"


@pytest.mark.parametrize("method", ["prefix", "prefix, projected"])
@pytest.mark.parametrize("name", ["llama-grouped", "qwen3", "gpt2"])
def test_a_prefix_before_padding_is_that_of_peft(tmp_path, name, method):
    expected, mask = own_logits(decoder(tmp_path, name, method), ROWS, "left")
    assert_logits(tmp_path, expected, mask, side="left")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["llama-grouped", "mistral", "gpt2"])
def test_padding_on_the_left_changes_nothing(tmp_path, name, method):
    """Of prompts, and behind windows, peft's numbers depend on the padding: each row alone does not."""
    model = decoder(tmp_path, name, method)
    found = harness.forward(tmp_path, tmp_path / "base", ROWS, adapter=tmp_path / "adapter",
                            padding="left")["logits"]
    for row, ids in enumerate(ROWS):
        expected, _ = own_logits(model, [ids])
        difference = (found[row, -len(ids):] - expected[0]).abs().max()
        assert difference < 1e-4 * max(1, expected.abs().max())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("types", [None, 1])
def test_an_encoder_gives_the_logits_of_peft(tmp_path, method, types):
    model = classifier(tmp_path, method)
    rows = harness.sequences([6, 11, 1, 9], seed=3)
    kinds = types and [[i % 2 for i in range(len(row))] for row in rows]
    found = harness.at_tokens(harness.forward(
        tmp_path, tmp_path / "base", rows, kinds, adapter=tmp_path / "adapter"), rows)
    expected = harness.reference(model, rows, kinds)
    harness.assert_close(found, expected)
    plain = harness.reference(model.get_base_model(), rows, kinds)
    assert harness.relative_error(plain["logits"], expected["logits"]) > 1e-2


@pytest.mark.parametrize("method", ["prefix", "prompt"])
def test_a_saved_module_comes_with_it(tmp_path, method):
    model = decoder(tmp_path, "gpt2-untied", method, modules_to_save=["lm_head"])
    names = load_file(tmp_path / "adapter" / "adapter_model.safetensors").keys()
    assert "base_model.lm_head.weight" in names
    assert_logits(tmp_path, *own_logits(model, ROWS))


FITTING = {
    "token_dim": dict(token_dim=64), "num_layers": dict(num_layers=2),
    "num_attention_heads": dict(num_attention_heads=8),
    "num_transformer_submodules": dict(num_transformer_submodules=2),
    "num_virtual_tokens": dict(num_virtual_tokens=0),
    "prompt_embeddings": dict(num_virtual_tokens=V + 1),
}


@pytest.mark.parametrize("method", ["prefix", "prompt", "p-tuning, MLP"])
@pytest.mark.parametrize("field", FITTING)
def test_a_configuration_that_does_not_fit_is_refused_by_its_field(tmp_path, field, method):
    decoder(tmp_path, "llama-grouped", method)
    harness.edit_json(tmp_path / "adapter" / "adapter_config.json", **FITTING[field])
    done = harness.run("forward", model=tmp_path / "base", adapter=tmp_path / "adapter",
                       ids="1 2 3", output=tmp_path / "out.safetensors")
    harness.assert_refused(done, field)


def test_virtual_tokens_count_among_the_positions(tmp_path):
    decoder(tmp_path, "gpt2", "prefix")
    room = decoders.GPT2_SIZES["n_positions"] - V
    words = dict(model=tmp_path / "base", adapter=tmp_path / "adapter")
    ids = " ".join(["7"] * room)
    harness.succeed("forward", **words, ids=ids, output=tmp_path / "out.safetensors")
    done = harness.run("forward", **words, ids=ids + " 7", output=tmp_path / "out.safetensors")
    harness.assert_refused(done, str(room + 1), str(room))
    done = harness.run("generate", **words, ids=ids, max_tokens=2)
    harness.assert_refused(done, "max-tokens")


def test_virtual_tokens_that_leave_no_position_are_refused(tmp_path):
    base = decoders.make("gpt2", tmp_path / "base")
    plain_text.tokenizer(tmp_path / "base")
    (tmp_path / "dev.txt").write_text(plain_text.text(20, 1))
    saved(base, PromptTuningConfig(
        num_virtual_tokens=decoders.GPT2_SIZES["n_positions"], task_type="CAUSAL_LM"),
        tmp_path / "adapter")
    words = dict(model=tmp_path / "base", adapter=tmp_path / "adapter")
    for done in (harness.run("evaluate", **words, task="text", data=tmp_path / "dev.txt"),
                 harness.run("generate", **words, ids="1 2 3", max_tokens=1),
                 harness.run("merge", **words, output=tmp_path / "merged")):
        harness.assert_refused(done, "num_virtual_tokens")


@pytest.mark.parametrize("method", ["prefix", "prompt", "p-tuning, LSTM"])
def test_an_adapter_without_a_weight_is_not_merged(tmp_path, method):
    decoder(tmp_path, "llama", method)
    done = harness.run("merge", model=tmp_path / "base", adapter=tmp_path / "adapter",
                       output=tmp_path / "merged")
    harness.assert_refused(done, "cannot be merged")


# --- generated tokens -----------------------------------------------------------------------------


def continuations(model, rows, count, **more):
    ids, mask = harness.padded(rows, 2, "left")
    with torch.no_grad():
        made = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=count,
                              do_sample=False, pad_token_id=2, eos_token_id=None, **more)
    return made[:, ids.shape[1]:].tolist()


def command(tmp_path, rows, **options):
    words = [word for ids in rows for word in ("--ids", " ".join(map(str, ids)))]
    printed = harness.succeed(
        "generate", *words, model=tmp_path / "base", adapter=tmp_path / "adapter", json=True,
        dtype="float32", ignore_stop_tokens=True, **options)
    return [json.loads(line)["ids"] for line in printed.splitlines()]


@pytest.mark.parametrize("name", ["llama", "llama-grouped", "qwen3", "gpt2"])
def test_a_batch_is_continued_as_by_peft_behind_a_prefix(tmp_path, name):
    model = decoder(tmp_path, name, "prefix")
    assert command(tmp_path, ROWS, max_tokens=20) == continuations(model, ROWS, 20)


@pytest.mark.parametrize("method", ["prefix", "one token", "prompt", "p-tuning, MLP"])
@pytest.mark.parametrize("name", DECODERS)
def test_each_row_is_continued_as_by_peft_alone(tmp_path, name, method):
    model = decoder(tmp_path, name, method)
    # Dynamic rotary positions depend on the longest row, and in transformers on earlier calls.
    batch = 1 if "dynamic" in name else len(ROWS)
    assert command(tmp_path, ROWS, max_tokens=20, batch_size=batch) == [
        continuations(copy.deepcopy(model), [ids], 20)[0] for ids in ROWS]


@pytest.mark.parametrize("method", ["prefix", "prompt"])
@pytest.mark.parametrize("name", ["llama-grouped", "mistral", "gpt2"])
def test_beams_are_those_of_peft(tmp_path, name, method):
    model = decoder(tmp_path, name, method)
    assert command(tmp_path, ROWS, max_tokens=12, beams=4) == [
        continuations(model, [ids], 12, num_beams=4)[0] for ids in ROWS]


# --- adapters that are trained here ---------------------------------------------------------------

TRAINED = {
    "prefix": dict(method="prefix"),
    "prefix, projected": dict(
        method="prefix", prefix_projection="true", encoder_hidden_size=12),
    "prefix from zero": dict(method="prefix", init="zero"),
    "prompt": dict(method="prompt"),
    "prompt of words": dict(method="prompt", init="sample_vocab"),
    "prompt of a text": dict(method="prompt", init_text="red dog sees the old house ."),
    "p-tuning": dict(method="p-tuning"),
    "p-tuning, LSTM": dict(
        method="p-tuning", encoder_reparameterization_type="LSTM", encoder_hidden_size=12,
        encoder_dropout=0.1),
}

FIELDS = ["num_virtual_tokens", "token_dim", "num_layers", "num_attention_heads",
          "num_transformer_submodules", "encoder_hidden_size", "prefix_projection",
          "encoder_reparameterization_type", "encoder_num_layers"]


def assert_fields(adapter, model):
    """The configuration says what peft's own would."""
    config = model.peft_config["default"]
    fields = harness.read_json(adapter / "adapter_config.json")
    fresh = type(config)(
        task_type=config.task_type, num_virtual_tokens=config.num_virtual_tokens,
        **{name: fields[name] for name in ("prefix_projection", "encoder_reparameterization_type")
           if name in fields})
    made = get_peft_model(model.get_base_model(), fresh).peft_config["default"]
    for name in FIELDS:
        if hasattr(made, name) and name != "encoder_hidden_size":
            assert fields[name] == getattr(made, name), name


@pytest.mark.parametrize("method", TRAINED)
@pytest.mark.parametrize("name", ["llama-grouped", "gpt2"])
def test_a_trained_adapter_of_a_decoder_loads_in_peft(tmp_path, name, method):
    (tmp_path / "train.txt").write_text(plain_text.text(200, 1))
    plain_text.base(tmp_path / "base", name)
    harness.train(
        tmp_path / "base", tmp_path / "train.txt", tmp_path / "adapter", task="text", steps=6,
        batch_size=4, documents="line", max_length=24, dtype="float32", virtual_tokens=V,
        packing="packed" not in method, **TRAINED[method])
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32).eval()
    model = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    rows = harness.sequences([6, 11, 1, 9], len(harness.WORDS), seed=3)
    assert_logits(tmp_path, *own_logits(model, rows), rows=rows)
    assert_fields(tmp_path / "adapter", model)


@pytest.mark.parametrize("method", TRAINED)
def test_a_trained_adapter_of_an_encoder_loads_in_peft(tmp_path, classifier_of, method):
    base, data = classifier_of
    harness.train(base, data, tmp_path / "adapter", task="rte", virtual_tokens=V,
                  **harness.BRIEF, **TRAINED[method])
    made = AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=2, dtype=torch.float32).eval()
    model = PeftModel.from_pretrained(made, tmp_path / "adapter").eval()
    rows = harness.sequences([6, 11, 1, 9], seed=3)
    found = harness.outputs_here(tmp_path, base, rows, adapter=tmp_path / "adapter")
    harness.assert_close(found, harness.reference(model, rows))


@pytest.fixture
def classifier_of(classifier, task_data):
    return classifier("rte"), task_data("rte")


def losses_of_peft(model, sequences, steps, rate):
    """A plain PyTorch loop over padded batches of four."""
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=0.01)
    rising = math.ceil(0.06 * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (
        step / rising if step < rising else (steps - step) / max(1, steps - rising)))
    losses = []
    model.eval()  # without dropout
    for step in range(steps):
        rows = sequences[4 * step:4 * step + 4]
        ids, mask, _ = decoders.padded(rows, "right")
        labels = ids.masked_fill(mask == 0, -100)
        labels[:, 0] = -100  # peft's prompts would predict it, which here nothing does
        loss = model(ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


STARTS = {
    "prefix": (dict(method="prefix", init="zero"),
               lambda folder: PrefixTuningConfig(num_virtual_tokens=V, init_weights="zero",
                                                 task_type="CAUSAL_LM")),
    "prompt": (dict(method="prompt", init_text="red dog sees"),
               lambda folder: PromptTuningConfig(
                   num_virtual_tokens=V, prompt_tuning_init="TEXT",
                   prompt_tuning_init_text="red dog sees", tokenizer_name_or_path=str(folder),
                   task_type="CAUSAL_LM")),
}


@pytest.mark.parametrize("packing", [None, True])
@pytest.mark.parametrize("checkpointing", [None, True])
@pytest.mark.parametrize("method", STARTS)
@pytest.mark.parametrize("name", ["llama-grouped", "mistral", "gpt2"])
def test_training_takes_the_course_of_peft(tmp_path, name, method, checkpointing, packing):
    """From a start without chance the losses and what is learnt are peft's, however rows are laid."""
    (tmp_path / "train.txt").write_text(plain_text.text(60, 1))
    _, tokenizer = plain_text.base(
        tmp_path / "base", name, **({} if name != "gpt2" else dict(
            attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)))
    options, config = STARTS[method]
    steps = 5
    # Packed batches hold as many tokens as fit: sequences of one length make both alike.
    lines = (tmp_path / "train.txt").read_text().splitlines()
    rows = [tokenizer.encode(line).ids + [2] for line in lines]
    rows = [row[:6] for row in rows if len(row) >= 6]
    (tmp_path / "train.txt").write_text("\n".join(
        " ".join(tokenizer.id_to_token(token) for token in row[:5]) for row in rows) + "\n")
    rows = [row[:5] + [2] for row in rows]
    harness.train(
        tmp_path / "base", tmp_path / "train.txt", tmp_path / "adapter", task="text",
        steps=steps, batch_size=4, documents="line", max_length=6, dtype="float32",
        learning_rate=1e-2, virtual_tokens=V, no_shuffle=True, logging_steps=1,
        activation_checkpointing=checkpointing, packing=packing, dev_rows="last", **options)
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    model = get_peft_model(base, config(tmp_path / "base"))
    expected = losses_of_peft(model, rows, steps, 1e-2)
    found = [record["loss"] for record in harness.log_of(tmp_path / "adapter")[0]]
    assert found == pytest.approx(expected, abs=1e-4)
    learnt = load_file(tmp_path / "adapter" / "adapter_model.safetensors")["prompt_embeddings"]
    table = model.get_prompt_embedding_to_save("default")
    assert (learnt - table).abs().max() < 1e-4


REFUSED = {
    "targets": (dict(method="prefix", targets="q_proj"), "targets"),
    "a projection's size without one": (
        dict(method="prefix", encoder_hidden_size=4), "encoder-hidden-size"),
    "no virtual tokens": (dict(method="prompt", virtual_tokens=0), "virtual-tokens"),
    "more than positions": (dict(method="prompt", virtual_tokens=61), "virtual-tokens"),
    "text without one": (dict(method="prompt", init="text"), "init-text"),
    "a text that is not wanted": (
        dict(method="prompt", init="random", init_text="red"), "init-text"),
    "dropout without an LSTM": (dict(method="p-tuning", encoder_dropout=0.1), "encoder-dropout"),
    "an encoder that is none": (
        dict(method="p-tuning", encoder_reparameterization_type="GRU"), "GRU"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_option_that_cannot_be_is_refused(tmp_path, name):
    (tmp_path / "train.txt").write_text(plain_text.text(60, 1))
    plain_text.base(tmp_path / "base", "gpt2")
    options, word = REFUSED[name]
    done = harness.run("train", model=tmp_path / "base", data=tmp_path / "train.txt",
                       output=tmp_path / "adapter", task="text", steps=1, **options)
    harness.assert_refused(done, word)
    assert not (tmp_path / "adapter").exists()


@pytest.mark.parametrize("method", ["prefix, projected", "p-tuning, LSTM"])
def test_a_run_that_is_resumed_ends_as_one_that_was_not(tmp_path, classifier_of, method):
    """A checkpoint keeps the encoder, which the adapter does not."""
    base, data = classifier_of
    options = {**harness.BRIEF, **TRAINED[method], "virtual_tokens": V, "task": "rte"}
    whole = harness.train(base, data, tmp_path / "whole", **{**options, "checkpoint_steps": 3})
    folders = sorted((tmp_path / "whole" / "checkpoints").iterdir())
    assert len(folders) > 1
    stopped = tmp_path / "stopped"
    (stopped / "checkpoints").mkdir(parents=True)
    folders[0].rename(stopped / "checkpoints" / folders[0].name)
    resumed = harness.train(base, data, stopped, resume=True, **{**options, "checkpoint_steps": 3})
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (stopped / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert resumed["metrics"] == whole["metrics"]
