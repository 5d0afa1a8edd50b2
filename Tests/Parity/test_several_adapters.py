"""Several adapters together against peft's own combinations, and conversion to LoRA against numpy."""

import json

import numpy
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel

import harness

ARCHITECTURES = list(harness.ARCHITECTURES)


def adapter(place, base, architecture, name, seed, **options):
    """Saves a random LoRA of peft's for a base; its folder."""
    targets = harness.ARCHITECTURES[architecture]["attention"]
    model = get_peft_model(
        harness.open_base(base), LoraConfig(target_modules=targets, **options))
    harness.randomize_trained(model, seed=seed)
    model.save_pretrained(place / name)
    return place / name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_adapters_with_biases_of_their_own_add_up(tmp_path, architecture):
    base = harness.make_base(architecture, tmp_path / "base", **(
        {"attention_bias": True} if architecture == "llama" else {}))
    folders = [
        adapter(tmp_path, base, architecture, name, seed, r=3, lora_bias=True)
        for seed, name in enumerate(["one", "two"])]
    rows = harness.rows_of(architecture)
    plain, one, two = (
        harness.outputs_there(model, rows) for model in (
            harness.open_base(base), *(
                PeftModel.from_pretrained(harness.open_base(base), folder).merge_and_unload()
                for folder in folders)))
    found = harness.outputs_here(tmp_path, base, rows, adapter=folders, adapter_weights="1,0")
    harness.assert_close(found, one)
    found = harness.outputs_here(tmp_path, base, rows, adapter=folders, adapter_weights="0,1")
    harness.assert_close(found, two)
    both = harness.outputs_here(tmp_path, base, rows, adapter=folders)
    harness.succeed("merge", model=base, adapter=folders, output=tmp_path / "merged")
    harness.assert_close(harness.outputs_there(harness.open_base(tmp_path / "merged"), rows), both)
    assert harness.relative_error(both["logits"], plain["logits"]) > 1e-2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weighted_adapters_say_what_those_of_peft_say(tmp_path, architecture):
    base = harness.make_base(architecture, tmp_path / "base")
    folders = [
        adapter(tmp_path, base, architecture, "one", 1, r=3, lora_alpha=5),
        adapter(tmp_path, base, architecture, "two", 2, r=5, lora_alpha=4, use_rslora=True)]
    weights = [0.7, -0.4]
    rows = harness.rows_of(architecture)
    model = PeftModel.from_pretrained(harness.open_base(base), folders[0], adapter_name="one")
    model.load_adapter(folders[1], adapter_name="two")
    # "cat" stacks the factors: the sum of the changes, exactly. The scales of both are in it.
    model.add_weighted_adapter(["one", "two"], weights, "both", combination_type="cat")
    model.set_adapter("both")
    expected = harness.outputs_there(model.eval(), rows)
    options = dict(adapter_weights=",".join(map(str, weights)))
    found = harness.outputs_here(tmp_path, base, rows, adapter=folders, **options)
    harness.assert_close(found, expected)
    model.set_adapter("one")
    alone = harness.outputs_there(model, rows)
    assert harness.relative_error(alone["logits"], expected["logits"]) > 1e-2

    harness.succeed("merge", model=base, adapter=folders, output=tmp_path / "merged", **options)
    merged = harness.outputs_there(harness.open_base(tmp_path / "merged"), rows)
    harness.assert_close(merged, expected)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("rank", [1, 6, 9])
def test_the_lora_of_an_adapter_is_the_truncated_svd_of_its_change(tmp_path, architecture, rank):
    base = harness.make_base(architecture, tmp_path / "base")
    targets = harness.ARCHITECTURES[architecture]["attention"]
    folder = adapter(tmp_path, base, architecture, "wide", 3, r=9, lora_alpha=9)
    done = harness.succeed(
        "convert", model=base, adapter=folder, rank=rank, output=tmp_path / "lora", json=True)
    result = json.loads(done)
    wide, narrow = (
        load_file(place / "adapter_model.safetensors") for place in (folder, tmp_path / "lora"))
    for layer in result["layers"]:
        def change(tensors):
            a, b = (tensors[f"base_model.model.{layer['name']}.lora_{part}.weight"].double().numpy()
                    for part in "AB")
            return b @ a

        values = numpy.linalg.svd(change(wide), compute_uv=False)
        best = numpy.sqrt((values[rank:] ** 2).sum())
        error = numpy.linalg.norm(change(wide) - change(narrow))
        whole = numpy.linalg.norm(values)
        assert abs(error - best) < 1e-5 * whole
        assert abs(layer["error"] - best) < 1e-5 * whole and abs(layer["norm"] - whole) < 1e-5 * whole
    assert len(result["layers"]) == len([name for name in wide if "lora_A" in name])
    assert any(name.endswith("lora_A.weight") for name in narrow) and targets

    # peft opens it, and says what is said here.
    rows = harness.rows_of(architecture)
    model = PeftModel.from_pretrained(harness.open_base(base), tmp_path / "lora").eval()
    expected = harness.outputs_there(model, rows)
    harness.assert_close(
        harness.outputs_here(tmp_path, base, rows, adapter=tmp_path / "lora"), expected)
    original = harness.outputs_there(
        PeftModel.from_pretrained(harness.open_base(base), folder).eval(), rows)
    plain = harness.outputs_there(harness.open_base(base), rows)
    lost = (torch.linalg.norm(expected["logits"] - original["logits"])
            / torch.linalg.norm(original["logits"] - plain["logits"]))
    # The sequences differ, and with them the share that is lost.
    assert (lost < 1e-4) == (result["lost_output"] < 1e-4)


BIASES = {"of B": dict(lora_bias=True), "all": dict(bias="all"), "adapted": dict(bias="lora_only")}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", BIASES)
def test_the_lora_of_an_adapter_has_its_biases(tmp_path, architecture, name):
    base = harness.make_base(architecture, tmp_path / "base", **(
        {"attention_bias": True} if architecture == "llama" else {}))
    folder = adapter(tmp_path, base, architecture, "wide", 3, r=3, lora_alpha=5, **BIASES[name])
    harness.succeed("convert", model=base, adapter=folder, rank=3, output=tmp_path / "lora")
    rows = harness.rows_of(architecture)
    expected, converted = (
        harness.outputs_there(PeftModel.from_pretrained(harness.open_base(base), place).eval(), rows)
        for place in (folder, tmp_path / "lora"))
    harness.assert_close(converted, expected)
    harness.assert_close(
        harness.outputs_here(tmp_path, base, rows, adapter=tmp_path / "lora"), expected)


def test_the_lora_of_a_bare_models_adapter_is_for_the_bare_model(tmp_path):
    base = harness.make_base("llama", tmp_path / "base")
    AutoModel.from_pretrained(base, dtype=torch.float32).save_pretrained(tmp_path / "bare")

    def opened():
        return AutoModel.from_pretrained(tmp_path / "bare", dtype=torch.float32)

    model = get_peft_model(opened(), LoraConfig(
        task_type="FEATURE_EXTRACTION", target_modules=r"layers\..*\.(q|v)_proj")).eval()
    harness.randomize_trained(model)
    model.save_pretrained(tmp_path / "adapter")
    harness.succeed("convert", model=tmp_path / "bare", adapter=tmp_path / "adapter", rank=8,
                    output=tmp_path / "lora")
    with torch.no_grad():
        plain, expected, found = (
            {"hidden": each(torch.tensor([[3, 1, 4, 1, 5]])).last_hidden_state} for each in (
                opened().eval(), model,
                PeftModel.from_pretrained(opened(), tmp_path / "lora").eval()))
    harness.assert_close(found, expected)
    assert harness.relative_error(plain["hidden"], expected["hidden"]) > 1e-2


def converted(tmp_path, change=lambda tensors, key: None, output=None, **options):
    """Converts a random adapter, whose tensors are changed before."""
    base = harness.make_base("llama", tmp_path / "base")
    folder = adapter(tmp_path, base, "llama", "one", 1)
    tensors = load_file(folder / "adapter_model.safetensors")
    change(tensors, sorted(tensors)[1])
    save_file(tensors, folder / "adapter_model.safetensors")
    before = harness.digest(folder / "adapter_model.safetensors")
    if output == "a link":
        (tmp_path / "out").symlink_to(folder)
    place = base if output == "the base" else tmp_path / "out"
    done = harness.run("convert", model=base, adapter=folder, rank=1, output=place, **options)
    assert harness.digest(folder / "adapter_model.safetensors") == before
    assert not (base / "adapter_config.json").exists()
    return done


@pytest.mark.parametrize("json_flag", [None, True])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e30])
def test_a_change_that_is_not_finite_is_not_converted(tmp_path, number, json_flag):
    def change(tensors, key):
        tensors[key][0, 0] = number

    done = converted(tmp_path, change, json=json_flag)
    harness.assert_refused(done, "model.layers.0.self_attn.", "not finite")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["a link", "the base"])
def test_a_conversion_does_not_write_over_what_it_reads(tmp_path, output):
    harness.assert_refused(converted(tmp_path, output=output), "own folder")


def test_what_an_adapter_brings_whole_is_not_weighted_and_said(tmp_path):
    base = harness.make_base("gpt2", tmp_path / "base")
    one = adapter(tmp_path, base, "gpt2", "one", 1, bias="all")
    done = harness.run("forward", model=base, adapter=one, adapter_weights="0.5", ids="1 2 3",
                       output=tmp_path / "forward.safetensors")
    assert done.returncode == 0
    assert "bias and" in done.stderr and "acts as it is" in done.stderr


REFUSED = {
    "one weight for two": (dict(adapter_weights="0.5"), ["--adapter-weights", "2 number(s)"]),
    "a weight of text": (dict(adapter_weights="0.5,much"), ["--adapter-weights", "much"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_weights_that_do_not_fit_are_refused(tmp_path, name):
    options, words = REFUSED[name]
    base = harness.make_base("llama", tmp_path / "base")
    folders = [adapter(tmp_path, base, "llama", part, 1) for part in ("one", "two")]
    done = harness.run("merge", model=base, adapter=folders, output=tmp_path / "out", **options)
    harness.assert_refused(done, *words)
    assert not (tmp_path / "out").exists()


def test_an_adapter_that_is_given_twice_is_refused(tmp_path):
    base = harness.make_base("llama", tmp_path / "base")
    one = adapter(tmp_path, base, "llama", "one", 1)
    done = harness.run("merge", model=base, adapter=[one, one], output=tmp_path / "out")
    harness.assert_refused(done, "--adapter", "twice")


def test_adapters_with_heads_of_their_own_do_not_add_up(tmp_path):
    base = harness.make_base("bert", tmp_path / "base")
    folders = [adapter(tmp_path, base, "bert", name, seed, task_type="SEQ_CLS")
               for seed, name in enumerate(["one", "two"])]
    done = harness.run("merge", model=base, adapter=folders, output=tmp_path / "out")
    harness.assert_refused(done, "classifier", "cannot act together")
    assert not (tmp_path / "out").exists()
