"""Greedy decoding of GGUF files by `duallora generate` beside llama.cpp, through llama-cpp-python.

Both sides read the same file and the same prompt of token ids, alternately, each in a process of its own; loading does
not count, reading the prompt does. Prints the median tokens a second of each side, the median ratio of
neighbours and its spread, and how many of the tokens agree before the first that differs.

    pip install llama-cpp-python
    python3 Benchmarks/llamacpp_decoding.py model-q4_0.gguf model-q8_0.gguf [--rounds 5] [--new-tokens 128]

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

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMAND = os.environ.get("DUALLORA", str(ROOT / ".build/release/duallora"))
THEIRS = """
import json, sys, time
from llama_cpp import Llama
path, threads, count, ids = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
model = Llama(path, n_ctx=len(ids) + count + 8, n_threads=threads, n_threads_batch=threads, verbose=False)
start = time.perf_counter()
made = []
for token in model.generate(ids, temp=0.0, repeat_penalty=1.0):
    made.append(token)
    if len(made) == count:
        break
print(json.dumps({"seconds": time.perf_counter() - start, "ids": made}))
"""


def ours(path, ids, options):
    done = subprocess.run(
        [COMMAND, "generate", "--model", path, "--max-tokens", str(options.new_tokens),
         "--ignore-stop-tokens", "--threads", str(options.threads), "--temperature", "0", "--json",
         *(["--dtype", options.dtype] if options.dtype else []),
         "--ids", " ".join(map(str, ids))], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip().splitlines()[-1])
    seconds = float(re.findall(r"tokens in ([0-9.]+) s", done.stderr)[-1])
    return seconds, json.loads(done.stdout.splitlines()[-1])["ids"]


def theirs(path, ids, options):
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, path, str(options.threads), str(options.new_tokens),
         json.dumps(ids)], capture_output=True, text=True)
    if done.returncode:
        sys.exit((done.stderr.strip().splitlines() or ["llama-cpp-python failed"])[-1])
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["ids"]


def agreeing(left, right):
    return next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE.gguf")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--prompt", type=int, default=32, help="tokens of the prompt")
    parser.add_argument("--new-tokens", type=int, default=96)
    parser.add_argument("--dtype", help="what our side computes in; by itself what it takes")
    return parser.parse_args()


def main():
    options = parse()
    dice = random.Random(0)
    ids = [1] + [dice.randrange(100, 20_000) for _ in range(options.prompt - 1)]
    print(f"{options.prompt} tokens read, {options.new_tokens} made, {options.threads} threads, "
          f"{options.rounds} rounds")
    print("file | ours, tokens/s | llama.cpp, tokens/s | ratio (spread) | equal tokens")
    for path in options.files:
        speeds = []
        for number in range(options.rounds):
            sides = [ours, theirs][::1 if number % 2 == 0 else -1]
            found = {side: side(path, ids, options) for side in sides}
            speeds.append([options.new_tokens / found[side][0] for side in (ours, theirs)])
        ratios = [left / right for left, right in speeds]
        left, right = (statistics.median(column) for column in zip(*speeds))
        equal = agreeing(found[ours][1], found[theirs][1])
        print(f"{pathlib.Path(path).name} | {left:.1f} | {right:.1f} | {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f}-{max(ratios):.2f}) | {equal} of {options.new_tokens}", flush=True)


if __name__ == "__main__":
    main()
