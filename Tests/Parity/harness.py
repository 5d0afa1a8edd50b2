"""Runs the command under test, and makes the small models of the tests."""

import hashlib
import json
import math
import random
import subprocess
import sys

import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM, AutoModelForSequenceClassification, BertConfig,
    BertForSequenceClassification)

import decoders
import fork_server
from fork_server import COMMAND, ROOT


SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ("a the one two red old small man woman dog cat child bird house river is was sees likes "
         "finds eats runs sleeps not never and with near under slowly gladly").split()
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
VOCABULARY = [*SPECIALS, *WORDS, *(c for c in LETTERS if c not in WORDS),
              *("##" + c for c in LETTERS), ".", ",", "!", "?"]


# --- the command ----------------------------------------------------------------------------------


def flags(**options):
    """Spells `learning_rate=1, resume=True` as the command line does; None leaves an option out, and
    a list gives it as often as it is long."""
    words = []
    for name, value in options.items():
        if isinstance(value, list):
            words += [word for item in value for word in flags(**{name: item})]
            continue
        name = "--" + name.replace("_", "-")
        if value is True:
            words.append(name)
        elif str(value).startswith("-"):
            words.append(f"{name}={value}")
        elif value is not None:
            words += [name, str(value)]
    return words


def run(*words, input=None, timeout=120, before=None, **options):
    """Runs the command, whatever comes of it; `before` is called in the new process first."""
    words = [*map(str, words), *flags(**options)]
    if before is None and sys.platform == "linux":
        return fork_server.of_tests().run(words, input, timeout)
    return subprocess.run(
        [str(COMMAND), *words], capture_output=True, text=True, encoding="utf-8", input=input,
        timeout=timeout, preexec_fn=before)


def succeed(*words, **options):
    """Runs the command, which must end well; its standard output."""
    done = run(*words, **options)
    assert done.returncode == 0, f"{done.args} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def answers(values, *words, **options):
    """What a command says of values that it reads from standard input, each a line of JSON."""
    lines = "".join(json.dumps(value) + "\n" for value in values)
    printed = succeed(*words, input=lines, **options)
    made = [json.loads(line) for line in printed.split("\n") if line]
    assert len(made) == len(values)
    return made


def tokenize(folder, rows, *options):
    """What `duallora tokenize` makes of texts, or with `--decode` of ids."""
    return answers(rows, "tokenize", *options, model=folder, stdin=True, timeout=None)


def assert_refused(done, *words, usage=False, running=False):
    """The command failed with one line on standard error, which has all the words.

    Notes may stand before it, the usage after an error of usage, and the progress before the error
    of a run that had begun.
    """
    text = done.stderr
    assert done.returncode > 0, f"ended with {done.returncode}: {text}"
    for word in ("Fatal error", "Exception raised from", "Traceback", "Swift runtime failure"):
        assert word not in text
    lines = [line for line in text.splitlines() if not line.startswith("note: ")]
    if usage:
        lines = lines[:1]
    if running:
        lines = lines[-1:]
    assert len(lines) == 1 and lines[0].startswith("Error: "), text
    for word in words:
        assert word in lines[0], f"'{word}' is not in: {lines[0]}"
    assert text.count("Error: ") == 1, text


def forward(folder, model, sequences, types=None, **options):
    """The tensors that `duallora forward` writes, by name."""
    output = folder / "forward.safetensors"
    words = [word for ids in sequences for word in ("--ids", " ".join(map(str, ids)))]
    for row in types or []:
        words += ["--type-ids", " ".join(map(str, row))]
    succeed("forward", *words, model=model, output=output, **options)
    return load_file(output)


def train(model, data, output, **options):
    """Runs `duallora train`; what result.json holds."""
    succeed("train", model=model, data=data, output=output, **options)
    return read_json(output / "result.json")


def log_of(output):
    """train.jsonl as two lists: steps and evaluations."""
    records = [json.loads(line) for line in (output / "train.jsonl").read_text().splitlines()]
    return ([record for record in records if "loss" in record],
            [record for record in records if "evaluation_loss" in record])


def read_json(path):
    return json.loads(path.read_text())


def edit_json(path, **changes):
    """Sets fields of a JSON file; None takes a field away."""
    fields = {**read_json(path), **changes}
    path.write_text(json.dumps({key: value for key, value in fields.items() if value is not None}))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- models ---------------------------------------------------------------------------------------

SHAPE = dict(
    vocab_size=len(VOCABULARY), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    intermediate_size=64, max_position_embeddings=64)
NO_DROPOUT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def randomize(model, seed):
    """Gives every parameter numbers that matter: at transformers' own start biases are 0, norms 1
    and outputs tiny, so that much could be wrong unseen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "LayerNorm.weight" in name:
                parameter.copy_(1 + 0.2 * noise)
            elif parameter.dim() == 1:
                parameter.copy_(0.2 * noise)
            elif "embeddings" in name:
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(noise / parameter.shape[1] ** 0.5)
    return model


def bert(kind=BertForSequenceClassification, seed=0, arguments=None, **config):
    """A random BERT."""
    config = BertConfig(**{**SHAPE, **config})
    return randomize(kind(config, **(arguments or {})), seed).eval()


def save(model, folder, tokenizer=True, **options):
    """Saves a model, with a tokenizer for its vocabulary."""
    model.save_pretrained(folder, **options)
    if tokenizer:
        (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps(
            {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64}))
    return folder


def load(folder, **options):
    """The classifier in a folder, in float32, every weight of which the folder must have."""
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, **options)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    return model.eval()


def sequences(lengths, vocabulary=len(VOCABULARY), seed=0):
    dice = random.Random(seed)
    return [[dice.randrange(vocabulary) for _ in range(length)] for length in lengths]


def padded(rows, filler, side="right"):
    """Rows of one length, and the mask that tells what is filling."""
    length = max(map(len, rows))

    def pad(row, value):
        rest = [value] * (length - len(row))
        return rest + row if side == "left" else row + rest

    return (torch.tensor([pad(row, filler) for row in rows]),
            torch.tensor([pad([1] * len(row), 0) for row in rows]))


def at_tokens(outputs, rows, side="right"):
    """Outputs of a batch without what stands at padding: that is for nobody to read, and where no
    token of training ever stood a value may be many times as sensitive to rounding. Virtual tokens,
    which stand before all others, stay."""
    mask = padded(rows, 0, side)[1].bool()

    def kept(value):
        virtual = value.shape[1] - mask.shape[1]
        return value[torch.nn.functional.pad(mask, (virtual, 0), value=True)]

    return {name: kept(value) if value.dim() == 3 else value for name, value in outputs.items()}


def reference(model, rows, types=None, side="right"):
    """What transformers (or peft) makes of the same batch: `hidden` at its tokens, and a
    classifier's `logits`."""
    ids, mask = padded(rows, model.config.pad_token_id or 0, side)
    kinds = padded(types or [[0] * len(row) for row in rows], 0, side)[0]
    with torch.no_grad():
        made = model(input_ids=ids, attention_mask=mask, token_type_ids=kinds,
                     output_hidden_states=True)
    outputs = {"hidden": made.hidden_states[-1]}
    if made.get("logits") is not None and made.logits.dim() == 2:  # not those of BertForMaskedLM
        outputs["logits"] = made.logits
    return at_tokens(outputs, rows, side)


def assert_close(found, expected, tolerance=1e-4):
    """Element by element, absolutely."""
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].shape == expected[name].shape, name
        difference = (found[name].double() - expected[name].double()).abs().max().item()
        assert difference < tolerance, f"{name} differs by {difference:.2e}"


def assert_as_exact(found, theirs, exact):
    """As near to the exact numbers, those of float64, as the reference's own float32 comes.

    Both add the same rounding errors up in another order, so that their errors have one size; the
    largest of many is within a factor of 2 of the other's, and chains of sums that are four times
    as long, as on narrower vectors, have errors that are twice as large: 4 in all."""
    assert found.keys() == theirs.keys() == exact.keys()
    for name in exact:
        error, measure = ((value.double() - exact[name]).abs().max().item()
                          for value in (found[name], theirs[name]))
        assert error <= 4 * measure, f"{name} is off by {error:.2e}, the reference by {measure:.2e}"


def relative_error(found, expected):
    """The norm of the difference as a share of the norm."""
    return ((found.double() - expected.double()).norm() / expected.double().norm()).item()


# --- a model of every architecture ----------------------------------------------------------------

# Whose weights lie as they are used, whose are kept transposed, and an encoder: the names of the
# attention's first layers, and of the last layer of a block.
ARCHITECTURES = {
    "llama": dict(attention=["q_proj", "v_proj"], last="down_proj", path="model.layers"),
    "gpt2": dict(attention=["c_attn"], last="mlp.c_proj", path="transformer.h"),
    "bert": dict(attention=["query", "value"], last="output.dense", path="bert.encoder.layer"),
}
_DECODERS = {"llama": "llama-grouped", "gpt2": "gpt2"}


def make_base(architecture, folder, **changes):
    """Saves a random model; the folder."""
    if architecture == "bert":
        return save(bert(**{"num_labels": 2, **changes}), folder, tokenizer=False)
    decoders.make(_DECODERS[architecture], folder, **changes)
    return folder


def open_base(folder):
    """The model in a folder, in transformers and float32."""
    is_encoder = read_json(folder / "config.json")["model_type"] == "bert"
    kind = AutoModelForSequenceClassification if is_encoder else AutoModelForCausalLM
    return kind.from_pretrained(folder, dtype=torch.float32).eval()


def rows_of(architecture, lengths=(6, 11, 1, 9)):
    """Sequences that both sides are asked about."""
    return sequences(lengths, len(VOCABULARY) if architecture == "bert" else 90, seed=3)


def outputs_there(model, rows):
    """What transformers, or peft, says at the tokens that are no padding."""
    if model.config.model_type == "bert":
        return reference(model, rows)
    logits, hidden, mask = decoders.logits(model, rows, "left")
    return {"logits": logits[mask], "hidden": hidden[mask]}


def outputs_here(place, base, rows, **options):
    """What `duallora forward` says at the tokens that are no padding."""
    side = "right" if read_json(base / "config.json")["model_type"] == "bert" else "left"
    return at_tokens(forward(place, base, rows, padding=side, **options), rows, side)


def randomize_trained(model, seed=4, deviation=0.3):
    """Everything that trains, and peft saves, gets numbers that matter."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(deviation * torch.randn(parameter.shape, generator=generator))


# --- adapters -------------------------------------------------------------------------------------

# A run long enough for the adapter to matter.
BRIEF = dict(steps=6, batch_size=8, learning_rate=2e-2, head_learning_rate=1e-2, dtype="float32")


def saved_tensors(adapter):
    """The adapter's tensors without peft's prefix."""
    tensors = load_file(adapter / "adapter_model.safetensors")
    assert all(name.startswith("base_model.model.") for name in tensors)
    return {name.removeprefix("base_model.model."): value for name, value in tensors.items()}


def dual_update(factors, config):
    """Equations 5, 6 and 9 of the paper, with Sign(0) = -1."""
    magnitude = torch.relu(factors["B"] @ factors["A"])
    product = factors["D"] @ factors["C"]
    direction = torch.where(product > 0, 1.0, -1.0)
    scale = config["lora_alpha"] / math.sqrt(config["r1"] * config["r2"])
    return config.get("gate", 1.0) * scale * magnitude * direction


def factors_of(tensors):
    """{module path: {"A": ..., "B": ..., "C": ..., "D": ...}}"""
    layers = {}
    for name, value in tensors.items():
        if ".dual_lora_" in name:
            path, factor = name.removesuffix(".weight").rsplit(".dual_lora_", 1)
            layers.setdefault(path, {})[factor] = value
    return layers
