"""A plain PyTorch loop beside `duallora train`: the same settings for both, and what must agree."""

import math
import re

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import (
    AutoTokenizer, get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup)

import glue_files
import harness

STEPS = 10
COUNT = 12
SCHEDULES = {
    "linear": lambda optimizer, rise: get_linear_schedule_with_warmup(optimizer, rise, STEPS),
    "cosine": lambda optimizer, rise: get_cosine_schedule_with_warmup(optimizer, rise, STEPS),
    "constant": get_constant_schedule_with_warmup,
}


def batch_of(folder, data, task):
    rows = glue_files.read_examples(data, task, "train")
    batch = glue_files.encode(AutoTokenizer.from_pretrained(folder), rows)
    return batch, torch.tensor([label for _, label in rows])


def loss_of(model, batch, labels, task):
    logits = model(**batch).logits
    if task == "text":
        # transformers' own loss is in float32 whatever the model is in.
        return functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    if task == "stsb":
        return functional.mse_loss(logits[:, 0], labels.float())
    return functional.cross_entropy(logits, labels)


# The names by which transformers' Trainer knows biases and norms, and GPT-2's, which it knows by their class.
NO_DECAY = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)|\.ln_\w+\.")


def orthonormal(matrix):
    """Q of the QR factorisation with no negative number on R's diagonal."""
    q, r = torch.linalg.qr(matrix)
    return q * torch.where(r.diagonal() < 0, -1.0, 1.0)


class Orthonormal(torch.nn.Module):
    """A weight of orthonormal rows or columns, which is made of a free tall matrix."""

    def forward(self, matrix):
        return orthonormal(matrix).T if self.is_wide else orthonormal(matrix)

    def right_inverse(self, weight):
        self.is_wide = weight.shape[0] < weight.shape[1]
        return (weight.T if self.is_wide else weight).clone()


class Turned(torch.nn.Module):
    """A weight that is kept transposed."""

    def forward(self, matrix):
        return matrix.T

    def right_inverse(self, weight):
        return weight.T.clone()


def optimizer_for(named, rate, head_rate, decay, ratio=1, **adam):
    """AdamW with a rate for the head, another for LoRA+'s fast tensors, and decay for all but biases
    and norms."""
    groups = {}
    for name, parameter in named:
        own = head_rate if "classifier" in name else rate
        if own == rate and ("lora_B" in name or name.endswith("bias")):
            own *= ratio
        groups.setdefault((own, bool(NO_DECAY.search(name.lower()))), []).append(parameter)
    return torch.optim.AdamW([
        {"params": parameters, "lr": own, "weight_decay": 0.0 if flat else decay}
        for (own, flat), parameters in groups.items()], **adam)


def plain_loop(model, batch, labels, task, rate, head_rate, decay, warmup, limit, schedule, adam,
               prepare=None, ratio=1):
    """What a textbook loop gives: (loss, learning rate, gradient norm) of every step."""
    named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    optimizer = optimizer_for(named, rate, head_rate, decay, ratio, **adam)
    rise = warmup if isinstance(warmup, int) and warmup > 1 else math.ceil(warmup * STEPS)
    schedule = SCHEDULES[schedule](optimizer, rise)
    records = []
    for step in range(STEPS):
        if prepare:
            prepare(step)
        loss = loss_of(model, batch, labels, task)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([value for _, value in named], limit or math.inf)
        factor = schedule.get_last_lr()[0] / optimizer.param_groups[0]["initial_lr"]
        optimizer.step()
        schedule.step()
        records.append((loss.item(), rate * factor, norm.item()))
    return records


def assert_same_steps(output, expected, tolerance=1e-4):
    steps, _ = harness.log_of(output)
    assert [record["step"] for record in steps] == list(range(1, STEPS + 1))
    for record, (loss, rate, norm) in zip(steps, expected):
        where = f"step {record['step']}"
        assert record["loss"] == pytest.approx(loss, rel=tolerance), where
        assert record["learning_rate"] == pytest.approx(rate, rel=1e-9), where
        assert record["gradient_norm"] == pytest.approx(norm, rel=10 * tolerance, abs=1e-9), where


def assert_same_weights(found, expected, rate, tolerance):
    """A key's bias shifts all scores of a query alike, so that its gradient is rounding noise, of
    which Adam makes steps of full size: it is compared with nothing."""
    found = {name: value for name, value in found.items() if not name.endswith("key.bias")}
    assert found
    for name, value in found.items():
        difference = (value - expected[name]).abs().max().item()
        assert difference < tolerance * rate * STEPS, f"{name} differs by {difference:.1e}"


def settings(task, warmup=0.2, limit=1.0, decay=0.01, batch_size=COUNT, accumulation=1, rate=1e-3,
             head_rate=4e-3, schedule="linear", adam=None):
    """The same settings for the command and for the loop; a warm-up above 1 is in steps."""
    adam = adam or {}
    here = dict(
        task=task, steps=STEPS, logging_steps=1, dtype="float32", seed=5, batch_size=batch_size,
        gradient_accumulation=accumulation, learning_rate=rate, head_learning_rate=head_rate,
        weight_decay=decay, gradient_limit=limit, schedule=schedule,
        **{"warmup_steps" if warmup > 1 else "warmup_ratio": warmup})
    if adam:
        here |= dict(adam_beta1=adam["betas"][0], adam_beta2=adam["betas"][1],
                     adam_epsilon=adam["eps"])
    there = dict(task=task, rate=rate, head_rate=head_rate, decay=decay, warmup=warmup, limit=limit,
                 schedule=schedule, adam=adam)
    return here, there


def start_of(tmp_path, base, data, task, **options):
    """The adapter before its first step."""
    harness.train(base, data, tmp_path / "start", task=task, steps=1, warmup_ratio=1,
                  batch_size=COUNT, **{**dict(dtype="float32", seed=5), **options})
    return load_file(tmp_path / "start" / "adapter_model.safetensors")
