"""Adapters of embeddings and of a language model's head, and rows of single tokens, against peft."""

import pytest
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

import harness
import plain_text

ROWS = harness.sequences([6, 11, 1, 9], len(harness.WORDS), seed=3)

# Decoders with a head of their own and with one that shares the embedding's weight.
BASES = {"llama": "llama-grouped", "llama, tied": "llama-one-key-head", "gpt2": "gpt2-untied",
         "gpt2, tied": "gpt2", "bert": None}


def names(base):
    """Names of a layer, the embedding of words, that of positions, and the head, where there are any."""
    if base == "bert":
        return "query", "word_embeddings", "position_embeddings", None
    if base.startswith("gpt2"):
        return "c_attn", "wte", "wpe", "lm_head"
    return "q_proj", "embed_tokens", None, "lm_head"


def only(*wanted):
    """Options with target modules of these parts; None where a model lacks one."""
    def options(base):
        parts = dict(zip(("layer", "words", "positions", "head"), names(base)))
        targets = [parts[part] for part in wanted]
        return None if None in targets else dict(target_modules=targets)
    return options


def tokens(*, words=None, head=None, listed=None):
    """Options with rows of single tokens."""
    def options(base):
        layer, embedding, _, last = names(base)
        if head and last is None:
            return None
        indices = listed or {**({embedding: words} if words else {}),
                             **({last: head} if head else {})}
        if listed and base == "bert":
            return None  # peft looks for embed_tokens there
        return dict(target_modules=[layer], trainable_token_indices=indices)
    return options


def tying(*wanted):
    """The same with one adapter for the embedding and the head, which peft makes for LLaMA's names."""
    def options(base):
        return base == "llama, tied" and dict(only(*wanted)(base), ensure_weight_tying=True)
    return options


ADAPTERS = {
    "the head": only("layer", "head"),
    "the head alone": only("head"),
    "the embedding": only("layer", "words"),
    "the embedding alone": only("words"),
    "every embedding": only("words", "positions"),
    "both ends": only("words", "head"),
    "both ends, rank-stabilised": lambda base: only("words", "head")(base) and dict(
        only("words", "head")(base), use_rslora=True, lora_alpha=3),
    "the embedding by a pattern": lambda base: dict(
        target_modules=r".*\.(" + "|".join(names(base)[:2]) + ")"),
    "ranks of the ends": lambda base: only("words", "head")(base) and dict(
        only("words", "head")(base), rank_pattern={names(base)[1]: 3, "lm_head": 5}),
    "dora of both ends": lambda base: only("words", "head")(base) and dict(
        only("layer", "words", "head")(base), use_dora=True),
    "a tied embedding": tying("layer", "words"),
    "a tied head": tying("layer", "head"),
    "tokens": tokens(listed=[3, 48, 5]),
    "tokens of the embedding": tokens(words=[3, 20]),
    "tokens of the head": tokens(head=[3, 20]),
    "tokens of both ends": tokens(words=[3, 20], head=[3, 20]),
    "other tokens of both ends": tokens(words=[3, 20], head=[4, 20, 5]),
    "tokens beside a head": lambda base: names(base)[3] and not base.endswith("tied") and dict(
        target_modules=[names(base)[0], "lm_head"],
        trainable_token_indices={names(base)[1]: [3, 20]}),
}
CASES = [(base, name) for base in BASES for name in ADAPTERS if ADAPTERS[name](base)]


@pytest.fixture(scope="module")
def base_of(folder_of):
    def make(base):
        return folder_of(("ends", base), lambda folder: (
            harness.make_base("bert", folder) if base == "bert"
            else plain_text.base(folder, BASES[base])))
    return make


def adapter_of(base, folder, name, kind, **save):
    """Saves an adapter of peft with numbers that matter."""
    task = "SEQ_CLS" if kind == "bert" else "CAUSAL_LM"
    model = get_peft_model(harness.open_base(base), LoraConfig(
        task_type=task, fan_in_fan_out=kind.startswith("gpt2"),
        **{"r": 4, "lora_alpha": 6, **ADAPTERS[name](kind)})).eval()
    harness.randomize_trained(model, deviation=0.2)
    model.save_pretrained(folder, **save)


def said_in_peft(base, adapter):
    """What peft says of an adapter as it reads it."""
    model = PeftModel.from_pretrained(harness.open_base(base), adapter).eval()
    return harness.outputs_there(model, ROWS)


def assert_differs(base, expected):
    plain = harness.outputs_there(harness.open_base(base), ROWS)
    key = "logits"
    assert harness.relative_error(plain[key], expected[key]) > 1e-3, "the adapter does nothing"


@pytest.mark.parametrize("kind, name", CASES)
def test_an_adapter_of_peft_says_here_what_it_says_there_and_merges(tmp_path, base_of, kind, name):
    base, adapter = base_of(kind), tmp_path / "adapter"
    adapter_of(base, adapter, name, kind)
    expected = said_in_peft(base, adapter)
    harness.assert_close(harness.outputs_here(tmp_path, base, ROWS, adapter=adapter), expected)
    assert_differs(base, expected)
    # peft's own merge changes both ends of a tied model and warns of it: the adapted model counts.
    harness.succeed("merge", model=base, adapter=adapter, output=tmp_path / "merged")
    merged = harness.open_base(tmp_path / "merged")
    harness.assert_close(harness.outputs_there(merged, ROWS), expected)
    config = harness.read_json(tmp_path / "merged" / "config.json")
    same = "tokens" == name or name in ("tokens of both ends", "tokens of the embedding")
    if kind.endswith("tied") and (same or name.startswith("a tied")):
        assert config.get("tie_word_embeddings", True), "the head was parted without need"


@pytest.mark.parametrize("kind", ["llama", "llama, tied", "gpt2", "gpt2, tied"])
@pytest.mark.parametrize("method", ["lora", "dora", "lora-plus"])
def test_ends_that_are_trained_here_say_the_same_in_peft(tmp_path, base_of, kind, method):
    base, adapter, data = base_of(kind), tmp_path / "adapter", tmp_path / "text.txt"
    data.write_text(plain_text.text(60, 1))
    layer, words, positions, head = names(kind)
    targets = [layer, words, head] + ([positions] if positions else [])
    harness.train(
        base, data, adapter, task="text", method=method, steps=3, batch_size=4, max_length=16,
        learning_rate=2e-2, dtype="float32", targets=",".join(targets), rank=4)
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    harness.assert_close(found, said_in_peft(base, adapter))
    assert_differs(base, found)
    saved = harness.saved_tensors(adapter)
    for name in (words, positions, head):
        keys = [key for key in saved if name and f"{name}.lora" in key]
        assert bool(keys) == bool(name)
        assert all(saved[key].abs().max() > 0 for key in keys), "it did not train"


@pytest.mark.parametrize("kind", ["llama", "gpt2, tied"])
def test_two_adapters_of_the_ends_act_together(tmp_path, base_of, kind):
    base = base_of(kind)
    plain = harness.outputs_there(harness.open_base(base), ROWS)["logits"]
    for name in ("one", "two"):
        adapter_of(base, tmp_path / name, "both ends", kind)
    alone = harness.outputs_here(tmp_path, base, ROWS, adapter=tmp_path / "one")
    both = harness.outputs_here(
        tmp_path, base, ROWS, adapter=[tmp_path / "one", tmp_path / "two"],
        adapter_weights="0.5,0.5")
    # Both are the same adapter.
    harness.assert_close({"logits": both["logits"]}, {"logits": alone["logits"]})
    assert harness.relative_error(plain, alone["logits"]) > 1e-2


@pytest.mark.parametrize("name", ["the head", "both ends", "tokens of both ends", "dora of both ends"])
def test_keys_with_the_adapter_s_name_are_read(tmp_path, base_of, name):
    base, adapter = base_of("llama"), tmp_path / "adapter"
    adapter_of(base, adapter, name, "llama")
    expected = said_in_peft(base, adapter)
    path = adapter / "adapter_model.safetensors"
    named = {}
    for key, value in load_file(path).items():
        stem, _, last = key.rpartition(".")
        if "base_layer" in key:
            named[key] = value
        elif last == "weight":
            named[f"{stem}.default.weight"] = value
        elif last == "lora_magnitude_vector":
            named[f"{key}.default.weight"] = value
        else:
            named[f"{key}.default"] = value
    assert set(named) != set(load_file(path))
    save_file(named, path)
    if "tokens" not in name:  # of which peft asks for the plain key
        there = said_in_peft(base, adapter)
        harness.assert_close(there, expected)
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    harness.assert_close(found, expected)
    key = next(key for key in named if "lora_A.default" in key)
    named[key.replace(".default", ".other")] = named.pop(key)
    save_file(named, path)
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, "two adapters", ".other")


REFUSED = {
    "parameters by name": (dict(target_parameters=["q_proj.weight"]), ["target_parameters"]),
    "a token twice": (dict(trainable_token_indices=[3, 3]), ["trainable_token_indices", "twice"]),
    "a token beyond": (dict(trainable_token_indices=[3, 10**12]), ["1000000000000", "rows"]),
    "a negative token": (dict(trainable_token_indices=[-1]), ["trainable_token_indices"]),
    "no token": (dict(trainable_token_indices=[True, "x"]), ["trainable_token_indices"]),
    "tokens of no embedding": (dict(trainable_token_indices={"norm": [1]}), ["'norm'"]),
    "tokens of an adapted embedding": (
        dict(trainable_token_indices=[3]), ["rows of single tokens", "embed_tokens"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_is_refused_by_name(tmp_path, base_of, name):
    base, adapter = base_of("llama"), tmp_path / "adapter"
    changes, words = REFUSED[name]
    adapter_of(base, adapter, "the embedding" if "adapted" in name else "tokens", "llama")
    harness.edit_json(adapter / "adapter_config.json", **changes)
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, *words)


def test_tokens_beside_a_head_of_the_same_weight_are_refused(tmp_path, base_of):
    base, adapter = base_of("llama, tied"), tmp_path / "adapter"
    adapter_of(base, adapter, "tokens", "llama, tied")
    harness.edit_json(adapter / "adapter_config.json", target_modules=["q_proj", "lm_head"])
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, "rows of single tokens", "lm_head")


@pytest.mark.parametrize("method, targets, words", [
    ("vera", "embed_tokens", ["embedding", "vera", "lora"]),
    ("lora", "norm", ["'norm' matches no layer"]),
])
def test_a_target_that_a_method_has_no_form_for_is_refused(
        tmp_path, base_of, method, targets, words):
    data = tmp_path / "text.txt"
    data.write_text(plain_text.text(60, 1))
    done = harness.run("train", model=base_of("llama"), data=data, task="text", method=method,
                       targets=targets, output=tmp_path / "out", steps=1, max_length=16)
    harness.assert_refused(done, *words)


def test_a_tensor_of_a_layer_that_is_not_named_is_no_other_model_s(tmp_path, base_of):
    base, adapter = base_of("llama"), tmp_path / "adapter"
    adapter_of(base, adapter, "the head", "llama")
    harness.edit_json(adapter / "adapter_config.json", target_modules=["q_proj"])
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, "lm_head.lora_A", "does not speak of")
    assert "another model" not in done.stderr


def test_the_head_of_a_task_is_refused_as_what_it_is(tmp_path, base_of):
    adapter = tmp_path / "adapter"
    adapter_of(base_of("bert"), adapter, "the embedding", "bert")
    harness.edit_json(
        adapter / "adapter_config.json", target_modules=["classifier"], modules_to_save=None)
    done = harness.run("forward", model=base_of("bert"), adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    harness.assert_refused(done, "'classifier' is the head of the task")


PATTERNS = {
    "rank_pattern": dict(rank_pattern={"((((.*)*)*)*)*zz": 4}),
    "alpha_pattern": dict(alpha_pattern={"(a?b?_?[a-z_.0-9]*)*!": 4}),
    "target_modules": dict(target_modules=r"((.*)*)*!"),
    "exclude_modules": dict(exclude_modules=r"((.*)*\.?)*!"),
    "layers_pattern": dict(layers_to_transform=[0], layers_pattern=["((.*)*)*!"]),
}


@pytest.mark.parametrize("key", PATTERNS)
def test_a_pattern_that_goes_back_without_end_is_given_up_by_name(tmp_path, base_of, key):
    base, adapter = base_of("llama"), tmp_path / "adapter"
    adapter_of(base, adapter, "the head", "llama")
    harness.edit_json(adapter / "adapter_config.json", **PATTERNS[key])
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors", timeout=20)
    harness.assert_refused(done, "is given up", "!" if key != "rank_pattern" else "zz")


def test_a_pattern_of_ranks_that_matches_no_layer_is_named(tmp_path, base_of):
    base, adapter, data = base_of("llama"), tmp_path / "adapter", tmp_path / "text.txt"
    adapter_of(base, adapter, "the head", "llama")
    harness.edit_json(
        adapter / "adapter_config.json", rank_pattern={"k_proj": 4, "q_proj": 4},
        alpha_pattern={"layers.7.q_proj": 2})
    done = harness.run("forward", model=base, adapter=adapter, ids="1 2",
                       output=tmp_path / "forward.safetensors")
    assert done.returncode == 0, done.stderr
    notes = [line for line in done.stderr.splitlines() if "matches none" in line]
    assert len(notes) == 2 and "'k_proj'" in notes[0] and "'layers.7.q_proj'" in notes[1]
    data.write_text(plain_text.text(60, 1))
    for flag, value in (("rank_pattern", "q_porj=4"), ("alpha_pattern", "v_proj=8,layers.9.q_proj=2")):
        done = harness.run(
            "train", model=base, data=data, task="text", method="lora", output=tmp_path / "out",
            steps=1, max_length=16, targets="q_proj,v_proj", **{flag: value})
        name = value.split(",")[-1].split("=")[0]
        harness.assert_refused(done, f"'{name}' matches none", "--" + flag.replace("_", "-"))
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pattern", [
    r".*\.(?:q|v)_proj", r"model\.layers\.[01]\..*_proj", r"(?P<x>model)\..*\.(?!k).*_proj",
    r"(?i).*\.Q_PROJ", r".*(?<=down)_proj", r"^model.*up_proj$", r".*\.(\d)\..*q_proj|lm_head",
    r".*?o_proj", r".*\.layers\.(?:0|2)\.mlp\.\w+_proj\Z", r"(?:.*\.)?(?:(?:[qv]|embed)_)+\w+",
    r"((\w+\.)+)(k_proj)", r"model\.(?:layers\.(?:\d+)\.)*(self_attn\.)?q_proj"])
def test_a_pattern_names_the_layers_that_it_names_in_peft(tmp_path, base_of, pattern):
    base, adapter = base_of("llama"), tmp_path / "adapter"
    model = get_peft_model(harness.open_base(base), LoraConfig(
        task_type="CAUSAL_LM", r=2, target_modules=pattern)).eval()
    harness.randomize_trained(model, deviation=0.2)
    model.save_pretrained(adapter)
    # A layer too few or too many is a tensor too many or too few.
    found = harness.outputs_here(tmp_path, base, ROWS, adapter=adapter)
    harness.assert_close(found, harness.outputs_there(model, ROWS))
