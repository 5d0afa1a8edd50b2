"""Tokens a second of `duallora generate` beside those of transformers' `generate`.

Makes a LLaMA of random weights, runs both sides in turn, and prints the median of each, their ratio
and the spread of both. Loading the model counts on neither side; reading the prompt does on both. Set
GOMP_SPINCOUNT=1000 for both sides alike, as this script does for what it starts.

    python3 Benchmarks/decode_speed.py [--config FILE] [--rounds 5] [--new-tokens 128]

DUALLORA names the command, if it is not .build/release/duallora.
"""

import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("GOMP_SPINCOUNT", "1000")
os.environ["HF_HUB_OFFLINE"] = "1"
ROOT = pathlib.Path(__file__).resolve().parents[1]
# What set-up fetched for the tests and the build.
sys.path[1:1] = [str(ROOT / ".oracles"), str((ROOT / ".libtorch" / "torch").resolve().parent)]

import torch  # noqa: E402  (found through the line above)
from transformers import LlamaConfig, LlamaForCausalLM, logging  # noqa: E402

COMMAND = os.environ.get("DUALLORA", str(ROOT / ".build/release/duallora"))
SHAPE = dict(
    vocab_size=32000, hidden_size=768, intermediate_size=2048, num_hidden_layers=12,
    num_attention_heads=12, num_key_value_heads=12, max_position_embeddings=2048)


def prompts(count, length, vocabulary):
    dice = random.Random(0)
    return [[1] + [dice.randrange(3, vocabulary) for _ in range(length - 1)] for _ in range(count)]


def ours(folder, rows, dtype, options):
    """Tokens a second by the command's own clock, and the ids."""
    words = [word for row in rows for word in ("--ids", " ".join(map(str, row)))]
    done = subprocess.run(
        [COMMAND, "generate", "--model", str(folder), "--max-tokens", str(options.new_tokens),
         "--ignore-stop-tokens", "--dtype", dtype, "--threads", str(options.threads),
         "--batch-size", str(len(rows)), "--temperature", "0", "--json", *words],
        capture_output=True, text=True, check=True)
    seconds = [float(number) for number in re.findall(r"tokens in ([0-9.]+) s", done.stderr)]
    made = [json.loads(line)["ids"] for line in done.stdout.splitlines()]
    return sum(map(len, made)) / sum(seconds), made


def theirs(model, rows, options):
    ids = torch.tensor(rows)
    start = time.perf_counter()
    with torch.no_grad():
        made = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.new_tokens,
            min_new_tokens=options.new_tokens, do_sample=False, pad_token_id=0)
    made = made[:, ids.shape[1]:].tolist()
    return sum(map(len, made)) / (time.perf_counter() - start), made


def compare(model, folder, dtype, batch, options):
    rows = prompts(batch, options.prompt_tokens, model.config.vocab_size)
    theirs(model, rows, argparse.Namespace(new_tokens=4))
    speeds = ([], [])
    for _ in range(options.rounds):
        (left, found), (right, expected) = ours(folder, rows, dtype, options), theirs(
            model, rows, options)
        speeds[0].append(left)
        speeds[1].append(right)
    same = sum(a == b for a, b in zip(found, expected))
    ratios = [left / right for left, right in zip(*speeds)]
    spread = [f"{min(side):.1f}-{max(side):.1f}" for side in speeds]
    print(f"{dtype:9} batch {batch:2}: duallora {statistics.median(speeds[0]):7.1f} tokens/s "
          f"({spread[0]}), transformers {statistics.median(speeds[1]):7.1f} ({spread[1]}), "
          f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}), "
          f"{same} of {batch} rows the same", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", help="a config.json of a LLaMA; 160 million weights if not given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt-tokens", type=int, default=16)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    options = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    shape = json.loads(pathlib.Path(options.config).read_text()) if options.config else SHAPE
    with tempfile.TemporaryDirectory() as folder:
        model = LlamaForCausalLM(LlamaConfig(**shape)).eval()
        model.save_pretrained(folder)
        for dtype in options.dtypes:
            model = model.to(getattr(torch, dtype))
            for batch in options.batches:
                compare(model, pathlib.Path(folder), dtype, batch, options)


if __name__ == "__main__":
    main()
