"""Tokenizers that come with adapters, and tokens that are added to them."""

import json
import shutil

import pytest
import torch
from peft import AutoPeftModelForCausalLM, LoraConfig, get_peft_model
from safetensors.torch import load_file
from tokenizers import AddedToken
from transformers import AutoModelForCausalLM, AutoTokenizer

import harness
import plain_text
from test_resume import assert_same_end

BASES = {"untied": "llama-grouped", "tied": "llama-one-key-head", "gpt2": "gpt2-untied",
         "gpt2, tied": "gpt2"}
LAYER = {"untied": "q_proj", "tied": "q_proj", "gpt2": "c_attn", "gpt2, tied": "c_attn"}
WORDS = {"untied": "embed_tokens", "tied": "embed_tokens", "gpt2": "wte", "gpt2, tied": "wte"}
NEW = ["<tool>", "<think>"]


@pytest.fixture(scope="module")
def base_of(folder_of):
    """A base whose matrices have as many rows as its tokenizer has tokens."""
    def make(name):
        def fill(folder):
            size = len(plain_text.SPECIALS) + len(harness.WORDS) + 1
            plain_text.base(folder, BASES[name], vocab_size=size)
        return folder_of(("vocabulary", name), fill)
    return make


@pytest.fixture(scope="module")
def data(folder_of):
    def fill(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lines = plain_text.text(60, 1).splitlines()
        (folder / "text.txt").write_text("\n".join(
            f"<tool>{line}<think>" if number % 2 else line for number, line in enumerate(lines)))
    return folder_of(("vocabulary", "data"), fill) / "text.txt"


def rows(tokenizer):
    """Sequences with every new token in them."""
    ids = [tokenizer.convert_tokens_to_ids(token) for token in NEW]
    return [[5, ids[0], 7, 8, ids[1], 9], [ids[1], 4, 4], [11, 12, 13, ids[0]]]


def said_by_auto(adapter, base, sequences):
    """What `AutoPeftModelForCausalLM` says of an adapter's folder."""
    harness.edit_json(adapter / "adapter_config.json", base_model_name_or_path=str(base))
    model = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype=torch.float32).eval()
    return harness.outputs_there(model, sequences)


BRIEF = dict(task="text", steps=4, batch_size=4, max_length=24, learning_rate=2e-2,
             dtype="float32")


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("how", ["rows", "modules"])
def test_an_adapter_with_added_tokens_says_the_same_in_peft(tmp_path, base_of, data, name, how):
    base, adapter = base_of(name), tmp_path / "adapter"
    whole = dict(modules_to_save=f"{WORDS[name]},lm_head") if how == "modules" else {}
    result = harness.train(
        base, data, adapter, method="lora", targets=LAYER[name], add_tokens=",".join(NEW), **BRIEF,
        **whole)
    tokenizer = AutoTokenizer.from_pretrained(adapter)
    count = len(AutoTokenizer.from_pretrained(base))
    assert tokenizer.convert_tokens_to_ids(NEW) == [count, count + 1]
    assert len(tokenizer) == count + 2
    sequences = rows(tokenizer)
    found = harness.outputs_here(tmp_path, base, sequences, adapter=adapter)
    harness.assert_close(found, said_by_auto(adapter, base, sequences))
    saved = harness.saved_tensors(adapter)
    config = harness.read_json(adapter / "adapter_config.json")
    if how == "rows":
        keys = [key for key in saved if key.endswith("token_adapter.trainable_tokens_delta")]
        assert len(keys) == (1 if name.endswith("tied") and name != "untied" else 2)
        expected = {WORDS[name]: [count, count + 1]}
        if len(keys) == 2:
            expected["lm_head"] = [count, count + 1]
        assert config["trainable_token_indices"] == expected
        mean = load_file(base / "model.safetensors")
        key = next(key for key in mean if key.endswith(WORDS[name] + ".weight"))
        start = mean[key].mean(0)
        for key in keys:
            assert (saved[key] - start).abs().max() > 1e-3, "the rows did not train"
    else:
        assert "trainable_token_indices" not in config
    harness.succeed("merge", model=base, adapter=adapter, output=tmp_path / "merged")
    assert harness.read_json(tmp_path / "merged" / "config.json")["vocab_size"] == count + 2
    merged = AutoModelForCausalLM.from_pretrained(
        tmp_path / "merged", dtype=torch.float32).eval()
    harness.assert_close(harness.outputs_there(merged, sequences), found)
    text = "<tool>" + harness.WORDS[0]
    ids = AutoTokenizer.from_pretrained(tmp_path / "merged")(text).input_ids
    assert ids == tokenizer(text).input_ids and ids[0] == count
    assert harness.tokenize(tmp_path / "merged", [text])[0]["ids"] == ids
    assert result["steps"] == 4


def test_only_the_new_rows_train(tmp_path, base_of, data):
    base, adapter = base_of("untied"), tmp_path / "adapter"
    result = harness.train(base, data, adapter, method="lora", targets="q_proj", rank=2,
                           add_tokens="<tool>", **BRIEF)
    layers = harness.read_json(base / "config.json")["num_hidden_layers"]
    size = harness.read_json(base / "config.json")["hidden_size"]
    assert result["trainable_parameters"] == layers * 2 * 2 * size + 2 * size


@pytest.mark.parametrize("name", ["untied", "gpt2, tied"])
def test_the_model_grows_with_full_fine_tuning(tmp_path, base_of, data, name):
    base, output = base_of(name), tmp_path / "out"
    harness.train(base, data, output, method="full", add_tokens=",".join(NEW),
                  **{**BRIEF, "learning_rate": 1e-3})
    tokenizer = AutoTokenizer.from_pretrained(output)
    model = AutoModelForCausalLM.from_pretrained(output, dtype=torch.float32).eval()
    assert model.config.vocab_size == len(tokenizer) == len(AutoTokenizer.from_pretrained(base)) + 2
    sequences = rows(tokenizer)
    harness.assert_close(
        harness.outputs_here(tmp_path, output, sequences), harness.outputs_there(model, sequences))


def test_a_run_with_added_tokens_is_resumed_to_the_same_bytes(tmp_path, base_of, data):
    base = base_of("untied")
    options = dict(BRIEF, method="dual-lora", targets="q_proj", add_tokens=",".join(NEW), steps=9,
                   checkpoint_steps=3, dropout=0.1)
    harness.train(base, data, tmp_path / "whole", **options)
    harness.train(base, data, tmp_path / "stopped", **options)
    # As a run that was killed behind step 6 left it.
    folder = tmp_path / "stopped"
    newest = sorted((folder / "checkpoints").iterdir())
    for path in newest[1:]:
        shutil.rmtree(path)
    for name in ("adapter_model.safetensors", "result.json", "tokenizer.json"):
        (folder / name).unlink()
    harness.train(base, data, folder, resume=True, **options)
    assert_same_end(folder, tmp_path / "whole")
    assert harness.digest(folder / "tokenizer.json") == harness.digest(
        tmp_path / "whole" / "tokenizer.json")
    done = harness.run("train", model=base, data=data, output=folder, resume=True,
                       **{**options, "add_tokens": "<tool>"})
    harness.assert_refused(done, "--add-tokens")


def test_tokens_come_from_a_file_and_a_recipe_too(tmp_path, base_of, data):
    base = base_of("untied")
    (tmp_path / "tokens.txt").write_text("<tool>\n\n<think, twice>\n")
    (tmp_path / "recipe.yaml").write_text("add-tokens: [<a>, <b>]\n")
    harness.succeed(
        "train", tmp_path / "recipe.yaml", model=base, data=data, output=tmp_path / "out",
        method="lora", targets="q_proj", add_tokens_from=tmp_path / "tokens.txt",
        **{**BRIEF, "steps": 1})
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    count = len(AutoTokenizer.from_pretrained(base))
    added = ["<a>", "<b>", "<tool>", "<think, twice>"]
    assert tokenizer.convert_tokens_to_ids(added) == list(range(count, count + 4))


@pytest.mark.parametrize("method, options, words", [
    ("vera", {}, ["--modules-to-save", "embed_tokens and lm_head"]),
    ("lora", dict(targets="embed_tokens"), ["rows of single tokens", "embed_tokens"]),
    ("lora", dict(add_tokens=" , "), ["--add-tokens"]),
])
def test_added_tokens_that_cannot_be_are_refused(
        tmp_path, base_of, data, method, options, words):
    done = harness.run("train", model=base_of("untied"), data=data, output=tmp_path / "out",
                       method=method, **{**BRIEF, "add_tokens": "<tool>", **options})
    harness.assert_refused(done, *words)
    assert not (tmp_path / "out").exists()


# --- files of tokenizers --------------------------------------------------------------------------


def plain_tokenizer(folder):
    plain_text.tokenizer(folder)


def with_decoder(folder):
    """As transformers 4 wrote the file beside."""
    plain_text.tokenizer(folder)
    listed = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    harness.edit_json(folder / "tokenizer_config.json", added_tokens_decoder={
        str(token.pop("id")): token for token in listed})


def without_added(folder):
    plain_text.tokenizer(folder)
    path = folder / "tokenizer.json"
    fields = json.loads(path.read_text())
    fields["added_tokens"] = []
    path.write_text(json.dumps(fields))


def without_settings(folder):
    plain_text.tokenizer(folder)
    (folder / "tokenizer_config.json").unlink()


FILES = {"tokenizer.json": plain_tokenizer, "a list beside it": with_decoder,
         "no added tokens": without_added, "no settings": without_settings}


@pytest.mark.parametrize("name", FILES)
def test_the_files_with_added_tokens_are_read_by_transformers_alike(
        tmp_path, base_of, data, name):
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    shutil.copytree(base_of("untied"), base)
    FILES[name](base)
    odd = ["<tool>", 'a "quoted" \\ one', "é-ünï", "the"]
    (tmp_path / "tokens.txt").write_text("\n".join(odd))
    harness.train(base, data, adapter, method="lora", targets="q_proj",
                  add_tokens_from=tmp_path / "tokens.txt", **{**BRIEF, "steps": 1})
    there = AutoTokenizer.from_pretrained(adapter)
    reference = AutoTokenizer.from_pretrained(plain_kept(tmp_path, base))
    reference.add_tokens([AddedToken(token, normalized=False) for token in odd])
    texts = [f"{harness.WORDS[0]}{token}{harness.WORDS[1]} {token}" for token in odd] + ["other the"]
    for text, found in zip(texts, harness.tokenize(adapter, texts)):
        assert found["ids"] == there(text).input_ids == reference(text).input_ids, text
    assert len(there) == len(reference)


def plain_kept(folder, base):
    """A copy of a base's tokenizer that transformers knows the class of."""
    kept = folder / "kept"
    kept.mkdir()
    shutil.copy(base / "tokenizer.json", kept)
    (kept / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    return kept


# --- adapters of others ---------------------------------------------------------------------------


def peft_adapter(base, folder, how, name):
    """An adapter that was trained in transformers with two more tokens and another end."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_tokens(NEW)
    tokenizer.eos_token = "<think>"
    model = harness.open_base(base)
    model.resize_token_embeddings(len(tokenizer))
    ids = tokenizer.convert_tokens_to_ids(NEW)
    options = {
        "saved modules": dict(modules_to_save=[WORDS[name], "lm_head"]),
        "saved embeddings": {},
        "tokens": dict(trainable_token_indices={WORDS[name]: ids, "lm_head": ids}),
        "lora of both": dict(target_modules=[WORDS[name], "lm_head"]),
    }[how]
    model = get_peft_model(model, LoraConfig(
        task_type="CAUSAL_LM", r=4, fan_in_fan_out=name.startswith("gpt2"),
        **{"target_modules": [LAYER[name]], **options})).eval()
    harness.randomize_trained(model, deviation=0.2)
    model.save_pretrained(folder, save_embedding_layers=True)
    tokenizer.save_pretrained(folder)
    return tokenizer


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("how", ["saved modules", "saved embeddings", "tokens", "lora of both"])
def test_an_adapter_that_grew_in_peft_is_read_and_merged(tmp_path, base_of, name, how):
    base, adapter = base_of(name), tmp_path / "adapter"
    tokenizer = peft_adapter(base, adapter, how, name)
    sequences = rows(tokenizer)
    expected = said_by_auto(adapter, base, sequences)
    harness.assert_close(
        harness.outputs_here(tmp_path, base, sequences, adapter=adapter), expected)
    harness.succeed("merge", model=base, adapter=adapter, output=tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(
        tmp_path / "merged", dtype=torch.float32).eval()
    assert merged.config.vocab_size == len(tokenizer)
    harness.assert_close(harness.outputs_there(merged, sequences), expected)
    kept = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert kept.eos_token == "<think>" and len(kept) == len(tokenizer)


def test_generate_and_evaluate_speak_through_the_adapter_s_tokenizer(tmp_path, base_of, data):
    base, adapter = base_of("untied"), tmp_path / "adapter"
    tokenizer = peft_adapter(base, adapter, "saved modules", "untied")
    prompt = "<tool>" + harness.WORDS[0]
    options = dict(model=base, adapter=adapter, prompt=prompt, max_tokens=4, dtype="float32")
    done = harness.run("generate", json=True, **options)
    assert done.returncode == 0, done.stderr
    assert "note: prompt: 2 tokens" in done.stderr
    assert f"the tokenizer in {adapter} is used" in done.stderr
    assert "<tool> <think>" in done.stderr and "its end token is <think>, not </s>" in done.stderr
    model = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype=torch.float32).eval()
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    made = model.generate(input_ids=ids, max_new_tokens=4, do_sample=False,
                          eos_token_id=[tokenizer.eos_token_id, 2])
    assert json.loads(done.stdout)["ids"] == made[0, 2:].tolist()
    text = tmp_path / "text.txt"
    text.write_text("<tool>" + harness.WORDS[3] + "<think>" + harness.WORDS[5] + "\n")
    scores = json.loads(harness.succeed(
        "evaluate", model=base, adapter=adapter, task="text", data=text, dtype="float32",
        documents="line", json=True))
    ids = tokenizer(text.read_text().strip(), return_tensors="pt").input_ids
    ids = torch.cat([ids, torch.tensor([[tokenizer.eos_token_id]])], 1)
    loss = model(input_ids=ids, labels=ids).loss.item()
    assert abs(scores["loss"] - loss) < 1e-4


def test_the_base_s_own_tokenizer_in_an_adapter_s_folder_is_no_news(tmp_path, base_of, data):
    base, adapter = base_of("untied"), tmp_path / "adapter"
    harness.train(base, data, adapter, method="lora", targets="q_proj", **BRIEF)
    assert not (adapter / "tokenizer.json").exists()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / name, adapter)
    done = harness.run("generate", model=base, adapter=adapter, prompt=harness.WORDS[0],
                       max_tokens=1)
    assert done.returncode == 0 and "the tokenizer in" not in done.stderr
