"""GaLore against its authors' optimizer, step by step; GaRare's promises."""

import math

import pytest
import torch
from safetensors.torch import load_file
from transformers import get_linear_schedule_with_warmup

import harness
import peers
from training_loop import COUNT, batch_of, loss_of

STEPS = 20


def is_projected(name, targets):
    return name.endswith(".weight") and "classifier" not in name and "LayerNorm" not in name and (
        "embeddings" not in name) and (
            targets is None or any(name.endswith(f".{target}.weight") for target in targets))


def reference_run(model, batch, labels, projection, targets, rate, head_rate, decay, warmup):
    """(loss, norm of the gradients) of every step."""
    named = list(model.named_parameters())
    projected = [value for name, value in named if is_projected(name, targets)]
    groups = {}
    for name, value in named:
        if not is_projected(name, targets):
            groups.setdefault(("classifier" in name, value.ndim > 1), []).append(value)
    plain = torch.optim.AdamW([
        {"params": values, "lr": head_rate if is_head else rate,
         "weight_decay": decay if decays else 0.0}
        for (is_head, decays), values in groups.items()])
    special = peers.load("galore_torch").GaLoreAdamW(
        [{"params": projected, **projection}], lr=rate, weight_decay=decay,
        no_deprecation_warning=True)
    schedules = [get_linear_schedule_with_warmup(
        optimizer, math.ceil(warmup * STEPS), STEPS) for optimizer in (plain, special)]
    records = []
    for _ in range(STEPS):
        loss = loss_of(model, batch, labels, "rte")
        model.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        plain.step()
        special.step()
        for schedule in schedules:
            schedule.step()
        records.append((loss.item(), norm.item()))
    return records


# Moments outlive projections: the gaps are shorter than the run.
ROWS = {
    "std": dict(rank=4, update_proj_gap=5),
    "reverse_std": dict(rank=3, update_proj_gap=7, proj_type="reverse_std"),
    "left": dict(rank=4, update_proj_gap=20, proj_type="left", galore_scale=0.25),
    "right": dict(rank=2, update_proj_gap=4, proj_type="right"),
    "full": dict(rank=4, update_proj_gap=6, proj_type="full", galore_scale=1),
    "some layers": dict(rank=4, update_proj_gap=5, targets="query,intermediate.dense"),
    "in micro-batches": dict(rank=4, update_proj_gap=5, batch_size=4, gradient_accumulation=3),
}


@pytest.mark.parametrize("name", ROWS)
def test_galore_takes_the_steps_of_its_reference(tmp_path, classifier, task_data, name):
    options = ROWS[name]
    base, data = classifier("rte", **harness.NO_DROPOUT), task_data("rte", train=COUNT)
    rate, head_rate, decay, warmup = 5e-4, 2e-3, 0.05, 0.2
    harness.train(
        base, data, tmp_path / "out", task="rte", method="galore", learning_rate=rate,
        head_learning_rate=head_rate, weight_decay=decay, warmup_ratio=warmup, steps=STEPS,
        logging_steps=1, dtype="float32", no_shuffle=True, **{"batch_size": COUNT, **options})
    model = harness.load(base)
    targets = options.get("targets", "").split(",") if "targets" in options else None
    records = reference_run(
        model, *batch_of(base, data, "rte"),
        dict(rank=options["rank"], update_proj_gap=options["update_proj_gap"],
             scale=options.get("galore_scale", 4), proj_type=options.get("proj_type", "std")),
        targets, rate, head_rate, decay, warmup)
    steps, _ = harness.log_of(tmp_path / "out")
    assert len(steps) == STEPS
    for record, (loss, norm) in zip(steps, records):
        assert record["loss"] == pytest.approx(loss, rel=1e-4), record["step"]
        assert record["gradient_norm"] == pytest.approx(norm, rel=1e-3), record["step"]
    assert records[-1][0] < 0.9 * records[0][0]
    found, start = (load_file(folder / "model.safetensors") for folder in (tmp_path / "out", base))
    expected = model.state_dict()
    for name, value in found.items():
        # A key's bias has no gradient but rounding noise.
        if not name.endswith("key.bias"):
            distance = (expected[name] - start[name]).abs().max()
            assert (value - expected[name]).abs().max() < 0.02 * distance, name


@pytest.mark.parametrize("options", [{}, {"basis": "orthonormal"}, {"proj_type": "full"}])
def test_garare_moves_a_weight_in_few_dimensions(tmp_path, classifier, task_data, options):
    """In two windows of a projection, by rank 2 r at most; and by the seed alone."""
    base, data = classifier("rte", **harness.NO_DROPOUT), task_data("rte", train=COUNT)
    found = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        harness.train(
            base, data, tmp_path / name, task="rte", method="garare", rank=3, steps=8,
            update_proj_gap=4, learning_rate=1e-3, weight_decay=0, batch_size=COUNT,
            dtype="float32", seed=seed, warmup_ratio=0, **options)
        found.append(load_file(tmp_path / name / "model.safetensors"))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    start = load_file(base / "model.safetensors")
    for name, value in found[0].items():
        if not is_projected(name, None):
            continue
        change = (value - start[name]).double()
        values = torch.linalg.svdvals(change)
        # Beyond 2 r there is rounding alone; the second window is in other dimensions.
        assert values[6] < 2e-5 * values[0], name
        assert values[3] > 1e-3 * values[0], name
        assert not torch.allclose(change, (found[2][name] - start[name]).double(), atol=1e-5)


@pytest.mark.parametrize("method", ["galore", "garare"])
def test_the_whole_model_is_saved_and_counted(tmp_path, classifier, task_data, method):
    result = harness.train(
        classifier("rte"), task_data("rte"), tmp_path / "out", task="rte", method=method, steps=2,
        batch_size=8)
    count = sum(value.numel() for value in load_file(
        classifier("rte") / "model.safetensors").values())
    assert result["trainable_parameters"] == result["total_parameters"] == count
    harness.load(tmp_path / "out")
    assert not (tmp_path / "out" / "adapter_config.json").exists()
