"""Bottleneck adapters and edits of hidden states against their equations, in plain PyTorch.

The reference is a transformers model into which modules of these equations are put under the names
that a saved adapter has; it takes the command's own start and makes the same steps from there.
"""

import json
import math

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM

import decoders
import harness
from plain_text import base, text
from training_loop import (
    COUNT, STEPS, assert_same_steps, assert_same_weights, batch_of, orthonormal, plain_loop, settings,
    start_of)

FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu, "gelu": functional.gelu,
             "silu": functional.silu, "identity": lambda x: x}


class Bottleneck(nn.Module):
    """g (U f(D x + c1) + c2)"""

    def __init__(self, inputs, size, outputs, activation, scale=1.0, bias=False):
        super().__init__()
        self.adapter_down = nn.Linear(inputs, size, bias=bias)
        self.adapter_up = nn.Linear(size, outputs, bias=bias)
        self.adapter_scaling = nn.Parameter(torch.ones(1)) if scale == "learned" else scale
        self.activation = FUNCTIONS[activation]

    def branch(self, x):
        return self.adapter_scaling * self.adapter_up(self.activation(self.adapter_down(x)))


class AdaptedLinear(Bottleneck):
    """A linear layer, or GPT-2's kind of one, with a bottleneck in one of three places."""

    def __init__(self, layer, config, sizes):
        inputs, outputs = sizes
        kind = config["adapter_type"]
        super().__init__(
            outputs if kind == "output_adapter" else inputs, config["bottleneck_size"],
            inputs if kind == "mh_adapter" else outputs, config["non_linearity"],
            config["scaling"], config["use_bias"])
        self.kind, self.layer = kind, layer

    def forward(self, x):
        if self.kind == "mh_adapter":
            return self.layer(x + self.branch(x))
        y = self.layer(x)
        return y + self.branch(y if self.kind == "output_adapter" else x)


class NormedBottleneck(Bottleneck):
    def __init__(self, size, config):
        super().__init__(
            size, config["bottleneck_size"], size, config["non_linearity"], bias=True)
        self.adapter_norm = nn.LayerNorm(size)

    def forward(self, h):
        return h + self.branch(self.adapter_norm(h))


class Edit(nn.Module):
    """The equations of LoReFT and its variants; h is (N, size)."""

    def __init__(self, size, config):
        super().__init__()
        self.variant, rank = config["variant"], config["r"]
        self.function = FUNCTIONS[config["act_fn"]]
        self.is_free = self.variant in ("noreft", "nodireft")
        name = "proj_layer" if self.is_free else "rotate_layer"
        self.register_parameter(name, nn.Parameter(torch.zeros(size, rank)))
        if self.variant not in ("consreft", "lobireft"):
            self.weight = nn.Parameter(torch.zeros(rank, size))
        self.bias = nn.Parameter(torch.zeros(rank))

    def forward(self, h):
        r = (self.proj_layer if self.is_free else orthonormal(self.rotate_layer)).T
        if self.variant in ("consreft", "lobireft"):
            source = self.bias
        else:
            source = self.function(h @ self.weight.T + self.bias)
        if self.variant in ("loreft", "noreft", "consreft"):
            source = source - h @ r.T
        return h + source @ r


def blocks_of(model):
    body = model.get_submodule(model.base_model_prefix)
    for name in ("layers", "h", "encoder.layer"):
        try:
            return body.get_submodule(name)
        except AttributeError:
            continue
    raise AssertionError("a model without blocks")


def sizes_of(layer):
    """Inputs and outputs."""
    shape = tuple(layer.weight.shape)
    return shape if type(layer).__name__ == "Conv1D" else shape[::-1]


def change_outputs(block, change):
    """Makes a block hand on `change(hidden states)`."""
    def hook(_, __, output):
        if isinstance(output, tuple):
            return (change(output[0]), *output[1:])
        return change(output)

    block.register_forward_hook(hook)


def edited_tokens(mask, first, last):
    """The places that LoReFT means, of a batch with a mask: at most half of a sequence each."""
    for row, line in enumerate(mask.tolist()):
        tokens = [place for place, is_token in enumerate(line) if is_token]
        most = len(tokens) // 2
        front, back = tokens[:min(first, most)], tokens[len(tokens) - min(last, most):]
        yield row, front, back


def put_in_edits(model, config):
    counts = {part[0]: int(part[1:]) for part in config["positions"].split("+")}
    first, last = counts.get("f", 0), counts.get("l", 0)
    is_tied = config["tied_positions"] or not (first and last)
    state = {}

    def remember(_, arguments, keywords):
        ids = keywords.get("input_ids", arguments[0] if arguments else None)
        mask = keywords.get("attention_mask")
        # Only a prompt is edited: what is generated comes token by token.
        state["mask"] = (torch.ones_like(ids) if mask is None else mask) if (
            ids.shape[1] > 1) else None

    model.register_forward_pre_hook(remember, with_kwargs=True)
    names = ["reft"] if is_tied else ["reft_first", "reft_last"]
    size = model.config.hidden_size
    for index, block in enumerate(blocks_of(model)):
        if config["layers"] != "all" and index not in config["layers"]:
            continue
        for name in names:
            block.add_module(name, Edit(size, config))

        def change(h, block=block):
            if state["mask"] is None:
                return h
            h = h.clone()
            for row, front, back in edited_tokens(state["mask"], first, last):
                for name, places in ([("reft", front + back)] if is_tied else
                                     [("reft_first", front), ("reft_last", back)]):
                    if places:
                        h[row, places] = block.get_submodule(name)(h[row, places])
            return h

        change_outputs(block, change)


def put_in(model, folder):
    """Gives a model of transformers the adapter of a folder, to train or to use."""
    config = harness.read_json(folder / "adapter_config.json")
    tensors = {name.removeprefix("base_model.model."): value for name, value in load_file(
        folder / "adapter_model.safetensors").items()}
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    if config["peft_type"] == "LOREFT":
        put_in_edits(model, config)
    elif config["peft_type"] == "ADAPTER_L" and config["placement"] == "lin":
        for block in blocks_of(model):
            module = NormedBottleneck(model.config.hidden_size, config)
            for name, child in module.named_children():
                block.add_module(name, child)
            change_outputs(block, module)
    else:
        if config["peft_type"] == "ADAPTER_L":
            config.update(adapter_type="output_adapter", scaling=1.0, use_bias=True)
        paths = {name.rsplit(".adapter_", 1)[0] for name in tensors if ".adapter_" in name}
        for path in paths:
            layer = model.get_submodule(path)
            parent, name = path.rsplit(".", 1)
            model.get_submodule(parent).add_module(
                name, AdaptedLinear(layer, config, sizes_of(layer)))
    report = model.load_state_dict(tensors, strict=False)
    assert not report.unexpected_keys
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in tensors)
    return model


def saved(model, names):
    """The reference's tensors as a folder has them."""
    state = model.state_dict()
    found = {}
    for name in names:
        value = state[name.removeprefix("base_model.model.")]
        found[name] = orthonormal(value) if name.endswith("rotate_layer") else value
    return found


# --- training -------------------------------------------------------------------------------------

TRAINED = {
    "parallel": dict(method="adapter-p", bottleneck=8),
    "parallel, relu, biases, closed": dict(
        method="adapter-p", bottleneck=6, activation="relu", use_bias="true", init="mam",
        scaling=4),
    "parallel, learned scale": dict(
        method="adapter-p", bottleneck=5, activation="silu", scaling="learned",
        targets="query,output.dense"),
    "serial input": dict(
        method="adapter-p", bottleneck=8, activation="gelu", mode="serial-input", scaling=0.5),
    "serial output": dict(
        method="adapter-p", bottleneck=8, activation="identity", mode="serial-output",
        targets="all-linear"),
    "behind blocks": dict(method="adapter-l", bottleneck=8),
    "behind blocks, tanh": dict(method="adapter-l", bottleneck=3, activation="tanh"),
    "Houlsby's": dict(method="adapter-l", bottleneck=8, placement="houlsby"),
    "loreft": dict(method="loreft"),
    "loreft, apart": dict(
        method="loreft", rank=3, positions="f2+l3", tied_positions="false", layers="0"),
    "loreft, one end": dict(method="loreft", rank=8, positions="f5", activation="relu"),
    **{variant: dict(method="loreft", rank=4, positions="f3+l3", variant=variant)
       for variant in ("direft", "noreft", "nodireft", "consreft", "lobireft")},
}


@pytest.mark.parametrize("name", TRAINED)
def test_training_takes_the_steps_of_the_equations(tmp_path, classifier, task_data, name):
    options, task = TRAINED[name], "rte"
    data, folder = task_data(task, train=COUNT), classifier(task, **harness.NO_DROPOUT)
    start = start_of(tmp_path, folder, data, task, **options)
    # What decays has a test of its own.
    here, there = settings(task, rate=2e-3, decay=0)
    harness.train(folder, data, tmp_path / "out", **here, **options)
    model = put_in(harness.load(folder), tmp_path / "start")
    records = plain_loop(model, *batch_of(folder, data, task), **there)
    assert records[-1][0] < records[0][0]
    assert_same_steps(tmp_path / "out", records)
    found = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert found.keys() == start.keys()
    assert_same_weights(
        found, saved(model, found), there["rate"], tolerance=0.05)
    moved = {name: (found[name] - start[name]).abs().max() for name in found}
    assert all(value > 0.1 * there["rate"] for value in moved.values()), moved


# --- decoders -------------------------------------------------------------------------------------

DECODED = {
    "parallel": dict(method="adapter-p", bottleneck=6),
    "serial": dict(method="adapter-p", bottleneck=6, mode="serial-input", targets="all-linear"),
    "behind blocks": dict(method="adapter-l", bottleneck=6),
    "Houlsby's": dict(method="adapter-l", bottleneck=6, placement="houlsby"),
    "loreft": dict(method="loreft", positions="f3+l2"),
    "loreft, one block": dict(method="loreft", positions="f4", layers="1", variant="direft"),
}


@pytest.fixture(scope="module")
def decoded(folder_of, tmp_path_factory):
    """A decoder's folder and that of an adapter trained on it, by architecture and row."""
    place = tmp_path_factory.mktemp("decoders")
    (place / "train.txt").write_text(text(100, 1))

    def get(architecture, name):
        model = folder_of(("decoder", architecture), lambda folder: base(folder, architecture))
        adapter = place / f"{architecture} {name}"
        if not adapter.exists():
            harness.train(
                model, place / "train.txt", adapter, task="text", documents="line", packing=True,
                max_length=16, steps=6, batch_size=8, learning_rate=2e-2, dtype="float32",
                **DECODED[name])
        return model, adapter

    return get


@pytest.mark.parametrize("architecture", ["llama-grouped", "gpt2", "qwen3"])
@pytest.mark.parametrize("name", DECODED)
def test_a_decoder_says_what_the_equations_say(tmp_path, decoded, architecture, name):
    folder, adapter = decoded(architecture, name)
    model = put_in(
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), adapter)
    sequences = harness.sequences([9, 2, 6, 1], vocabulary=30)
    for side in ("left", "right"):
        expected, _, mask = decoders.logits(model, sequences, side)
        found, plain = (
            harness.forward(tmp_path, folder, sequences, padding=side, **options)["logits"][mask]
            for options in (dict(adapter=adapter), {}))
        harness.assert_close({"logits": found}, {"logits": expected[mask]})
        assert (found - plain).abs().max() > 1e-2


@pytest.mark.parametrize("architecture", ["llama-grouped", "gpt2"])
@pytest.mark.parametrize("name", ["parallel", "behind blocks", "Houlsby's", "loreft"])
@pytest.mark.parametrize("beams", [1, 3])
def test_generation_continues_as_transformers_does(decoded, architecture, name, beams):
    """A cache holds what an edited prompt left; tokens behind it are not edited."""
    folder, adapter = decoded(architecture, name)
    model = put_in(
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), adapter)
    rows = [[token + 3 for token in row] for row in harness.sequences([9, 2, 6, 1], 30, seed=2)]
    words = [word for ids in rows for word in ("--ids", " ".join(map(str, ids)))]
    printed = harness.succeed(
        "generate", *words, model=folder, adapter=adapter, json=True, dtype="float32",
        max_tokens=12, beams=beams, ignore_stop_tokens=True, batch_size=len(rows))
    ids, mask = harness.padded(rows, 2, "left")
    with torch.no_grad():
        made = model.generate(
            ids, attention_mask=mask, max_new_tokens=12, do_sample=False, num_beams=beams,
            eos_token_id=None, pad_token_id=2)
    assert [json.loads(line)["ids"] for line in printed.splitlines()] == made[
        :, ids.shape[1]:].tolist()


# --- files and numbers ----------------------------------------------------------------------------

def test_a_saved_rotation_is_orthonormal_and_named_as_pyreft_names_it(decoded):
    _, adapter = decoded("llama-grouped", "loreft")
    tensors = harness.saved_tensors(adapter)
    assert set(tensors) == {f"model.layers.{layer}.reft.{name}" for layer in range(3)
                            for name in ("rotate_layer", "weight", "bias")}
    for name, value in tensors.items():
        if name.endswith("rotate_layer"):
            assert value.shape == (32, 4)
            assert (value.T @ value - torch.eye(4)).abs().max() < 1e-5
    config = harness.read_json(adapter / "adapter_config.json")
    assert config | dict(
        peft_type="LOREFT", r=4, positions="f3+l2", layers="all", tied_positions=True, dropout=0,
        act_fn="identity", variant="loreft") == config
    assert "target_modules" not in config


@pytest.mark.parametrize("name", DECODED)
def test_what_is_no_change_of_weights_is_not_merged(tmp_path, decoded, name):
    folder, adapter = decoded("gpt2", name)
    done = harness.run("merge", model=folder, adapter=adapter, output=tmp_path / "merged")
    harness.assert_refused(done, DECODED[name]["method"], "cannot be merged")
    assert not (tmp_path / "merged").exists()


def test_the_start_of_an_edit_is_that_of_pyreft(tmp_path, classifier, task_data):
    """W and b as PyTorch's Linear, R orthonormal."""
    start = start_of(
        tmp_path, classifier("rte"), task_data("rte", train=COUNT), "rte", method="loreft", rank=16)
    edits = {name: value for name, value in start.items() if ".reft." in name}
    bound = 1 / math.sqrt(32)
    for name, value in edits.items():
        if name.endswith("rotate_layer"):
            assert (value.T @ value - torch.eye(16)).abs().max() < 1e-5
        else:
            assert value.abs().max() <= bound
        if name.endswith("weight"):
            assert value.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert len(edits) == 2 * 3


def test_an_edit_that_the_loss_does_not_see_is_named(tmp_path, place_of_text):
    """Nothing is predicted from the last token of a text."""
    done = harness.run(
        "train", model=place_of_text / "model", data=place_of_text / "train.txt", task="text",
        method="loreft", tied_positions="false", documents="line", steps=8, dtype="float32",
        output=tmp_path / "out")
    harness.assert_refused(done, "reft_last", "received no gradient", running=True)


@pytest.fixture(scope="module")
def place_of_text(tmp_path_factory):
    place = tmp_path_factory.mktemp("text")
    (place / "train.txt").write_text(text(60, 1))
    base(place / "model", "llama-grouped")
    return place
