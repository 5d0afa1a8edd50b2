"""`duallora evaluate` against scikit-learn and SciPy on transformers' predictions."""

import json

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from scipy import stats
from sklearn import metrics
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import glue_files
import harness


def centre(model, folder, data, task):
    """Moves the head's bias so that a random model says each class for half of the dev split."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        logits = model(**glue_files.encode(tokenizer, glue_files.read_examples(data, task, "dev"))).logits
        for name, parameter in model.named_parameters():
            if "classifier" in name and name.endswith("bias"):
                parameter -= logits.quantile(0.5, dim=0)


def expected_scores(model, folder, data, task, limit):
    """Metrics and mean loss of transformers' predictions on the dev split."""
    rows = glue_files.read_examples(data, task, "dev")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    logits = []
    with torch.no_grad():
        for start in range(0, len(rows), 50):
            batch = glue_files.encode(tokenizer, rows[start:start + 50], limit)
            logits.append(model(**batch).logits)
    logits = torch.cat(logits)
    labels = [label for _, label in rows]
    if task == "stsb":
        found = logits[:, 0]
        loss = torch.nn.functional.mse_loss(found, torch.tensor(labels))
        scores = {"pearson": stats.pearsonr(found, labels).statistic,
                  "spearman": stats.spearmanr(found, labels).statistic}
    else:
        found = logits.argmax(-1)
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
        scores = {"accuracy": metrics.accuracy_score(labels, found)}
        if task == "cola":
            scores["matthews"] = metrics.matthews_corrcoef(labels, found)
        assert len(set(found.tolist())) == 2, "a model that says one thing shows little"
    return {name: float(value) for name, value in scores.items()}, loss.item(), len(rows)


def assert_scores(found, expected, task):
    scores, loss, count = expected
    assert found["task"] == task and found["examples"] == count
    assert found["metrics"] == pytest.approx(scores, abs=1e-5)
    assert found["value"] == found["metrics"][found["metric"]]
    assert found["loss"] == pytest.approx(loss, rel=1e-4)


def evaluate(model, data, task, **options):
    return json.loads(harness.succeed(
        "evaluate", model=model, data=data, task=task, dtype="float32", json=True, **options))


@pytest.mark.parametrize("task", glue_files.LABELS)
@pytest.mark.parametrize("limit", [128, 9], ids=["whole", "cut"])
def test_scores_are_those_of_the_reference(tmp_path, task, limit):
    """150 examples make more than one batch; a limit of 9 tokens cuts most pairs."""
    data = glue_files.write_task(tmp_path / "data", task, dev=150, longest=14)
    model = harness.bert(seed=5, num_labels=glue_files.LABELS[task])
    harness.save(model, tmp_path / "model")
    centre(model, tmp_path / "model", data, task)
    model.save_pretrained(tmp_path / "model")
    found = evaluate(tmp_path / "model", data, task, max_length=limit)
    # The model has 64 positions.
    expected = expected_scores(model, tmp_path / "model", data, task, min(limit, 64))
    assert_scores(found, expected, task)


@pytest.mark.parametrize("task", ["rte", "stsb"])
def test_scores_of_an_adapted_model_are_those_of_peft(tmp_path, task):
    base = harness.bert(seed=6, num_labels=glue_files.LABELS[task])
    harness.save(base, tmp_path / "model")
    model = get_peft_model(base, LoraConfig(
        task_type=TaskType.SEQ_CLS, target_modules=["query", "output.dense"],
        init_lora_weights=False)).eval()
    data = glue_files.write_task(tmp_path / "data", task, dev=60)
    centre(model, tmp_path / "model", data, task)
    model.save_pretrained(tmp_path / "adapter")
    found = evaluate(tmp_path / "model", data, task, adapter=tmp_path / "adapter")
    assert_scores(found, expected_scores(model, tmp_path / "model", data, task, 64), task)


def test_the_text_output_has_the_numbers_of_the_json(tmp_path, classifier, task_data):
    found = evaluate(classifier("stsb"), task_data("stsb"), "stsb")
    text = harness.succeed("evaluate", model=classifier("stsb"), data=task_data("stsb"),
                           task="stsb", dtype="float32")
    for name, value in found["metrics"].items():
        assert f"{name} {value:.4f}" in text
    assert f"{found['loss']:.4f}" in text


def test_evaluate_gives_the_value_of_the_run_that_trained(tmp_path, classifier, task_data):
    result = harness.train(
        classifier("stsb"), task_data("stsb"), tmp_path / "out", task="stsb", method="dual-lora",
        steps=8, learning_rate=1e-2, batch_size=8, dtype="float32")
    found = evaluate(classifier("stsb"), task_data("stsb"), "stsb", adapter=tmp_path / "out")
    assert found["value"] == pytest.approx(result["value"], abs=1e-6)
    assert found["metrics"] == pytest.approx(result["metrics"], abs=1e-6)
    assert found["loss"] == pytest.approx(result["loss"], rel=1e-5)


@pytest.mark.parametrize("task, name", [("stsb", "STS-B"), ("rte", "RTE"), ("cola", "CoLA")])
def test_scores_on_real_data_are_those_of_the_reference(tmp_path, minilm, glue, task, name):
    """The first lines of each task's own dev file, through MiniLM with a head and an adapter."""
    ending = "csv" if task == "stsb" else "tsv"
    data = tmp_path / "data"
    data.mkdir()
    lines = (glue / name / f"dev.{ending}").read_text(encoding="utf-8").split("\n")[:40]
    (data / f"dev.{ending}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    torch.manual_seed(1)
    base = AutoModelForSequenceClassification.from_pretrained(
        minilm, num_labels=glue_files.LABELS[task], dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(
        task_type=TaskType.SEQ_CLS, target_modules=["query"])).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_B" in key or "modules_to_save" in key:
                parameter.normal_(0, 0.1)
    centre(model, minilm, data, task)
    model.save_pretrained(tmp_path / "adapter")
    found = evaluate(minilm, data, task, adapter=tmp_path / "adapter")
    assert_scores(found, expected_scores(model, minilm, data, task, 128), task)
