"""Bad files: an exit code that is not 0, one clear line on standard error, nothing half written."""

import os
import random
import shutil
import struct

import pytest
from safetensors.torch import load_file, save_file

import harness
from bad_input import evaluate, forward, merge, rows, train


def nan_weights(given):
    tensors = load_file(given.weights)
    key = next(key for key in tensors if key.endswith("encoder.layer.1.output.dense.weight"))
    tensors[key][3] = float("nan")
    save_file(tensors, given.weights, metadata={"format": "pt"})


def loop(path):
    """Puts two links that name each other in a file's place."""
    other = path.with_name("other-" + path.name)
    path.unlink(missing_ok=True)
    path.symlink_to(other)
    other.symlink_to(path)


# What is spoiled, the command that meets it, and words that its message must have.
FILES = {
    "no model folder": (
        lambda g: shutil.rmtree(g.model), forward, ["model"]),
    "model is a file": (
        lambda g: (shutil.rmtree(g.model), g.model.write_text("x")), forward, ["model"]),
    "no config.json": (lambda g: (g.model / "config.json").unlink(), forward, ["config.json"]),
    "config.json is cut": (
        lambda g: (g.model / "config.json").write_text('{"model_type": "bert",'), forward,
        ["config.json"]),
    "config.json is a list": (
        lambda g: (g.model / "config.json").write_text("[1]"), forward, ["config.json"]),
    "weights of NaN, run": (
        nan_weights, forward, ["hidden states of token 1 of sequence 1 are not numbers"]),
    "weights of NaN, scored": (nan_weights, evaluate, ["loss", "nan", "not numbers"]),
    "config.json is a loop of links": (
        lambda g: loop(g.model / "config.json"), forward, ["config.json", "symbolic links"]),
    "weights are a loop of links": (
        lambda g: loop(g.weights), forward, ["model.safetensors", "symbolic links"]),
    "weights are a link to nothing": (
        lambda g: (g.weights.unlink(), g.weights.symlink_to(g.model / "gone")), forward,
        ["model.safetensors", "no such file"]),
    "an index is a loop of links": (
        lambda g: loop(g.folder / "shards/model.safetensors.index.json"),
        lambda g: forward(g, model=g.folder / "shards"), ["index.json", "symbolic links"]),
    "a vocabulary is a loop of links": (
        lambda g: loop(g.model / "vocab.txt"), train, ["vocab.txt"]),
    "an adapter's configuration is a loop of links": (
        lambda g: loop(g.folder / "lora/adapter_config.json"), merge,
        ["adapter_config.json", "symbolic links"]),
    "an adapter's weights are a loop of links": (
        lambda g: loop(g.folder / "lora/adapter_model.safetensors"), merge,
        ["adapter_model.safetensors", "symbolic links"]),
    "task data are a loop of links": (
        lambda g: loop(g.data / "train.tsv"), train, ["train.tsv"]),
    "the model's folder is a loop of links": (
        lambda g: (shutil.rmtree(g.model), loop(g.model)), forward, ["model"]),
    "no weights": (lambda g: g.weights.unlink(), forward, ["model.safetensors"]),
    "only a pickle": (
        lambda g: g.weights.rename(g.model / "pytorch_model.bin"), forward, ["pytorch_model.bin"]),
    "no tokenizer": (
        lambda g: (g.model / "vocab.txt").unlink(), train, ["tokenizer.json", "vocab.txt"]),
    "tokenizer.json is cut": (
        lambda g: (g.model / "tokenizer.json").write_text("{"), train, ["tokenizer.json"]),
    "empty weights": (lambda g: g.weights.write_bytes(b""), forward, ["model.safetensors"]),
    "five bytes of weights": (
        lambda g: g.weights.write_bytes(b"abcde"), forward, ["model.safetensors"]),
    "weights cut in the data": (
        lambda g: g.weights.write_bytes(g.weights.read_bytes()[:-1000]), forward,
        ["model.safetensors", "truncated"]),
    "weights cut in the header": (
        lambda g: g.weights.write_bytes(g.weights.read_bytes()[:200]), forward,
        ["model.safetensors", "header"]),
    "weights with a tail": (
        lambda g: g.weights.write_bytes(g.weights.read_bytes() + b"tail"), forward,
        ["model.safetensors", "4 bytes"]),
    "header length 0": (lambda g: g.length(0), forward, ["model.safetensors", "header"]),
    "header length too small": (lambda g: g.length(100), forward, ["model.safetensors", "header"]),
    "header length past the end": (
        lambda g: g.length(10 ** 6), forward, ["model.safetensors", "header"]),
    "header length of 2^63": (
        lambda g: g.length(2 ** 63), forward, ["model.safetensors", "header"]),
    "header length of 2^64 - 1": (
        lambda g: g.length(2 ** 64 - 1), forward, ["model.safetensors", "header"]),
    "header is not JSON": (
        lambda g: g.header(lambda header: b"x" * 64), forward, ["model.safetensors", "JSON"]),
    "header is a list": (
        lambda g: g.header(lambda header: [1, 2]), forward, ["model.safetensors", "header"]),
    "header is not UTF-8": (
        lambda g: g.header(lambda header: b'{"\xff\xfe": 1}'), forward, ["model.safetensors"]),
    "offsets past the end": (
        lambda g: g.entry(data_offsets=[0, 10 ** 9]), forward, ["model.safetensors"]),
    "offsets of 2^63": (
        lambda g: g.entry(data_offsets=[2 ** 63 - 8, 2 ** 63 - 4]), forward, ["model.safetensors"]),
    "offsets beyond 64 bits": (
        lambda g: g.entry(data_offsets=[0, 10 ** 30]), forward, ["model.safetensors"]),
    "negative offsets": (
        lambda g: g.entry(data_offsets=[-8, 0]), forward, ["model.safetensors", "offsets"]),
    "offsets the wrong way round": (
        lambda g: g.entry(data_offsets=[8, 0]), forward, ["model.safetensors", "offsets"]),
    "one offset": (
        lambda g: g.entry(data_offsets=[0]), forward, ["model.safetensors", "offsets"]),
    "shape that needs more bytes": (
        lambda g: g.entry(shape=[7, 9]), forward, ["model.safetensors", "[7, 9]"]),
    "shape that overflows": (
        lambda g: g.entry(shape=[2 ** 40, 2 ** 40]), forward, ["model.safetensors", "shape"]),
    "negative shape": (
        lambda g: g.entry(shape=[-1, 4]), forward, ["model.safetensors", "shape"]),
    "unknown type of tensor": (
        lambda g: g.entry(dtype="F7"), forward, ["model.safetensors", "F7"]),
    "no shape": (lambda g: g.header(lambda header: {**header, "x": {"dtype": "F32"}}), forward,
                 ["model.safetensors", "'x'"]),
    "overlapping tensors": (
        lambda g: g.header(lambda header: {**header, "x": {
            "dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}), forward,
        ["model.safetensors", "overlaps"]),
    "a gap between tensors": (
        lambda g: g.header(lambda header: {
            name: entry for name, entry in header.items() if "position_emb" not in name}), forward,
        ["model.safetensors", "gap"]),
    "a tensor of another size": (
        lambda g: save_file({name: value[..., :-1].contiguous() if "layer.1.output.dense.weight"
                             in name else value for name, value in load_file(g.weights).items()},
                            g.weights), forward, ["layer.1.output.dense.weight", "[32, 63]"]),
    "a tensor is missing": (
        lambda g: save_file({name: value for name, value in load_file(g.weights).items()
                             if "layer.1.attention.self.key.bias" not in name}, g.weights),
        forward, ["layer.1.attention.self.key.bias"]),
    "a missing shard": (
        lambda g: next((g.folder / "shards").glob("*-00002-*")).unlink(),
        lambda g: forward(g, model=g.folder / "shards"), ["-00002-of-"]),
    "a cut shard": (
        lambda g: os.truncate(next((g.folder / "shards").glob("*-00002-*")), 300),
        lambda g: forward(g, model=g.folder / "shards"), ["-00002-of-"]),
    "an index that is not JSON": (
        lambda g: (g.folder / "shards/model.safetensors.index.json").write_text("{"),
        lambda g: forward(g, model=g.folder / "shards"), ["index.json"]),
    "an index without a map": (
        lambda g: (g.folder / "shards/model.safetensors.index.json").write_text("{}"),
        lambda g: forward(g, model=g.folder / "shards"), ["index.json", "weight_map"]),
    "an index that leaves the folder": (
        lambda g: (g.folder / "shards/model.safetensors.index.json").write_text(
            '{"weight_map": {"x": "../model/model.safetensors"}}'),
        lambda g: forward(g, model=g.folder / "shards"), ["index.json"]),
    "an index that names a tensor too many": (
        lambda g: harness.edit_json(
            g.folder / "shards/model.safetensors.index.json",
            weight_map={"x": next((g.folder / "shards").glob("*-00002-*")).name}),
        lambda g: forward(g, model=g.folder / "shards"), ["'x'"]),
}

CONFIGURATIONS = {
    "heads do not divide the size": (dict(num_attention_heads=5), ["hidden_size", "5"]),
    "unknown activation": (dict(hidden_act="gelu_fast9"), ["hidden_act", "gelu_fast9"]),
    "unknown model_type": (dict(model_type="mamba9"), ["model_type", "mamba9"]),
    "no model_type": (dict(model_type=None), ["model_type"]),
    "text for a number": (dict(hidden_size="32"), ["hidden_size"]),
    "a fraction for a count": (dict(num_hidden_layers=1.5), ["num_hidden_layers"]),
    "true for a count": (dict(num_hidden_layers=True), ["num_hidden_layers"]),
    "a list for text": (dict(hidden_act=["gelu"]), ["hidden_act"]),
    "no heads": (dict(num_attention_heads=0), ["num_attention_heads"]),
    "negative size": (dict(intermediate_size=-64), ["intermediate_size"]),
    "size of another checkpoint": (dict(hidden_size=64), ["[111, 64]"]),
    "more layers than there are": (
        dict(num_hidden_layers=3), ["'num_hidden_layers' is 3", "at most 2"]),
    "layers beyond any memory": (
        dict(num_hidden_layers=10 ** 9), ["'num_hidden_layers' is 1000000000", "at most"]),
    "layers of 2^63 - 1": (
        dict(num_hidden_layers=2 ** 63 - 1), ["'num_hidden_layers' is 9223372036854775807"]),
    "heads of 2^62": (dict(num_attention_heads=2 ** 62), ["num_attention_heads", "at most"]),
    "labels of 2^62": (dict(num_labels=2 ** 62, id2label=None), ["num_labels", "at most"]),
    "a number that is infinite": (
        dict(layer_norm_eps=float("inf")), ["config.json", "line"]),
    "a value of 70,000 letters": (dict(hidden_act="x" * 70000), ["hidden_act", "xxx..."]),
    "a size near 2^63": (dict(intermediate_size=2 ** 62), ["intermediate"]),
    "a size beyond 64 bits": (dict(intermediate_size=10 ** 30), ["intermediate_size"]),
    "dropout above 1": (dict(hidden_dropout_prob=1.5), ["hidden_dropout_prob"]),
    "classifier dropout above 1": (dict(classifier_dropout=1.5), ["classifier_dropout"]),
    "negative epsilon": (dict(layer_norm_eps=-1.0), ["layer_norm_eps"]),
    "text for epsilon": (dict(layer_norm_eps="small"), ["layer_norm_eps"]),
    "relative positions": (
        dict(position_embedding_type="relative_key"), ["position_embedding_type"]),
    "a decoder": (dict(is_decoder=True), ["is_decoder"]),
    "padding outside the vocabulary": (dict(pad_token_id=500), ["pad_token_id", "500"]),
    "negative padding": (dict(pad_token_id=-1), ["pad_token_id"]),
    "labels of another head": (dict(id2label={"0": "a", "1": "b", "2": "c"}), ["classifier"]),
    "a list of labels": (dict(id2label=["a", "b"]), ["id2label"]),
}
FILES |= {
    f"config: {name}": (
        lambda g, changes=changes: g.config(**changes),
        lambda g: harness.run("forward", "--ids", "1 2 3", "--ids", "1", model=g.model,
                              output=g.output),
        ["config.json", *words] if "[" not in words[0] and "layer" not in words[0] else words)
    for name, (changes, words) in CONFIGURATIONS.items()}


def with_tensor(name, value=None):
    """Adds a tensor under a name, or takes the first that has the name in it away."""
    def edit(tensors):
        if value is not None:
            return {**tensors, name: value}
        gone = next(key for key in tensors if name in key)
        return {key: kept for key, kept in tensors.items() if key != gone}

    return edit


def reshaped(part):
    """Cuts the tensors that have a part in their name."""
    return lambda tensors: {name: value[:, :-1].contiguous() if part in name else value
                            for name, value in tensors.items()}


def adapted(name):
    return lambda g: forward(g, adapter=g.folder / name)


ADAPTERS = {
    "no adapter folder": (
        lambda g: shutil.rmtree(g.folder / "lora"), adapted("lora"), ["adapter_config.json"]),
    "no adapter weights": (
        lambda g: (g.folder / "lora/adapter_model.safetensors").unlink(), adapted("lora"),
        ["adapter_model.safetensors"]),
    "cut adapter weights": (
        lambda g: os.truncate(g.folder / "lora/adapter_model.safetensors", 3000), adapted("lora"),
        ["adapter_model.safetensors"]),
    "an unknown peft_type": (
        lambda g: g.adapter("lora", peft_type="LOHA"), adapted("lora"), ["peft_type", "LOHA"]),
    "a peft_type that is a number": (
        lambda g: g.adapter("lora", peft_type=3), adapted("lora"), ["peft_type"]),
    "adapter_config.json is not JSON": (
        lambda g: g.adapter("lora", text="peft: LORA"), adapted("lora"), ["adapter_config.json"]),
    "rank 0 in a file": (lambda g: g.adapter("lora", r=0), adapted("lora"), ["'r'"]),
    "rank of text": (lambda g: g.adapter("lora", r="8"), adapted("lora"), ["'r'"]),
    "rank of another file": (
        lambda g: g.adapter("lora", r=7), adapted("lora"), ["lora_A", "[7, 32]"]),
    "rank near 2^63": (lambda g: g.adapter("lora", r=2 ** 62), adapted("lora"), ["'r'"]),
    "r1 and r2 near 2^63": (
        lambda g: g.adapter("dual", r1=2 ** 62, r2=2 ** 62), adapted("dual"), ["'r1'"]),
    "alpha of text": (
        lambda g: g.adapter("dual", lora_alpha="x"), adapted("dual"), ["lora_alpha"]),
    "r1 of another file": (lambda g: g.adapter("dual", r1=3), adapted("dual"), ["dual_lora_A"]),
    "an unknown magnitude": (
        lambda g: g.adapter("dual", magnitude_fn="cube"), adapted("dual"),
        ["magnitude_fn", "cube"]),
    "an unknown direction": (
        lambda g: g.adapter("dual", direction_fn="x"), adapted("dual"), ["direction_fn"]),
    "a gate of text": (lambda g: g.adapter("dual", gate="open"), adapted("dual"), ["gate"]),
    "another model's sizes": (
        lambda g: g.adapter("lora", reshaped("lora_A")), adapted("lora"), ["lora_A", "[16, 31]"]),
    "another model's layers": (
        lambda g: g.adapter("lora", with_tensor(
            "base_model.model.bert.encoder.layer.7.attention.self.query.lora_A.weight",
            next(iter(load_file(g.folder / "lora/adapter_model.safetensors").values())))),
        adapted("lora"), ["layer.7"]),
    "a lora tensor is missing": (
        lambda g: g.adapter("lora", with_tensor("layer.1.attention.self.value.lora_B")),
        adapted("lora"), ["layer.1.attention.self.value.lora_B"]),
    "a layer is missing": (
        lambda g: g.adapter("lora", lambda tensors: {
            name: value for name, value in tensors.items() if "layer.1.attention.self.value"
            not in name}), adapted("lora"), ["layer.1.attention.self.value"]),
    "a dual tensor is missing": (
        lambda g: g.adapter("dual", with_tensor("dual_lora_D")), adapted("dual"), ["dual_lora_D"]),
    "the head's weight is missing": (
        lambda g: g.adapter("lora", with_tensor("classifier.weight")), adapted("lora"),
        ["classifier"]),
    "a tensor too many": (
        lambda g: g.adapter("lora", with_tensor("base_model.model.more.weight", load_file(
            g.folder / "lora/adapter_model.safetensors")["base_model.model.classifier.bias"])),
        adapted("lora"), ["more.weight"]),
    "a target that is no layer": (
        lambda g: g.adapter("lora", target_modules=["gate_proj"]),
        adapted("lora"), ["gate_proj"]),
    "a head of another size": (
        lambda g: g.adapter("lora", reshaped("classifier.weight")), adapted("lora"),
        ["classifier.weight"]),
    "evaluate with a bad adapter": (
        lambda g: g.adapter("lora", r=0), lambda g: evaluate(g, adapter=g.folder / "lora"),
        ["'r'"]),
    "merge with a bad adapter": (lambda g: g.adapter("dual", r2=0),
                                 lambda g: merge(g, "dual"), ["'r2'"]),
    "merge with a missing tensor": (
        lambda g: g.adapter("lora", with_tensor("lora_A")), merge, ["lora_A"]),
    "merge into the model": (
        lambda g: None, lambda g: merge(g, output=g.model), ["model"]),
}

DATA = {
    "no data folder": (lambda g: shutil.rmtree(g.data), train, ["data"]),
    "data is a file": (
        lambda g: (shutil.rmtree(g.data), g.data.write_text("x")), train, ["data"]),
    "no train file": (lambda g: (g.data / "train.tsv").unlink(), train, ["train.tsv"]),
    "no dev file": (lambda g: (g.data / "dev.tsv").unlink(), train, ["dev.tsv"]),
    "no dev file to evaluate": (lambda g: (g.data / "dev.tsv").unlink(), evaluate, ["dev.tsv"]),
    "an empty file": (lambda g: (g.data / "train.tsv").write_bytes(b""), train, ["train.tsv"]),
    "only a header": (lambda g: g.lines(lambda lines: lines[:1]), train, ["train.tsv"]),
    "another header": (
        lambda g: g.lines(lambda lines: ["a\tb\tc\td", *lines[1:]]), train, ["train.tsv:1"]),
    "a column short": (
        lambda g: g.lines(lambda lines: [*lines[:4], "4\tone sentence\tentailment", *lines[5:]]),
        train, ["train.tsv:5", "3 columns"]),
    "a column too many": (
        lambda g: g.lines(lambda lines: [*lines[:4], lines[4] + "\tx", *lines[5:]]), train,
        ["train.tsv:5", "5 columns"]),
    "an unknown label": (
        lambda g: g.lines(lambda lines: [*lines, "99\ta cat\ta dog\tperhaps"], "dev"), train,
        ["dev.tsv:22", "perhaps"]),
    "an empty sentence": (
        lambda g: g.lines(lambda lines: [lines[0], "0\t\ta dog\tentailment"]), train,
        ["train.tsv:2", "sentence1"]),
    "an empty line": (
        lambda g: g.lines(lambda lines: [*lines[:3], "", *lines[3:]]), train, ["train.tsv:4"]),
    "not UTF-8": (
        lambda g: (g.data / "train.tsv").write_bytes(
            (g.data / "train.tsv").read_bytes() + b"99\ta \xff cat\ta dog\tentailment\n"), train,
        ["train.tsv:26", "UTF-8"]),
    "another task's file": (
        lambda g: None, lambda g: train(g, task="cola"), ["train.tsv:1", "label"]),
    "a score above 5": (
        lambda g: (g.data / "train.csv").write_text("g\tf\t1\t2\t5.5\ta cat\ta dog\n"),
        lambda g: train(g, task="stsb"), ["train.csv:1", "5.5"]),
    "a score that is no number": (
        lambda g: (g.data / "train.csv").write_text("g\tf\t1\t2\tnan\ta cat\ta dog\n"),
        lambda g: train(g, task="stsb"), ["train.csv:1", "nan"]),
    "a vocabulary larger than the model": (
        lambda g: (g.model / "vocab.txt").write_text(
            "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(200)),
                       *harness.VOCABULARY[5:]]) + "\n"), train, ["vocabulary", "111"]),
}

@pytest.mark.parametrize("spoil, command, words", rows(FILES, ADAPTERS, DATA))
def test_bad_files_are_refused(given, spoil, command, words):
    spoil(given)
    harness.assert_refused(command(given), *words)
    assert not given.output.exists()


def test_weights_of_nan_end_training_at_its_first_step(given):
    nan_weights(given)
    harness.assert_refused(train(given), "not a finite number at step 1", running=True)


# --- files with bytes that changed ----------------------------------------------------------------

MUTATED = ["model/model.safetensors", "model/config.json", "model/vocab.txt",
           "lora/adapter_config.json", "lora/adapter_model.safetensors", "data/dev.tsv"]


@pytest.mark.parametrize("name", MUTATED)
def test_a_file_with_changed_bytes_is_read_or_refused(given, name):
    """Whatever the bytes say, the command ends by itself, with a result or with one line."""
    path = given.folder / name
    content = path.read_bytes()
    dice = random.Random(name)
    start = 8 if name.endswith(".safetensors") else 0
    end = start + struct.unpack("<Q", content[:8])[0] if start else len(content)
    for _ in range(4):
        bytes_ = bytearray(content)
        for _ in range(dice.choice([1, 1, 2, 5])):
            bytes_[dice.randrange(start, end)] = dice.choice(
                [0, 0xFF, ord('"'), ord("9"), ord("-"), ord("]"), dice.randrange(256)])
        path.write_bytes(bytes_)
        done = evaluate(given, adapter=given.folder / "lora")
        if done.returncode != 0:
            harness.assert_refused(done)
