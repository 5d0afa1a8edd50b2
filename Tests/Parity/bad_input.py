"""Good input for the tests to spoil, and the commands that then meet it."""

import json
import shutil
import struct

import pytest
from safetensors.torch import load_file, save_file

import harness


class Input:
    """A model, data and adapters that are right, copied for one test to spoil."""

    def __init__(self, folder, good):
        self.folder = folder
        for name in ("model", "shards", "data", "lora", "dual"):
            shutil.copytree(good / name, folder / name)
        self.model, self.data = folder / "model", folder / "data"
        self.output = folder / "out"
        self.weights = self.model / "model.safetensors"

    def config(self, **changes):
        harness.edit_json(self.model / "config.json", **changes)

    def adapter(self, name, tensors=None, text=None, **changes):
        """Spoils an adapter: its tensors by a function, its configuration by text or by field."""
        path = self.folder / name / "adapter_model.safetensors"
        if tensors:
            save_file(tensors(load_file(path)), path)
        if text is not None:
            (self.folder / name / "adapter_config.json").write_text(text)
        if changes:
            harness.edit_json(self.folder / name / "adapter_config.json", **changes)

    def header(self, edit):
        """Rewrites the header of the model's file; `edit` turns its JSON into JSON or bytes."""
        content = self.weights.read_bytes()
        length, = struct.unpack("<Q", content[:8])
        made = edit(json.loads(content[8:8 + length]))
        header = made if isinstance(made, bytes) else json.dumps(made).encode()
        self.weights.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length:])

    def entry(self, **changes):
        """Changes the header's entry of the first tensor in the file."""
        def edit(header):
            first = min((name for name in header if name != "__metadata__"),
                        key=lambda name: header[name]["data_offsets"])
            header[first].update(changes)
            return header

        self.header(edit)

    def length(self, value):
        content = self.weights.read_bytes()
        self.weights.write_bytes(struct.pack("<Q", value) + content[8:])

    def lines(self, edit, split="train"):
        """Rewrites a task file; `edit` gets its lines."""
        path = self.data / f"{split}.tsv"
        path.write_text("".join(line + "\n" for line in edit(path.read_text().splitlines())))


def forward(given, ids="1 2 3", **options):
    return harness.run("forward", **{**dict(
        model=given.model, ids=ids, output=given.output), **options})


def train(given, **options):
    return harness.run("train", **{**dict(
        model=given.model, data=given.data, task="rte", method="lora", output=given.output,
        steps=2, batch_size=4), **options})


def merge(given, adapter="lora", **options):
    return harness.run("merge", **{**dict(
        model=given.model, adapter=given.folder / adapter, output=given.output), **options})


def evaluate(given, **options):
    return harness.run("evaluate", **{**dict(
        model=given.model, data=given.data, task="rte"), **options})


def rows(*tables):
    return [pytest.param(*row, id=name) for table in tables for name, row in table.items()]
