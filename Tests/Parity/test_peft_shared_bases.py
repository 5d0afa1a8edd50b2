"""VeRA and RandLoRA, whose random matrices all layers share, between peft and this package; MoRA and
FLoRA, which peft does not have, against their papers' equations written out in torch."""

import math
import shutil

import pytest
import torch
from peft import PeftModel, RandLoraConfig, TaskType, VeraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

import decoders
import harness
from harness import WORDS
from plain_text import text, tokenizer

# Peft warns where bases come from the key, and of copies that are not written here.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

ROWS = harness.sequences([6, 11, 1, 9], vocabulary=30, seed=3)

# Layers of several shapes: k = d, k < d and k > d, so that the shared matrices are cut.
TARGETS = {
    "llama-grouped": ["q_proj", "k_proj", "up_proj", "down_proj"],
    "gpt2": ["c_attn", "c_fc", "c_proj"],
    "bert": ["query", "intermediate.dense", "output.dense"],
}
SHAPES = list(TARGETS)


def make_base(name, folder):
    if name == "bert":
        return harness.save(harness.bert(num_labels=2), folder)
    decoders.make(name, folder, vocab_size=len(WORDS) + 4)
    tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def base(folder_of):
    return lambda name: folder_of(("base", name), lambda folder: make_base(name, folder))


def load_base(folder):
    if (folder / "vocab.txt").exists():  # BERT's
        return AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=2, dtype=torch.float32).eval()
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def logits_there(model):
    """What transformers or peft says of each sequence by itself."""
    with torch.no_grad():
        found = [model(torch.tensor([row])).logits.float() for row in ROWS]
    return [logits[0] for logits in found]


def logits_here(folder, base, adapter=None, **options):
    made = harness.forward(folder, base, ROWS, adapter=adapter, **options)["logits"]
    return [row[:len(ids)] if row.dim() == 2 else row for row, ids in zip(made, ROWS)]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        harness.assert_close({"logits": one}, {"logits": other})


def assert_different(found, expected):
    assert max((one - other).abs().max() for one, other in zip(found, expected)) > 1e-2


def randomize(model, seed=4):
    """Numbers that matter for everything that trains."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                size = 0.02 if "randlora" in name else 0.3
                parameter.copy_(size * torch.randn(parameter.shape, generator=generator))


def make_adapter(base, folder, config, targets, **options):
    """Saves an adapter of peft with random numbers; peft's model."""
    plain = load_base(base)
    kind = TaskType.SEQ_CLS if hasattr(plain, "classifier") else TaskType.CAUSAL_LM
    model = get_peft_model(
        plain, config(task_type=kind, target_modules=targets, **options)).eval()
    randomize(model)
    model.save_pretrained(folder)
    return model


MADE = {
    "vera": dict(config=VeraConfig, r=5),
    "vera of a large rank": dict(config=VeraConfig, r=70),
    "vera without projections": dict(
        config=VeraConfig, r=5, save_projection=False, projection_prng_key=11),
    "vera of a negative key": dict(
        config=VeraConfig, r=5, save_projection=False, projection_prng_key=-3),
    "vera with biases": dict(config=VeraConfig, r=5, bias="vera_only"),
    "randlora": dict(config=RandLoraConfig, r=5),
    "randlora of one base": dict(config=RandLoraConfig, r=40, randlora_alpha=80),
    "randlora of rank 1": dict(config=RandLoraConfig, r=1, randlora_alpha=20),
    "randlora, sparse": dict(config=RandLoraConfig, r=4, sparse=True),
    "randlora, very sparse": dict(config=RandLoraConfig, r=4, very_sparse=True),
    "randlora without bases": dict(
        config=RandLoraConfig, r=5, save_projection=False, projection_prng_key=12),
    "randlora without sparse bases": dict(
        config=RandLoraConfig, r=5, save_projection=False, sparse=True),
    "randlora without very sparse bases": dict(
        config=RandLoraConfig, r=5, save_projection=False, very_sparse=True),
    "randlora with biases": dict(config=RandLoraConfig, r=5, bias="randlora_only"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MADE)
def test_an_adapter_of_peft_gives_the_logits_of_peft(tmp_path, base, name, shape):
    model = make_adapter(base(shape), tmp_path / "adapter", targets=TARGETS[shape], **MADE[name])
    found = logits_here(tmp_path, base(shape), tmp_path / "adapter")
    assert_same(found, logits_there(model))
    assert_different(found, logits_here(tmp_path, base(shape)))


@pytest.mark.parametrize("config", [VeraConfig, RandLoraConfig])
def test_one_layer_alone_has_matrices_of_its_own_size(tmp_path, base, config):
    """Not those of the largest layer of the model."""
    model = make_adapter(
        base("llama-grouped"), tmp_path / "adapter", config, ["k_proj"], r=3,
        layers_to_transform=[1], save_projection=False)
    assert_same(
        logits_here(tmp_path, base("llama-grouped"), tmp_path / "adapter"), logits_there(model))


def edit_tensors(adapter, change):
    path = adapter / "adapter_model.safetensors"
    tensors = change(load_file(path))
    save_file({name: value.clone() for name, value in tensors.items()}, path)


def without(*endings):
    return lambda tensors: {
        name: value for name, value in tensors.items() if not name.endswith(endings)}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_of_randlora_may_lack_copies_or_all_bases(tmp_path, base, shape):
    """Peft takes what is there, and the key's bases where nothing is."""
    folder = base(shape)
    make_adapter(folder, tmp_path / "whole", RandLoraConfig, TARGETS[shape], r=5)
    whole = logits_here(tmp_path, folder, tmp_path / "whole")
    tensors = load_file(tmp_path / "whole" / "adapter_model.safetensors")
    copies = [name for name in tensors if name.endswith("randlora_B")
              and name != "base_model.randlora_B"]
    assert copies, "peft no longer repeats the bases"

    def edited(name, change):
        shutil.copytree(tmp_path / "whole", tmp_path / name)
        edit_tensors(tmp_path / name, change)
        found = logits_here(tmp_path, folder, tmp_path / name)
        assert_same(found, logits_there(
            PeftModel.from_pretrained(load_base(folder), tmp_path / name).eval()))
        return found

    shared = {"base_model.randlora_A", "base_model.randlora_B"}
    assert_same(edited("no copies", lambda all: {
        name: value for name, value in all.items()
        if name in shared or not name.endswith(("randlora_A", "randlora_B"))}), whole)
    # The key is the same, and so are the bases.
    assert_same(edited("no bases", without("randlora_A", "randlora_B")), whole)
    # Bases that no key gives: only the copies have them.
    found = edited("only copies", lambda all: {
        name: -2 * value if name.endswith("randlora_B") else value
        for name, value in all.items() if name not in shared})
    assert_different(found, whole)


def test_a_file_of_vera_without_its_projections_is_refused_as_by_peft(tmp_path, base):
    folder = base("llama-grouped")
    make_adapter(folder, tmp_path / "adapter", VeraConfig, ["q_proj"], r=5)
    edit_tensors(tmp_path / "adapter", without("vera_A"))
    with pytest.raises(ValueError, match="vera_A"):
        PeftModel.from_pretrained(load_base(folder), tmp_path / "adapter")
    done = harness.run("forward", model=folder, adapter=tmp_path / "adapter", ids="1 2",
                       output=tmp_path / "out.safetensors")
    harness.assert_refused(done, "base_model.vera_A")


@pytest.mark.parametrize("config, shared", [
    (VeraConfig, "vera_A"), (RandLoraConfig, "randlora_B")])
def test_matrices_that_are_not_to_be_saved_come_from_the_key_whatever_the_file_has(
        tmp_path, base, config, shared):
    folder = base("llama-grouped")
    make_adapter(folder, tmp_path / "adapter", config, ["q_proj", "up_proj"], r=5)
    edit_tensors(tmp_path / "adapter", lambda tensors: {
        name: -2 * value if name.endswith(shared) else value for name, value in tensors.items()})
    harness.edit_json(tmp_path / "adapter" / "adapter_config.json", save_projection=False)
    model = PeftModel.from_pretrained(load_base(folder), tmp_path / "adapter").eval()
    assert_same(logits_here(tmp_path, folder, tmp_path / "adapter"), logits_there(model))


def test_a_projection_of_another_shape_is_refused(tmp_path, base):
    folder = base("llama-grouped")
    make_adapter(folder, tmp_path / "adapter", VeraConfig, ["q_proj"], r=5)
    edit_tensors(tmp_path / "adapter", lambda tensors: {
        name: value[:, :-1] if name.endswith("vera_A") else value
        for name, value in tensors.items()})
    done = harness.run("forward", model=folder, adapter=tmp_path / "adapter", ids="1 2",
                       output=tmp_path / "out.safetensors")
    harness.assert_refused(done, "base_model.vera_A", "[5, 31]", "[5, 32]")


# --- trained here ---------------------------------------------------------------------------------


def train(folder, base, shape, task_data, steps=6, **options):
    """A short run; the adapter's folder."""
    given = {**dict(steps=steps, batch_size=4, learning_rate=2e-2, dtype="float32",
                    targets=",".join(TARGETS[shape])), **options}
    if shape == "bert":
        harness.train(base, task_data("rte"), folder / "adapter", task="rte", **given)
    else:
        (folder / "train.txt").write_text(text(100, 1))
        harness.train(base, folder / "train.txt", folder / "adapter", task="text",
                      max_length=16, **given)
    return folder / "adapter"


TRAINED = {
    "vera": dict(method="vera", rank=6),
    "vera without projections": dict(
        method="vera", rank=300, save_projection="false", projection_prng_key=5),
    "vera with dropout and biases": dict(method="vera", rank=6, dropout=0.2, bias="all"),
    "vera of another start": dict(method="vera", rank=6, d_initial=0.5),
    "randlora": dict(method="randlora", rank=5),
    "randlora, sparse": dict(method="randlora", rank=5, sparse="true"),
    "randlora, very sparse": dict(method="randlora", rank=5, very_sparse="true", alpha=30),
    "randlora without bases": dict(
        method="randlora", rank=5, save_projection="false", projection_prng_key=5),
    "randlora with dropout and biases": dict(
        method="randlora", rank=5, dropout=0.2, bias="randlora_only"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", TRAINED)
def test_an_adapter_trained_here_gives_the_same_logits_in_peft(
        tmp_path, base, task_data, name, shape):
    adapter = train(tmp_path, base(shape), shape, task_data, **TRAINED[name])
    found = logits_here(tmp_path, base(shape), adapter)
    model = PeftModel.from_pretrained(load_base(base(shape)), adapter).eval()
    assert_same(found, logits_there(model))
    assert_different(found, logits_here(tmp_path, base(shape)))
    names = load_file(adapter / "adapter_model.safetensors").keys()
    shared = {name for name in names if name.endswith(("_A", "_B"))}
    saved = "save_projection" not in TRAINED[name]
    kind = TRAINED[name]["method"]
    assert shared == ({f"base_model.{kind}_A", f"base_model.{kind}_B"} if saved else set())


@pytest.mark.parametrize("method, config, variant", [
    ("vera", VeraConfig, {}), ("randlora", RandLoraConfig, {}),
    ("randlora", RandLoraConfig, {"sparse": True}),
    ("randlora", RandLoraConfig, {"very_sparse": True})])
def test_the_shared_matrices_are_those_of_peft_bit_for_bit(
        tmp_path, base, task_data, method, config, variant):
    adapter = train(
        tmp_path, base("llama-grouped"), "llama-grouped", task_data, steps=1, method=method,
        rank=6, projection_prng_key=9, **{name: "true" for name in variant})
    make_adapter(base("llama-grouped"), tmp_path / "there", config, TARGETS["llama-grouped"], r=6,
                 projection_prng_key=9, **variant)
    here, there = (load_file(folder / "adapter_model.safetensors")
                   for folder in (adapter, tmp_path / "there"))
    for side in "AB":
        assert torch.equal(here[f"base_model.{method}_{side}"], there[f"base_model.{method}_{side}"])


@pytest.mark.parametrize("method, config", [("vera", VeraConfig), ("randlora", RandLoraConfig)])
def test_the_start_and_the_fields_are_those_of_peft(tmp_path, base, task_data, method, config):
    folder = base("llama-grouped")
    adapter = train(tmp_path, folder, "llama-grouped", task_data, steps=1, method=method,
                    learning_rate=1e-30)
    get_peft_model(load_base(folder), config(
        task_type=TaskType.CAUSAL_LM, target_modules=TARGETS["llama-grouped"])
    ).save_pretrained(tmp_path / "there")
    here, there = (load_file(place / "adapter_model.safetensors")
                   for place in (adapter, tmp_path / "there"))
    assert here.keys() <= there.keys()
    for name, value in here.items():
        assert torch.equal(value, there[name]), name
    fields, expected = (harness.read_json(place / "adapter_config.json")
                        for place in (adapter, tmp_path / "there"))
    own = {"r", "bias", "fan_in_fan_out", "init_weights", "projection_prng_key",
           "save_projection", "vera_dropout", "d_initial", "randlora_alpha", "randlora_dropout",
           "sparse", "very_sparse", "peft_type", "task_type"}
    assert {key: fields.get(key) for key in own & expected.keys()} == {
        key: expected[key] for key in own & expected.keys()}


# --- MoRA -----------------------------------------------------------------------------------------


def side_of(kind, rank, outputs, inputs):
    side = int(math.sqrt((outputs + inputs) * rank) + 0.5)
    return side // 2 * 2 if kind == 6 else side


def group_sizes(size, side):
    """The first groups have one element more."""
    return [size // side + (i < size - side * (size // side)) for i in range(side)]


def mora_path(x, matrix, kind, outputs):
    """decompress(M compress(x)), as section 3.2 of the paper and its code have it."""
    inputs, side = x.shape[-1], matrix.shape[0]
    if kind in (2, 3):
        compressed = torch.stack(
            [part.sum(-1) for part in x.split(group_sizes(inputs, side), -1)], -1)
    else:
        filling = -inputs % side
        chunks = torch.cat([x, x[..., :filling]], -1).unflatten(-1, (-1, side))
        if kind == 6:
            theta = 10000.0 ** (-2 * torch.arange(side // 2) / side)
            angle = torch.arange(chunks.shape[-2])[:, None] * theta
            first, second = chunks[..., :side // 2], chunks[..., side // 2:]
            turned = torch.cat([first * angle.cos() - second * angle.sin(),
                                second * angle.cos() + first * angle.sin()], -1)
            result = (turned @ matrix.T).flatten(-2)
        else:
            compressed = chunks.sum(-2)
    if kind != 6:
        result = compressed @ matrix.T
    if kind in (2, 4):
        sizes = torch.tensor(group_sizes(outputs, side))
        return result.repeat_interleave(sizes, -1)
    return result[..., torch.arange(outputs) % result.shape[-1]]


def with_mora(base, adapter):
    """The base in transformers with the path beside each adapted layer."""
    model, kind = load_base(base), harness.read_json(adapter / "adapter_config.json")["mora_type"]
    for name, value in harness.saved_tensors(adapter).items():
        if not name.endswith("lora_A.weight"):
            model.get_parameter(name).data.copy_(value)
            continue

        def hook(module, given, output, matrix=value):
            return output + mora_path(given[0], matrix, kind, output.shape[-1])

        model.get_submodule(name.removesuffix(".lora_A.weight")).register_forward_hook(hook)
    return model


# Ranks at which r̂ divides neither size, or one, or is above a size.
@pytest.mark.parametrize("rank", [1, 3, 16, 24])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_mora_trained_here_is_the_equations_of_the_paper(
        tmp_path, base, task_data, shape, kind, rank):
    adapter = train(tmp_path, base(shape), shape, task_data, steps=3, method="mora", rank=rank,
                    mora_type=kind)
    found = logits_here(tmp_path, base(shape), adapter)
    assert_same(found, logits_there(with_mora(base(shape), adapter)))
    assert_different(found, logits_here(tmp_path, base(shape)))


def test_a_mora_of_the_authors_fork_is_read_and_its_two_names_must_agree(
        tmp_path, base, task_data):
    """The fork's file calls itself LORA and has the one matrix twice."""
    folder = base("llama-grouped")
    adapter = train(tmp_path, folder, "llama-grouped", task_data, method="mora", mora_type=6)
    fork = tmp_path / "fork"
    shutil.copytree(adapter, fork)
    harness.edit_json(fork / "adapter_config.json", peft_type="LORA", lora_alpha=16)
    edit_tensors(fork, lambda tensors: tensors | {
        name.replace("lora_A", "lora_B"): value for name, value in tensors.items()})
    found = logits_here(tmp_path, folder, adapter)
    for one, other in zip(logits_here(tmp_path, folder, fork), found):
        assert torch.equal(one, other)
    edit_tensors(fork, lambda tensors: {
        name: value * 2 if "layers.1.mlp.up_proj.lora_B" in name else value
        for name, value in tensors.items()})
    done = harness.run("forward", model=folder, adapter=fork, ids="1 2",
                       output=tmp_path / "out.safetensors")
    harness.assert_refused(done, "layers.1.mlp.up_proj.lora_A.weight", "lora_B", "differ")


@pytest.mark.parametrize("number", [0, 5, 7, "first"])
def test_an_unknown_type_of_mora_is_refused(tmp_path, base, task_data, number):
    adapter = train(tmp_path, base("llama-grouped"), "llama-grouped", task_data, steps=1,
                    method="mora")
    harness.edit_json(adapter / "adapter_config.json", mora_type=number)
    done = harness.run("forward", model=base("llama-grouped"), adapter=adapter, ids="1 2",
                       output=tmp_path / "out.safetensors")
    harness.assert_refused(done, "mora_type")
    done = harness.run("train", model=base("llama-grouped"), data=tmp_path / "train.txt",
                       task="text", method="mora", mora_type=number, output=tmp_path / "out")
    harness.assert_refused(done, "--mora-type")


# --- FLoRA ----------------------------------------------------------------------------------------


def with_flora(base, adapter, scale):
    model, layers = load_base(base), {}
    for name, value in harness.saved_tensors(adapter).items():
        if ".lora_" in name:
            path, factor = name.removesuffix(".weight").rsplit(".lora_", 1)
            layers.setdefault(path, {})[factor] = value
        else:
            model.get_parameter(name).data.copy_(value)
    for path, factors in layers.items():
        update = scale * factors["B"] @ factors["E"] @ factors["A"]
        module = model.get_submodule(path)
        transposed = type(module).__name__ == "Conv1D"
        module.weight.data += update.T if transposed else update
    return model


@pytest.mark.parametrize("options, scale", [
    (dict(rank=4), 2), (dict(rank=5, alpha=3), 3 / 5), (dict(rank=4, dropout=0.2), 2),
    (dict(rank=3, alpha=6, init_style="nlu"), 6 / (3 + 1e-5))])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_flora_trained_here_is_the_equation_of_the_paper(
        tmp_path, base, task_data, shape, options, scale):
    adapter = train(tmp_path, base(shape), shape, task_data, method="flora", **options)
    found = logits_here(tmp_path, base(shape), adapter)
    assert_same(found, logits_there(with_flora(base(shape), adapter, scale)))
    if options.get("init_style") != "nlu":
        assert_different(found, logits_here(tmp_path, base(shape)))


# --- refusals -------------------------------------------------------------------------------------

BAD = {
    "vera": [dict(rank=0), dict(d_initial=0), dict(d_initial="inf"), dict(bias="lora_only"),
             dict(save_projection="perhaps"), dict(projection_prng_key="x"), dict(alpha=3)],
    "randlora": [dict(rank=0), dict(alpha=-1), dict(sparse="yes"), dict(very_sparse=3),
                 dict(bias="vera_only"), dict(dropout=1)],
    "mora": [dict(rank=0), dict(alpha=3), dict(bias="vera_only")],
    "flora": [dict(rank=0), dict(init_style="vision"), dict(alpha=0)],
}


@pytest.mark.parametrize("method, options", [
    (method, options) for method, rows in BAD.items() for options in rows])
def test_a_bad_option_is_refused_by_name(tmp_path, base, method, options):
    (tmp_path / "train.txt").write_text(text(20, 1))
    done = harness.run("train", model=base("llama-grouped"), data=tmp_path / "train.txt",
                       task="text", method=method, output=tmp_path / "out", **options)
    option = next(iter(options)).replace("_", "-")
    harness.assert_refused(done, f"--{option}", method)
    assert not (tmp_path / "out").exists()
