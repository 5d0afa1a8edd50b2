"""The paper's generative tasks from a random model to the table, without any checkpoint.

A small base is pretrained on plain text, and every method is then trained on it and scored beside
it: a LLaMA on commonsense reasoning (the columns of the paper's Table 1), a GPT-2 on E2E (those of
its Table 4). Such models say little of the methods; the runs show the whole path, and what to type.

    python3 Benchmarks/small_models.py commonsense --data DATA --output DIR [--methods lora full]
    python3 Benchmarks/small_models.py e2e --data DATA --output DIR

DATA has commonsense/SET/{train,test}.json, e2e/{devset,testset_w_refs}.csv and
tokenizers/gpt2-tokenizer.json. What is there in DIR is not made again. DUALLORA names the command,
if it is not .build/release/duallora.
"""

import argparse
import csv
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMAND = os.environ.get("DUALLORA", str(ROOT / ".build/release/duallora"))
VOCABULARY = {"vocab_size": 50257, "bos_token_id": 50256, "eos_token_id": 50256}
CONFIGS = {
    "commonsense": {
        "model_type": "llama", "hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 4,
        "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": True, **VOCABULARY},
    "e2e": {
        "model_type": "gpt2", "n_embd": 128, "n_layer": 4, "n_head": 4, "n_positions": 512,
        **VOCABULARY}}
COLUMNS = {
    "commonsense": ["boolq", "piqa", "siqa", "hellaswag", "winogrande", "arc-easy",
                    "arc-challenge", "obqa", "average"],
    "e2e": ["bleu", "nist", "meteor", "rouge_l", "cider"]}
# The rank is the whole budget of every method, so that all adapters train as many numbers.
ADAPTER = ["--targets", "all-linear", "--rank", "16"]
RATES = {
    "commonsense": {"full": "5e-4", "lora": "2e-3", "dual-lora": "2e-3"},
    "e2e": {"full": "1e-3", "lora": "4e-3", "dual-lora": "4e-3"}}


def duallora(*words):
    """Runs the command in view; what it printed at last as JSON, if it was asked for JSON."""
    words = [str(word) for word in words]
    print("$ duallora", shlex.join(words), file=sys.stderr, flush=True)
    done = subprocess.run([COMMAND, *words], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"duallora {words[0]} ended with {done.returncode}")
    return json.loads(done.stdout) if "--json" in words else None


def questions(data):
    for file in sorted((data / "commonsense").glob("*/train.json")):
        for row in json.loads(file.read_text()):
            yield " ".join(row["instruction"].split())


def restaurant_texts(data):
    with open(data / "e2e/devset.csv", newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            yield " ".join(row["ref"].split())


def make_base(task, options):
    """The pretrained base: it has read the task's texts, and not what is to be made of them."""
    base = options.output / f"base-{task}"
    if (base / "result.json").exists():
        return base
    tokenizer = options.output / "tokenizer"
    tokenizer.mkdir(parents=True, exist_ok=True)
    shutil.copy(options.data / "tokenizers/gpt2-tokenizer.json", tokenizer / "tokenizer.json")
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(
        {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}))
    config = options.output / f"{task}.json"
    config.write_text(json.dumps(CONFIGS[task]))
    texts = options.output / f"{task}.txt"
    lines = list(questions(options.data))
    if task == "e2e":
        lines = lines[::8] + list(restaurant_texts(options.data))
    texts.write_text("\n".join(lines) + "\n")
    duallora("pretrain", "--config", config, "--tokenizer", tokenizer, "--data", texts,
             "--documents", "line", "--packing", "--max-length", "128", "--batch-size", "16",
             "--learning-rate", "2e-3", "--steps", options.pretraining_steps, "--output", base)
    return base


def train(task, method, base, options):
    """What to give `evaluate` for the trained model."""
    output = options.output / f"{task}-{method}"
    adapts = [] if method == "full" else ADAPTER
    if not (output / "result.json").exists():
        duallora("train", "--model", base, "--task", task, "--data", options.data / task,
                 "--method", method, *adapts, "--learning-rate", RATES[task].get(method, "2e-3"),
                 "--steps", options.steps, "--limit", "20", "--output", output)
    return ["--model", output] if method == "full" else ["--model", base, "--adapter", output]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=list(CONFIGS))
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["lora", "dual-lora", "full"])
    parser.add_argument("--pretraining-steps", default="600")
    parser.add_argument("--steps", default="400")
    parser.add_argument("--limit", help="score the first so many only")
    options = parser.parse_args()
    base = make_base(options.task, options)
    limit = ["--limit", options.limit] if options.limit else []
    rows = []
    for name in ["base", *options.methods]:
        model = ["--model", base] if name == "base" else train(options.task, name, base, options)
        found = duallora("evaluate", *model, "--task", options.task, "--data",
                         options.data / options.task, *limit, "--predictions",
                         options.output / f"{options.task}-{name}.txt", "--json")
        rows.append((name, found["metrics"]))
    columns = [column for column in COLUMNS[options.task] if column in rows[0][1]]
    print("| | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for name, scores in rows:
        print(f"| {name} | " + " | ".join(f"{scores[column]:.4f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
