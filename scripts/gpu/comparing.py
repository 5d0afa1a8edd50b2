"""The command on a device beside itself on the processor: outputs, training steps and greedy tokens."""

import concurrent.futures
import dataclasses
import json
import math

from . import models, tensors
from .command import Failed

STEPS = 10
# What may differ, by the type that is computed in: logits and losses as shares of the largest, weights as a
# share of what training has done to them. Adam divides gradients by their size, so that rounding of a
# gradient near 0 becomes a whole step; bfloat16 keeps 8 bits.
BOUNDS = {
    "float32": {"logits": 1e-4, "losses": 1e-4, "weights": 1e-2},
    "bfloat16": {"logits": 3e-2, "losses": 3e-2, "weights": 5e-1}}


@dataclasses.dataclass
class Row:
    """One comparison: differences by what was compared, or why there are none."""
    check: str
    model: str
    method: str
    dtype: str
    differences: dict = dataclasses.field(default_factory=dict)
    failure: str = ""

    @property
    def passed(self):
        if self.failure:
            return False
        bounds = BOUNDS.get(self.dtype, {})
        return all(value <= bounds.get(name, 0) for name, value in self.differences.items())

    @property
    def verdict(self):
        return self.failure or ("yes" if self.passed else "NO")


class Comparison:
    """All comparisons of a device; each runs the command twice, in a folder of its own."""

    def __init__(self, command, device, folder, jobs):
        self.command, self.device, self.folder, self.jobs = command, device, folder, jobs

    def rows(self, names, methods, dtypes):
        """Rows in order; each comparison that fails is a row that says so."""
        wanted = [(self.logits, ("logits", name, "", dtype)) for name in names for dtype in dtypes]
        wanted += [(self.tokens, ("tokens", name, "", dtypes[0])) for name in names if name != "bert"]
        wanted += [(self.training, ("training", names[0], method, dtypes[0])) for method in methods]
        wanted += [(self.training, (*check, names[0], "lora", dtypes[0])) for check in [
            ("quantised to nf4",), ("activation checkpointing",)] if "lora" in methods]
        wanted += [(self.training, ("training", name, method, dtypes[0]))
                   for name in names[1:] for method in methods]
        wanted += [(self.training, ("training", names[0], method, dtype))
                   for dtype in dtypes[1:] for method in methods]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(self.row, number, *each) for number, each in enumerate(wanted)]
            return [future.result() for future in futures]

    def row(self, number, compare, about):
        row = Row(*about)
        folder = self.folder / f"{number}"
        folder.mkdir()
        try:
            row.differences = compare(row, folder)
        except Failed as reason:
            row.failure = str(reason)
        except (OSError, ValueError, KeyError) as error:
            row.failure = f"its results cannot be read: {error}"
        return row

    def model(self, name):
        return self.folder / name

    def both(self, folder, *words):
        """Runs the command on the device and on the processor; what each prints."""
        return [self.command.run(*words, "--threads", 1, "--device", device, "--output", folder / side)
                for side, device in (("device", self.device), ("processor", "cpu"))]

    def logits(self, row, folder, *of_model):
        ids = [word for line in models.sequences(row.model) for word in ("--ids", line)]
        side = "right" if row.model == "bert" else "left"
        of_model = of_model or ["--model", self.model(row.model)]
        self.both(folder, "forward", *of_model, *ids, "--padding", side, "--dtype", row.dtype)
        lengths = [len(line.split()) for line in models.sequences(row.model)]
        one, other = (tensors.at_tokens(tensors.read(folder / place), lengths, side)
                      for place in ("device", "processor"))
        return {"logits": tensors.largest_difference(one, other)}

    def tokens(self, row, folder):
        ids = [word for line in models.sequences(row.model) for word in ("--ids", line)]
        words = ["generate", "--model", self.model(row.model), *ids, "--max-tokens", 24,
                 "--min-tokens", 24, "--temperature", 0, "--json", "--dtype", row.dtype, "--threads", 1]
        one, other = ([json.loads(line)["ids"] for line in self.command.run(
            *words, "--device", device).splitlines()] for device in (self.device, "cpu"))
        if not other or len(one) != len(other):
            raise ValueError("there are no continuations")
        return {"tokens": sum(a != b for a, b in zip(sum(one, []), sum(other, [])))
                + abs(len(sum(one, [])) - len(sum(other, [])))}

    def training(self, row, folder):
        texts = self.folder / "texts"
        words = ["train", "--model", self.model(row.model), "--method", row.method, "--dtype", row.dtype,
                 "--steps", STEPS, "--batch-size", 8, "--logging-steps", 1, "--max-length", 48,
                 "--seed", 1, *self.command.options(row.method)]
        words += (["--task", "cola", "--data", texts] if row.model == "bert" else
                  ["--task", "text", "--data", texts / "lines.txt", "--documents", "line",
                   "--dev-share", 0])
        words += {"quantised to nf4": ["--quantize", "nf4"],
                  "activation checkpointing": ["--activation-checkpointing"]}.get(row.check, [])
        self.both(folder, *words)
        one, other = (_losses(folder / side) for side in ("device", "processor"))
        if len(other) != STEPS or len(one) != STEPS:
            raise ValueError(f"{len(one)} and {len(other)} losses of {STEPS} steps")
        start = tensors.read(self.model(row.model) / "model.safetensors")
        trained = [_trained(folder / side) for side in ("device", "processor")]
        largest = max(abs(a - b) / abs(b) for a, b in zip(one, other))
        found = {"losses": largest if math.isfinite(sum(one)) else math.inf,
                 "weights": tensors.distance(*trained, start)}
        # What the processor has trained has to say the same on the device, once it is read there.
        made = folder / "processor"
        adapted = (["--model", self.model(row.model), "--adapter", made]
                   if (made / "adapter_config.json").exists() else ["--model", made])
        (folder / "read").mkdir()
        return found | self.logits(row, folder / "read", *adapted)


def _losses(folder):
    records = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    return [record["loss"] for record in records if "loss" in record]


def _trained(folder):
    files = [folder / name for name in ("adapter_model.safetensors", "model.safetensors")]
    return tensors.read(next(file for file in files if file.exists()))
