"""CorDA starts where peft's starts, and is a LoRA to peft once it is saved."""

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora.config import CordaConfig
from peft.tuners.lora.corda import preprocess_corda
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import glue_files
import harness
import plain_text

RANK, ALPHA = 4, 6
# All warm-up, a run of one step has a learning rate of 0 and saves the start.
START = dict(method="corda", rank=RANK, alpha=ALPHA, steps=1, warmup_ratio=1, dtype="float32")


def started(model, passes, targets, method, **options):
    """peft's model, calibrated by single samples."""
    config = LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules=targets, init_lora_weights="corda",
        corda_config=CordaConfig(corda_method=method), **options)

    def run():
        for batch in passes:
            model(**batch)

    preprocess_corda(model.eval(), config, run_model=run)
    return get_peft_model(model, config)


def assert_same_start(folder, model, layers):
    found = load_file(folder / "adapter_model.safetensors")
    config = harness.read_json(folder / "adapter_config.json")
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 2 * RANK, 2 * ALPHA)
    names = [key.removesuffix(".lora_A.weight") for key in found if key.endswith("lora_A.weight")]
    assert len(names) == layers
    for name in names:
        down, up = found[name + ".lora_A.weight"], found[name + ".lora_B.weight"]
        # What trains, and what stands for the weight's part.
        assert torch.equal(down[:RANK], down[RANK:]) and torch.equal(up[:, :RANK], -up[:, RANK:])
        module = model.get_submodule(name)
        expected = [side["default"].weight.detach() for side in (module.lora_A, module.lora_B)]
        # A singular vector's sign is free, and where two values are near each other their vectors
        # may turn in their plane: the product does not.
        error = harness.relative_error(up[:, :RANK] @ down[:RANK], expected[1] @ expected[0])
        assert error < 5e-4, name
        for ours, theirs, side in ((down[:RANK], expected[0], 1), (up[:, :RANK], expected[1], 0)):
            assert torch.allclose(ours.norm(dim=side), theirs.norm(dim=side), rtol=2e-3), name


@pytest.mark.parametrize("method", ["ipm", "kpm"])
@pytest.mark.parametrize("samples", [10, 256])
def test_corda_starts_where_peft_does(tmp_path, classifier, task_data, method, samples):
    base, data = classifier("cola"), task_data("cola")
    targets = ["query", "value", "intermediate.dense", "output.dense"]
    harness.train(base, data, tmp_path / "out", task="cola", targets=",".join(targets),
                  corda_method=method, calibration_samples=samples, **START)
    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = glue_files.read_examples(data, "cola", "train")[:samples]
    model = started(harness.load(base), [glue_files.encode(tokenizer, [row]) for row in rows],
                    targets, method)
    assert_same_start(tmp_path / "out", model, layers=2 * 5)


@pytest.mark.parametrize("name", ["gpt2", "llama-grouped"])
def test_corda_of_a_decoder_starts_where_peft_does(tmp_path, name):
    (tmp_path / "train.txt").write_text(plain_text.text(60, 1))
    model, made = plain_text.base(tmp_path / "model", name, **(
        dict(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0) if name == "gpt2" else {}))
    targets = ["c_attn", "mlp.c_proj"] if name == "gpt2" else ["q_proj", "v_proj", "down_proj"]
    harness.train(
        tmp_path / "model", tmp_path / "train.txt", tmp_path / "out", task="text",
        documents="line", targets=",".join(targets), calibration_samples=30, dev_rows="last", **START)
    lines = (tmp_path / "train.txt").read_text().splitlines()
    rows = [made.encode(line).ids + [2] for line in lines]
    fresh = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    calibrated = started(
        fresh, [dict(input_ids=torch.tensor([row])) for row in rows[:30]], targets, "ipm",
        fan_in_fan_out=name == "gpt2")
    assert_same_start(tmp_path / "out", calibrated, layers=3 * len(targets))


@pytest.mark.parametrize("options", [
    dict(), dict(corda_method="kpm", dropout=0.2), dict(targets="all-linear")])
def test_a_corda_trained_here_is_a_lora_in_peft(tmp_path, classifier, task_data, options):
    base = classifier("rte")
    result = harness.train(
        base, task_data("rte"), tmp_path / "out", task="rte", method="corda", rank=RANK,
        **{**harness.BRIEF, **options})
    if "targets" not in options:  # query and value of two blocks
        assert result["method_parameters"] == 4 * RANK * (32 + 32)
    rows = harness.sequences([6, 11, 1, 9], seed=3)
    found = harness.outputs_here(tmp_path, base, rows, adapter=tmp_path / "out")
    model = PeftModel.from_pretrained(harness.load(base), tmp_path / "out").eval()
    harness.assert_close(found, harness.reference(model, rows))
    plain = harness.forward(tmp_path, base, rows)
    assert (plain["logits"] - found["logits"]).abs().max() > 1e-2


def test_a_rank_that_a_layer_does_not_have_is_refused(tmp_path, classifier, task_data):
    done = harness.run(
        "train", model=classifier("rte"), data=task_data("rte"), output=tmp_path / "out",
        **{**START, "task": "rte", "rank": 33})
    harness.assert_refused(done, "--rank", "33", "32 x 32")
    assert not (tmp_path / "out").exists()
