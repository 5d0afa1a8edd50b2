"""Ten steps beside the code of a method's authors, or of others who published it.

Both sides start at one adapter, see one batch and compute in float64 by the same settings of AdamW, so
that what is left between them is rounding. The models are transformers' own, those of `adapters` the
ones that it makes of an older transformers'. GaLore stands in test_projected_training.py.

What no published package has is held to its equations alone (test_bottleneck_adapters.py): a bottleneck
beside or before a layer that is not square, as LLM-Adapters' are. Pfeiffer's place, inside a residual sum,
is not offered here, nor is training thirds of a fused layer.
"""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import decoders
import harness
import peers
import plain_text
from training_loop import (
    COUNT, STEPS, Orthonormal, Turned, batch_of, orthonormal, plain_loop, settings)

PREFIX = "base_model.model."
V = 5


class Place:
    """A model, data of one batch, and what the command makes of them."""

    def __init__(self, folder, architecture, base, data, options):
        self.folder, self.architecture = folder, architecture
        self.base, self.data, self.options = base, data, options
        self.here, self.there = settings(options["task"], rate=2e-3, decay=0)
        self.here.update(dtype="float64", **options)

    def train(self, **method):
        """What the adapter starts from, by name."""
        harness.train(self.base, self.data, self.folder / "start", **{
            **self.here, **method, "steps": 1, "warmup_ratio": 1})
        harness.train(self.base, self.data, self.folder / "out", **self.here, **method)
        self.start = load_file(self.folder / "start" / "adapter_model.safetensors")
        return self.start

    @property
    def is_decoder(self):
        return self.options["task"] == "text"

    def model(self):
        model = (AutoModelForCausalLM.from_pretrained(self.base, dtype=torch.float32)
                 if self.is_decoder else harness.load(self.base))
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        return model.double().eval()

    def batch(self):
        """The rows in a batch, and what is to be learnt from it."""
        if not self.is_decoder:
            return batch_of(self.base, self.data, self.options["task"])
        made = plain_text.tokenizer(self.folder / "tokenizer")
        rows = [made.encode(line).ids + [2] for line in self.data.read_text().splitlines()]
        ids, mask, _ = decoders.padded(rows, "right")
        return {"input_ids": ids, "attention_mask": mask}, ids.masked_fill(mask == 0, -100)

    def loop(self, model, batch=None):
        """A plain loop over a model whose trained parameters are marked; its records."""
        inputs, labels = self.batch()
        return plain_loop(model, batch or inputs, labels, **self.there)

    def assert_same(self, records, trained):
        """Losses and gradients are equal but for rounding, and so are the ways that tensors went, which
        are saved in float32; so is the R that a run begins with, and in float32 transformers computes
        a LLaMA's norms."""
        steps, _ = harness.log_of(self.folder / "out")
        assert len(steps) == len(records) == STEPS
        is_wide = self.architecture != "llama" and not any(
            name.endswith("rotate_layer") for name in trained)
        losses, norms, ways = (1e-12, 1e-12, 1e-6) if is_wide else (1e-7, 1e-6, 3e-3)
        for found, (loss, _, norm) in zip(steps, records):
            assert found["loss"] == pytest.approx(loss, rel=losses), found["step"]
            assert found["gradient_norm"] == pytest.approx(norm, rel=norms), found["step"]
        assert records[-1][0] < records[0][0]
        found = load_file(self.folder / "out" / "adapter_model.safetensors")
        assert found.keys() == trained.keys() == self.start.keys()
        for name, value in found.items():
            if name.endswith("rotate_layer"):
                trained[name] = orthonormal(trained[name])
            way = (trained[name] - self.start[name]).abs().max()
            assert way > 0.1 * self.there["rate"], name
            difference = (value - trained[name]).abs().max() - 1e-7 * value.abs().max()
            assert difference < ways * way, f"{name}: {difference / way:.1e} of its way"


@pytest.fixture(scope="module")
def decoder_of(folder_of):
    """The folder of a random decoder with a file of text, by architecture."""
    def make(name, folder):
        plain_text.base(folder / "base", name, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
        (folder / "train.txt").write_text(plain_text.text(COUNT, 1))
        (folder / "dev.txt").write_text(plain_text.text(4, 2))

    return lambda name: folder_of(("decoder", name), lambda folder: make(name, folder))


@pytest.fixture
def place(tmp_path, still, task_data, decoder_of):
    def get(architecture):
        if architecture == "bert":
            return Place(tmp_path, architecture, still("rte"), task_data("rte", train=COUNT),
                         dict(task="rte"))
        folder = decoder_of({"llama": "llama-grouped"}.get(architecture, architecture))
        return Place(tmp_path, architecture, folder / "base", folder / "train.txt",
                     dict(task="text", documents="line", dev_data=folder / "dev.txt",
                          max_length=16))

    return get


def paths_of(start, part):
    """The places of an adapter's parts, as the model calls them."""
    return [name.removeprefix(PREFIX).removesuffix(part) for name in start if name.endswith(part)]


def head_of(model, start):
    """What trains beside the adapter, by name."""
    return {name: model.get_parameter(name.removeprefix(PREFIX)) for name in start
            if ".classifier." in name}


def begin(trained, start):
    """Gives parameters their first values, and marks them."""
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(start[name])
            parameter.requires_grad_(True)


# --- loralib --------------------------------------------------------------------------------------

LORA = {
    "bert": dict(rank=4, alpha=12),
    "bert, dense": dict(rank=3, targets="intermediate.dense,output.dense"),
    "llama": dict(rank=4, alpha=2, targets="all-linear"),
    "gpt2": dict(rank=4, alpha=32),
    "gpt2, dense": dict(rank=2, targets="mlp.c_fc,mlp.c_proj"),
}


def lora_layer(loralib, layer, rank, alpha):
    """A layer of loralib in place of one; GPT-2's fused ones are its `MergedLinear`."""
    is_turned = type(layer).__name__ == "Conv1D"
    outputs, inputs = layer.weight.T.shape if is_turned else layer.weight.shape
    arguments = dict(r=rank, lora_alpha=alpha, fan_in_fan_out=is_turned, merge_weights=False,
                     bias=layer.bias is not None)
    if is_turned and outputs == 3 * inputs:
        made = loralib.MergedLinear(inputs, outputs, enable_lora=[True], **arguments)
    else:
        made = loralib.Linear(inputs, outputs, **arguments)
    made = made.double()
    made.weight.data = layer.weight.data
    if layer.bias is not None:
        made.bias.data = layer.bias.data
        made.bias.requires_grad_(False)
    return made


@pytest.mark.parametrize("name", LORA)
def test_lora_takes_the_steps_of_loralib(place, name):
    loralib, options = peers.load("loralib"), LORA[name]
    place = place(name.split(",")[0])
    start = place.train(method="lora", **options)
    model = place.model()
    trained = head_of(model, start)
    for path in paths_of(start, ".lora_A.weight"):
        parent, name = path.rsplit(".", 1)
        parent = model.get_submodule(parent)
        layer = lora_layer(loralib, getattr(parent, name), options["rank"],
                           options.get("alpha", 2 * options["rank"]))
        setattr(parent, name, layer)
        trained |= {f"{PREFIX}{path}.lora_A.weight": layer.lora_A,
                    f"{PREFIX}{path}.lora_B.weight": layer.lora_B}
    begin(trained, start)
    place.assert_same(place.loop(model), trained)


def test_what_loralib_trains_in_thirds_of_a_fused_layer_runs_and_merges_here(tmp_path, decoder_of):
    """LoRA's own runs on E2E change queries and values alone. Such a pair is one of twice the rank, with
    zeros where a third does not see the other's half; to train it so is not offered."""
    loralib, rank, alpha = peers.load("loralib"), 3, 6
    base = decoder_of("gpt2") / "base"
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    torch.manual_seed(1)
    tensors = {}
    for index, block in enumerate(model.transformer.h):
        layer, size = block.attn.c_attn, model.config.n_embd
        fused = loralib.MergedLinear(
            size, 3 * size, r=rank, lora_alpha=alpha, enable_lora=[True, False, True],
            fan_in_fan_out=True, merge_weights=False)
        fused.weight.data, fused.bias.data = layer.weight.data, layer.bias.data
        with torch.no_grad():
            fused.lora_B.normal_()
            up = torch.zeros(3 * size, 2 * rank)
            up[:size, :rank], up[2 * size:, rank:] = fused.lora_B.chunk(2)
        block.attn.c_attn = fused
        path = f"{PREFIX}transformer.h.{index}.attn.c_attn"
        tensors |= {f"{path}.lora_A.weight": fused.lora_A.detach(), f"{path}.lora_B.weight": up}
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    save_file(tensors, adapter / "adapter_model.safetensors")
    (adapter / "adapter_config.json").write_text("{}")
    harness.edit_json(adapter / "adapter_config.json", peft_type="LORA", r=2 * rank,
                      lora_alpha=2 * alpha, target_modules=["c_attn"], fan_in_fan_out=True,
                      task_type="CAUSAL_LM")
    rows = harness.rows_of("gpt2", (6, 11, 9))
    expected = harness.outputs_there(model, rows)
    harness.assert_close(
        harness.outputs_here(tmp_path, base, rows, adapter=adapter), expected)
    harness.succeed("merge", model=base, adapter=adapter, output=tmp_path / "merged")
    harness.assert_close(harness.outputs_here(tmp_path, tmp_path / "merged", rows), expected)


# --- pyreft ---------------------------------------------------------------------------------------

# pyreft keeps R orthonormal by PyTorch's parametrisation, whose coordinates depend on columns that are
# drawn when it is made, so that no two of its own runs take the same steps from one R. It gets the
# coordinates that are used here, Q of a QR factorisation; all else is its own.
EDITS = {
    "loreft": dict(positions="f2+l1"),
    # No encoder's head reads the last tokens of the last block.
    "loreft, apart": dict(positions="f2+l2", tied_positions="false", layers="0"),
    "loreft, gelu, one block": dict(positions="f2", activation="gelu", layers="1"),
    "direft": dict(positions="f1+l2", variant="direft", activation="tanh"),
    "noreft": dict(positions="f2+l2", variant="noreft", activation="relu"),
    "nodireft": dict(positions="f2+l2", variant="nodireft"),
    "consreft": dict(positions="f2+l1", variant="consreft"),
    "lobireft": dict(positions="f2+l1", variant="lobireft"),
}
BLOCKS = {"bert": "bert.encoder.layer[{}].output", "llama": "model.layers[{}].output",
          "gpt2": "transformer.h[{}].output"}


class Edited(torch.nn.Module):
    """pyreft's model as a model of transformers, with the places of its edits."""

    def __init__(self, edited, interventions, model, locations):
        super().__init__()
        self.interventions, self.classifier = torch.nn.ModuleList(interventions), None
        if hasattr(model, "classifier"):
            self.classifier = model.classifier
        self.__dict__.update(edited=edited, locations=locations)

    def forward(self, **batch):
        places = {"sources->base": (None, self.locations)}
        return self.edited(batch, unit_locations=places)[1]


def intervention(pyreft, variant, size, rank, activation):
    kind = getattr(pyreft, variant.capitalize() + "Intervention")
    made = kind(embed_dim=size, low_rank_dimension=rank, act_fn=activation, add_bias=False,
                dtype=torch.float64)
    if hasattr(made, "rotate_layer"):
        torch.nn.utils.parametrize.remove_parametrizations(made.rotate_layer, "weight")
        torch.nn.utils.parametrize.register_parametrization(
            made.rotate_layer, "weight", Orthonormal())
    return made.double()


def parts_of(made):
    """The trained tensors of pyreft's intervention, as they are named here."""
    parts = {}
    if hasattr(made, "rotate_layer"):
        parts["rotate_layer"] = made.rotate_layer.parametrizations.weight.original
    else:
        torch.nn.utils.parametrize.register_parametrization(
            made.proj_layer, "weight", Turned(), unsafe=True)
        parts["proj_layer"] = made.proj_layer.parametrizations.weight.original
    if isinstance(made.learned_source, torch.nn.Linear):
        parts["weight"], parts["bias"] = made.learned_source.weight, made.learned_source.bias
    else:
        parts["bias"] = made.learned_source
    return parts


@pytest.mark.parametrize("architecture", BLOCKS)
@pytest.mark.parametrize("name", EDITS)
def test_edits_take_the_steps_of_pyreft(place, architecture, name):
    pyreft, options = peers.load("pyreft"), {"rank": 3, **EDITS[name]}
    place = place(architecture)
    start = place.train(method="loreft", **options)
    model = place.model()
    blocks = ([int(options["layers"])] if "layers" in options
              else range(model.config.num_hidden_layers))
    ends = ["reft"] if "tied_positions" not in options else ["reft_first", "reft_last"]
    trained, representations = head_of(model, start), []
    for end in ends:
        for block in blocks:
            component = BLOCKS[architecture].format(block)
            made = intervention(pyreft, options.get("variant", "loreft"), model.config.hidden_size,
                                options["rank"], options.get("activation"))
            path = component.replace("[", ".").replace("].output", "")
            trained |= {f"{PREFIX}{path}.{end}.{part}": value
                        for part, value in parts_of(made).items()}
            representations.append(dict(
                component=component, low_rank_dimension=options["rank"], intervention=made))
    edited = pyreft.get_reft_model(
        model, pyreft.ReftConfig(representations=representations), set_device=False)
    lengths = place.batch()[0]["attention_mask"].sum(1).tolist()
    locations = [pyreft.get_intervention_locations(
        last_position=length, positions=options["positions"], num_interventions=len(
            representations), share_weights=len(ends) == 1) for length in lengths]
    begin(trained, start)
    model = Edited(edited, [one["intervention"] for one in representations], model,
                   [list(rows) for rows in zip(*locations)])
    records = place.loop(model)
    place.assert_same(records, trained)


# --- adapters -------------------------------------------------------------------------------------

SERIAL = dict(reduction_factor=4.0, mh_adapter=True, output_adapter=True)
# Where the ends of attention and feed-forward have their adapters there.
ENDS = {
    "bert": {"attention.output.dense": "attention.output.adapters.it",
             "output.dense": "output.adapters.it"},
    "llama": {"self_attn.o_proj": "attention_adapters.adapters.it",
              "mlp.down_proj": "output_adapters.adapters.it"},
    "gpt2": {"attn.c_proj": "attention_adapters.adapters.it",
             "mlp.c_proj": "output_adapters.adapters.it"},
}
BOTTLENECKS = {
    "Houlsby's": (
        dict(method="adapter-l", bottleneck=8, placement="houlsby"), "DoubleSeqBnConfig",
        dict(reduction_factor=4.0, non_linearity="gelu"), ["bert", "llama", "gpt2"]),
    "behind blocks": (
        dict(method="adapter-l", bottleneck=8), "BnConfig",
        dict(mh_adapter=False, output_adapter=True, reduction_factor=4.0, non_linearity="relu",
             ln_before=True, original_ln_before=True, original_ln_after=False,
             residual_before_ln=False), ["bert", "llama", "gpt2"]),
    "serial output, scaled": (
        dict(method="adapter-p", bottleneck=8, mode="serial-output", use_bias="true", scaling=0.5,
             activation="tanh"), "BnConfig",
        dict(**SERIAL, non_linearity="tanh", scaling=0.5), ["bert", "llama", "gpt2"]),
    "serial output, learned scale": (
        dict(method="adapter-p", bottleneck=4, mode="serial-output", use_bias="true",
             scaling="learned", activation="silu"), "BnConfig",
        dict(SERIAL, reduction_factor=8.0, non_linearity="silu", scaling="learned"), ["bert"]),
    "parallel": (
        dict(method="adapter-p", bottleneck=8, use_bias="true", init="mam", scaling=4,
             activation="relu", targets="query,value"), "ParBnConfig", {}, ["bert"]),
}


@pytest.fixture(scope="module")
def hub():
    hub = peers.AdapterHub()
    yield hub
    hub.close()


def beside_hub(place, hub, names, kind, config, batch=None, **more):
    """Trains with `adapters`, and compares."""
    inputs, labels = place.batch()
    files = {name: str(place.folder / f"{name}.safetensors") for name in ("batch", "hub")}
    save_file({**inputs, **(batch or {}), "labels": labels}, files["batch"])
    heads = {name: name[name.index("classifier."):] for name in place.start if "classifier." in name}
    records = hub.train(
        base=str(place.base), is_decoder=place.is_decoder, names={**names, **heads}, config=config,
        start=str(place.folder / "start" / "adapter_model.safetensors"), batch=files["batch"],
        output=files["hub"], loop=place.there, **{"class": kind}, **more)
    place.assert_same(records, load_file(files["hub"]))


def bottleneck_names(place, kind):
    """Each tensor's name in `adapters`."""
    names = {}
    for name in place.start:
        path, point, part = name.removeprefix(PREFIX).partition(".adapter_")
        if not point:
            continue
        for end, there in ENDS[place.architecture].items():
            if path.endswith(end):
                path = path.removesuffix(end) + there
                break
        else:
            path += "." + list(ENDS[place.architecture].values())[1]
        first = 1 if any(".adapter_norm" in one for one in place.start) else 0
        part = part.replace("down.", f"down.{first}.").replace("norm.", "norm_before.")
        part = "scaling" if part == "scaling" else "adapter_" + part
        names[name] = f"{path}.{part}"
    return names


@pytest.mark.parametrize("name, architecture", [
    (name, architecture) for name, row in BOTTLENECKS.items() for architecture in row[3]])
def test_bottlenecks_take_the_steps_of_adapters(place, hub, name, architecture):
    options, kind, config, _ = BOTTLENECKS[name]
    place = place(architecture)
    if name.startswith("serial"):
        options = dict(options, targets=",".join(ENDS[architecture]))
    place.train(**options)
    if name != "parallel":
        beside_hub(place, hub, bottleneck_names(place, kind), kind, config)
        return
    paths = paths_of(place.start, ".adapter_down.weight")
    names = {name: name.removeprefix(PREFIX).replace(".adapter_", ".adapter.adapter_").replace(
        "down.", "down.0.") for name in place.start if ".adapter_" in name}
    beside_hub(place, hub, names, kind, config, beside=dict(paths=paths, size=8))


HUB_EDITS = {
    "loreft": (dict(positions="f2+l2"), "LoReftConfig",
               dict(suffix_positions=2, tied_weights=True)),
    "loreft, apart": (
        dict(positions="f2+l2", tied_positions="false", layers="0"), "LoReftConfig",
        dict(suffix_positions=2, tied_weights=False, layers=[0])),
    "noreft": (dict(positions="f2", variant="noreft", activation="gelu"), "NoReftConfig",
               dict(suffix_positions=0, tied_weights=True, non_linearity="gelu")),
    "nodireft": (dict(positions="f1+l2", variant="nodireft"), "DiReftConfig",
                 dict(prefix_positions=1, suffix_positions=2, tied_weights=True)),
}


@pytest.mark.parametrize("architecture", ["bert", "llama"])
@pytest.mark.parametrize("name", HUB_EDITS)
def test_edits_take_the_steps_of_adapters(place, hub, name, architecture):
    options, kind, config = HUB_EDITS[name]
    place = place(architecture)
    place.train(method="loreft", rank=3, **options)
    names = {}
    for name in place.start:
        path, point, part = name.removeprefix(PREFIX).rpartition(".reft")
        if point:
            unit = 1 if part.startswith("_last") else 0
            part = part.partition(".")[2]
            there = f"learned_source.{part}"
            if part.endswith("_layer"):
                there = "projection.parametrizations.weight.original"
            names[name] = f"{path}.reft_layer.refts.it.units.{unit}.{there}"
    beside_hub(place, hub, names, kind,
               dict(prefix_positions=2, r=3, dropout=0.0) | config)


@pytest.mark.parametrize("architecture, name", [
    ("bert", "bert.prefix_tuning.prefix_tunings.it.self_prefix.control_trans"),
    ("llama", "model.prefix_tuning.prefix_tunings.it.self_prefix.control_trans"),
    ("gpt2", "transformer.prefix_tuning.prefix_tunings.it.self_prefix.control_trans")])
def test_prefixes_take_the_steps_of_adapters(place, hub, architecture, name):
    """A prefix takes places: the first token of the text stands behind it, as in PEFT and in the
    authors' code. `adapters` leaves the tokens where they were, and is told where they are."""
    place = place(architecture)
    place.train(method="prefix", virtual_tokens=V)
    mask = place.batch()[0]["attention_mask"]
    positions = torch.arange(mask.shape[1]).expand_as(mask) + V
    (key,) = [name for name in place.start if "classifier." not in name]
    beside_hub(place, hub, {key: name}, "PrefixTuningConfig",
               dict(flat=True, prefix_length=V, dropout=0.0), {"position_ids": positions.clone()})
