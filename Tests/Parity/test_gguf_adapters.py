"""Adapters written for llama.cpp, read with `gguf.GGUFReader`: what its loader multiplies
(`llm_graph_context::build_lora_mm`, `build_inp_embd`) is the change that peft makes."""

import json

import gguf
import numpy
import pytest
import torch
from gguf import GGUFReader
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import decoders
import gguf_files
import harness

# Models with the architecture that llama.cpp has them in.
MODELS = {"llama-grouped": "llama", "llama-one-key-head": "llama", "llama-head-size": "llama",
          "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gpt2": "gpt2",
          "gpt2-untied": "gpt2"}
ALL_LAYERS = {"gpt2": ["c_attn", "c_proj", "c_fc"], "llama": [
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]}
ENDS = {"gpt2": ["wte", "lm_head"], "llama": ["embed_tokens", "lm_head"]}


def family(name):
    return "gpt2" if name.startswith("gpt2") else "llama"


def adapted(base, **options):
    """A model of peft with a random adapter."""
    model = get_peft_model(base, LoraConfig(**{"r": 4, "lora_alpha": 6, **options})).eval()
    harness.randomize_trained(model)
    return model


def pair(tmp_path, name, **options):
    """A base's folder and the model of peft whose adapter lies beside it."""
    decoders.make(name, tmp_path / "base")
    options.setdefault("target_modules", ALL_LAYERS[family(name)])
    model = adapted(harness.open_base(tmp_path / "base"), **options)
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "base", model


def convert(tmp_path, base, **options):
    """What the command says of the conversion, and the file that it wrote."""
    options = dict(output=tmp_path / "lora.gguf", format="gguf", **options)
    said = json.loads(harness.succeed(
        "convert", model=base, adapter=tmp_path / "adapter", json=True, **options))
    return said, GGUFReader(tmp_path / "lora.gguf")


def fields_of(reader):
    return {name: field.contents() for name, field in reader.fields.items()
            if not name.startswith("GGUF.")}


def numbers_of(reader):
    return {tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            for tensor in reader.tensors}


def changes_in(reader):
    """The change of each weight as llama.cpp makes it, by llama.cpp's name."""
    alpha, numbers = fields_of(reader)["adapter.lora.alpha"], numbers_of(reader)
    assert {name.rpartition(".")[2] for name in numbers} == {"lora_a", "lora_b"}
    changes = {}
    for name in {name.rpartition(".")[0] for name in numbers}:
        a, b = (numbers[f"{name}.lora_{part}"].astype(numpy.float64) for part in "ab")
        rank = b.shape[1]
        # A row of a is looked up where tokens are; elsewhere a is multiplied by.
        change = a @ b.T if name == "token_embd.weight" else b @ a
        changes[name] = change * (alpha / rank)
    return changes


def side_by_side(change, heads):
    """The rows of every head with the pairs that turn together beside one another, which
    llama.cpp turns; transformers turns row i with row i + size / 2."""
    size = change.shape[0] // heads
    order = [head * size + half * size // 2 + place
             for head in range(heads) for place in range(size // 2) for half in range(2)]
    return change[order]


def llama_name(path, config):
    kind = MODELS.get(config.model_type, "llama").upper()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[kind], config.num_hidden_layers)
    return names.get_name(path + ".weight", try_suffixes=(".weight",))


def as_llama_has_them(changes, config):
    """Changes of weights (out, in), or of a table, by their paths, as llama.cpp has them."""
    arranged = {}
    for path, change in changes.items():
        if config.model_type in ("llama", "mistral"):
            if path.endswith("q_proj"):
                change = side_by_side(change, config.num_attention_heads)
            if path.endswith("k_proj"):
                change = side_by_side(change, config.num_key_value_heads)
        arranged[llama_name(path, config)] = change
    return arranged


def changes_there(model):
    """What peft adds to each weight, by llama.cpp's name."""
    changes = {}
    for path, layer in model.base_model.model.named_modules():
        if hasattr(layer, "get_delta_weight"):
            change = layer.get_delta_weight("default").detach().double().numpy()
            changes[path] = change.T if layer.fan_in_fan_out else change
    return as_llama_has_them(changes, model.config)


def assert_same_changes(found, expected, bound=2e-6):
    assert found.keys() == expected.keys()
    for name, change in expected.items():
        assert found[name].shape == change.shape, name
        assert numpy.abs(found[name] - change).max() <= bound * numpy.abs(change).max(), name


@pytest.mark.parametrize("name", MODELS)
def test_a_lora_is_written_as_it_is(tmp_path, name):
    base, model = pair(tmp_path, name)
    said, reader = convert(tmp_path, base)
    assert said["rank"] == 4 and said["lost"] == said["lost_output"] == 0
    # Names, order and types of the keys are those of convert_lora_to_gguf.py.
    assert list(fields_of(reader).items()) == [
        ("general.architecture", MODELS[name]), ("general.type", "adapter"),
        ("adapter.type", "lora"), ("general.name", "lora"), ("adapter.lora.alpha", 6.0),
        ("general.quantization_version", 2)]
    assert reader.fields["adapter.lora.alpha"].types == [gguf.GGUFValueType.FLOAT32]
    assert reader.fields["general.quantization_version"].types == [gguf.GGUFValueType.UINT32]
    assert {tensor.tensor_type for tensor in reader.tensors} == {gguf.GGMLQuantizationType.F32}
    assert_same_changes(changes_in(reader), changes_there(model))
    # Without loss: the very numbers, those of q and k in another order.
    saved = {key.removeprefix("base_model.model."): value.numpy()
             for key, value in load_file(tmp_path / "adapter" / "adapter_model.safetensors").items()}
    numbers = numbers_of(reader)
    assert len(numbers) == len(saved)
    for key, value in saved.items():
        path, _, part = key.removesuffix(".weight").rpartition(".lora_")
        found = numbers[f"{llama_name(path, model.config)}.lora_{part.lower()}"]
        order = as_llama_has_them({path: value}, model.config) if part == "B" else {0: value}
        assert numpy.array_equal(found, *order.values())


OPTIONS = {
    "rank-stabilised": dict(use_rslora=True),
    "other ranks": dict(rank_pattern={"v_proj": 7, "c_fc": 7}),
    "other alphas": dict(alpha_pattern={"v_proj": 1, "c_fc": 1}),
    "ranks and alphas": dict(rank_pattern={"v_proj": 7, "c_fc": 7}, use_rslora=True,
                             alpha_pattern={"o_proj": 5.5, "c_attn": -3}),
    "no scale": dict(lora_alpha=0),
    "some layers": dict(layers_to_transform=[1]),
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["llama-grouped", "gpt2"])
def test_the_scale_of_every_layer_is_kept(tmp_path, name, options):
    base, model = pair(tmp_path, name, **OPTIONS[options])
    said, reader = convert(tmp_path, base)
    assert said["lost"] < 1e-6
    assert_same_changes(changes_in(reader), changes_there(model))


@pytest.mark.parametrize("name", ["llama-grouped", "qwen2", "gpt2-untied"])
def test_the_ends_of_a_model_are_written(tmp_path, name):
    base, model = pair(tmp_path, name, target_modules=[*ENDS[family(name)], "v_proj", "c_attn"])
    _, reader = convert(tmp_path, base)
    numbers = numbers_of(reader)
    assert numbers["token_embd.weight.lora_a"].shape == (97, 4)
    assert numbers["token_embd.weight.lora_b"].shape == (32, 4)
    assert numbers["output.weight.lora_a"].shape == (4, 32)
    assert numbers["output.weight.lora_b"].shape == (97, 4)
    assert_same_changes(changes_in(reader), changes_there(model))


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_numbers_are_rounded_as_gguf_rounds_them(tmp_path, kind):
    base, model = pair(tmp_path, "llama-grouped")
    _, whole = convert(tmp_path, base)
    exact = numbers_of(whole)
    said, reader = convert(tmp_path, base, type=kind, overwrite=True)
    number_type = gguf.GGMLQuantizationType[kind.upper()]
    for tensor in reader.tensors:
        assert tensor.tensor_type == number_type
        assert tensor.data.tobytes() == gguf.quants.quantize(
            exact[tensor.name], number_type).tobytes()
    expected = changes_there(model)
    found = changes_in(reader)
    error, size = (numpy.sqrt(sum(numpy.sum(array ** 2) for array in arrays)) for arrays in (
        [found[name] - expected[name] for name in expected], expected.values()))
    assert abs(said["lost"] - error / size) < 1e-2 * error / size
    assert 0 < said["lost_output"] < 0.05


@pytest.mark.parametrize("name", ["llama-grouped", "gpt2"])
@pytest.mark.parametrize("rank", [2, 9])
def test_another_adapter_is_cut_to_its_largest_singular_values(tmp_path, name, rank):
    base, model = pair(tmp_path, name, use_dora=True)
    plain = {path: weight.detach().double() for path, weight in
             harness.open_base(base).named_parameters()}
    merged = dict(model.merge_and_unload().named_parameters())
    changes = {}
    for path, weight in merged.items():
        if path.split(".")[-2] in ALL_LAYERS[family(name)] and path.endswith("weight"):
            change = (weight.detach().double() - plain[path]).numpy()
            changes[path.removesuffix(".weight")] = change.T if name == "gpt2" else change
    wanted = {}
    for tensor, change in as_llama_has_them(changes, model.config).items():
        left, values, right = numpy.linalg.svd(change, full_matrices=False)
        wanted[tensor] = (left[:, :rank] * values[:rank]) @ right[:rank]
    said, reader = convert(tmp_path, base, rank=rank)
    assert fields_of(reader)["adapter.lora.alpha"] == said["rank"] == rank
    assert_same_changes(changes_in(reader), wanted, 1e-4)
    for layer in said["layers"]:
        change = changes[layer["name"]]
        best = numpy.sqrt((numpy.linalg.svd(change, compute_uv=False)[rank:] ** 2).sum())
        assert abs(layer["error"] - best) < 1e-4 * numpy.linalg.norm(change)


def test_a_lower_rank_of_a_lora_is_cut_and_its_own_is_not(tmp_path):
    base, model = pair(tmp_path, "qwen2")
    said, _ = convert(tmp_path, base, rank=4)
    assert said["lost"] == 0
    said, reader = convert(tmp_path, base, rank=3, overwrite=True)
    assert said["lost"] > 1e-3
    for name, change in changes_in(reader).items():
        values = numpy.linalg.svd(changes_there(model)[name], compute_uv=False)
        error = numpy.linalg.norm(change - changes_there(model)[name])
        assert abs(error - values[3]) < 1e-4 * values[0]


def test_the_model_may_be_a_gguf_file(tmp_path):
    gguf_files.write(tmp_path / "base.gguf", "llama", tied=False)
    base = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="base.gguf", dtype=torch.float32)
    model = adapted(base, target_modules=[*ALL_LAYERS["llama"], *ENDS["llama"]])
    model.save_pretrained(tmp_path / "adapter")
    _, reader = convert(tmp_path, tmp_path / "base.gguf")
    assert_same_changes(changes_in(reader), changes_there(model))


# --- what an adapter for llama.cpp cannot say -----------------------------------------------------

REFUSED = {
    "biases": ("qwen2", dict(bias="lora_only"), ["proj.bias"]),
    "a bias of B": ("llama-grouped", dict(lora_bias=True), ["bias"]),
    "a module that is saved whole": (
        "llama-grouped", dict(modules_to_save=["lm_head"]), ["lm_head.weight"]),
    "rows of tokens": ("llama-grouped", dict(trainable_token_indices=[3, 5]), ["embed_tokens"]),
    "the embedding of a shared weight": (
        "llama-one-key-head", dict(target_modules=["embed_tokens"]), ["embed_tokens", "head"]),
    "the head of a shared weight": ("gpt2", dict(target_modules=["lm_head"]), ["lm_head"]),
    "positions": ("gpt2-untied", dict(target_modules=["wpe"]), ["transformer.wpe", "positions"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_two_factors_say_is_refused_by_name(tmp_path, case):
    name, options, words = REFUSED[case]
    base, _ = pair(tmp_path, name, **options)
    done = harness.run("convert", model=base, adapter=tmp_path / "adapter", format="gguf",
                       output=tmp_path / "lora.gguf", rank=4)
    harness.assert_refused(done, "llama.cpp", *words, "merge --format gguf")
    assert sorted(place.name for place in tmp_path.iterdir()) == ["adapter", "base"]


def test_an_adapter_that_is_no_lora_needs_a_rank(tmp_path):
    base, _ = pair(tmp_path, "llama-grouped", use_dora=True)
    done = harness.run("convert", model=base, adapter=tmp_path / "adapter", format="gguf",
                       output=tmp_path / "lora.gguf")
    harness.assert_refused(done, "--rank", "DoRA")
    assert not (tmp_path / "lora.gguf").exists()


def test_options_that_do_not_go_together_are_refused(tmp_path):
    base, _ = pair(tmp_path, "llama-grouped")
    given = dict(model=base, adapter=tmp_path / "adapter", output=tmp_path / "out")
    harness.assert_refused(harness.run("convert", **given), "--rank")
    harness.assert_refused(
        harness.run("convert", **given, rank=4, type="f16"), "--type", "--format gguf")
    harness.assert_refused(
        harness.run("convert", **given, format="gguf", type="q8_0"), "--type", "q8_0", "bf16")
    harness.assert_refused(
        harness.run("convert", **{**given, "output": base}, format="gguf"), "base")
    for rank in (0, -1, 65537):
        harness.assert_refused(
            harness.run("convert", **given, format="gguf", rank=rank), "--rank", str(rank))
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path):
    base, _ = pair(tmp_path, "llama-grouped")
    (tmp_path / "lora.gguf").write_text("mine")
    given = dict(model=base, adapter=tmp_path / "adapter", format="gguf")
    harness.assert_refused(
        harness.run("convert", **given, output=tmp_path / "lora.gguf"), "lora.gguf", "--overwrite")
    assert (tmp_path / "lora.gguf").read_text() == "mine"
    convert(tmp_path, base, overwrite=True)
    (tmp_path / "folder").mkdir()
    harness.assert_refused(
        harness.run("convert", **given, output=tmp_path / "folder", overwrite=True),
        "folder", "is a folder")
    harness.assert_refused(
        harness.run("convert", **given, output=tmp_path / "no" / "lora.gguf"), "lora.gguf")
    assert sorted(place.name for place in tmp_path.iterdir()) == [
        "adapter", "base", "folder", "lora.gguf"]


def test_an_architecture_without_a_place_is_refused(tmp_path):
    harness.make_base("bert", tmp_path / "base")
    model = adapted(harness.open_base(tmp_path / "base"), target_modules=["query"])
    model.save_pretrained(tmp_path / "adapter")
    done = harness.run("convert", model=tmp_path / "base", adapter=tmp_path / "adapter",
                       format="gguf", output=tmp_path / "lora.gguf")
    harness.assert_refused(done, "model_type", "bert", "llama")


# --- what is said of such a file ------------------------------------------------------------------


def test_inspect_says_what_an_adapter_is(tmp_path):
    base, _ = pair(tmp_path, "llama-grouped", rank_pattern={"v_proj": 7})
    _, reader = convert(tmp_path, base)
    said = json.loads(harness.succeed("inspect", tmp_path / "lora.gguf", json=True))
    assert said["adapter_type"] == "lora" and said["architecture"] == "llama"
    assert said["alpha"] == 6 and said["ranks"] == [4, 7]
    assert said["parameters"] == sum(int(tensor.n_elements) for tensor in reader.tensors)
    counts = {kind["name"]: kind["count"] for kind in said["kinds"]}
    assert counts["blk.*.attn_q.weight.lora_a"] == 3 and len(counts) == 14
    text = harness.succeed("inspect", tmp_path / "lora.gguf")
    assert "lora adapter of llama" in text and "no model" in text


@pytest.mark.parametrize("command,given", [
    ("generate", dict(prompt="a")), ("merge", {}), ("convert", dict(rank=2))])
def test_an_adapter_is_no_model(tmp_path, command, given):
    base, _ = pair(tmp_path, "llama-grouped")
    convert(tmp_path, base)
    if command in ("merge", "convert"):
        given = dict(given, adapter=tmp_path / "adapter", output=tmp_path / "out")
    done = harness.run(command, model=tmp_path / "lora.gguf", **given)
    harness.assert_refused(done, "lora.gguf", "general.type", "adapter")
