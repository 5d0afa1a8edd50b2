"""A training step of every method beside the products that it cannot do without.

Each round runs every method once, in a process of its own, which times its steps and, after each, the
products that the method needs: those of all layers and of the head, and the adapter's own, thin ones and
the gradient at the whole weight where there is one. What counts is the ratio of the two, which are
measured together.

    python3 Benchmarks/methods_step.py [--config FILE] [--rounds 1] [--steps 3] [--methods lora dora ...]

DUALLORA names the command, if it is not .build/release/duallora.
"""

import argparse
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMAND = os.environ.get("DUALLORA", str(ROOT / ".build/release/duallora"))
# Methods whose size is not told by a rank: about what their papers use.
OPTIONS = {
    "full": [], "vera": ["--rank", "256"], "randlora": ["--rank", "32"],
    "adapter-p": ["--bottleneck", "256"], "adapter-l": ["--bottleneck", "224"],
    "prefix": ["--virtual-tokens", "20"], "prompt": ["--virtual-tokens", "20"],
    "p-tuning": ["--virtual-tokens", "20"], "loreft": ["--rank", "4"]}


def measure(method, options):
    words = [COMMAND, "bench", "--json", "--limit", "--config", options.config, "--method", method,
             "--batch", str(options.batch), "--length", str(options.length),
             "--steps", str(options.steps), "--threads", str(options.threads), "--dtype", options.dtype,
             *OPTIONS.get(method, ["--rank", "16"])]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=str(ROOT / "Benchmarks/configs/llama-160m.json"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3, help="timed steps of each process")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--methods", nargs="+")
    options = parser.parse_args()
    listed = subprocess.run([COMMAND, "methods", "--json"], capture_output=True, text=True, check=True)
    known = {row["name"]: row for row in json.loads(listed.stdout)["methods"]}
    names = options.methods or list(known)
    found = collections.defaultdict(list)
    for number in range(options.rounds):
        for name in names[::1 if number % 2 == 0 else -1]:
            found[name].append(measure(name, options))
            print(f"round {number + 1}: {name}: {found[name][-1]['median_ms']} ms",
                  file=sys.stderr, flush=True)
    print("| method | trains | products of a layer | adapter's own, % | ms a step "
          "| its products, ms | times | peak MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in names:
        def median(field):
            return statistics.median(result[field] for result in found[name])

        ratio = statistics.median(
            result["median_ms"] / result["limit_ms"] for result in found[name])
        print(f"| {name} | {found[name][0]['trainable']:,} | {known[name]['step_products']} | "
              f"{100 * found[name][0]['own_share']:.0f} | {median('median_ms'):.0f} | "
              f"{median('limit_ms'):.0f} | {ratio:.2f} | {median('peak_rss_mib'):.0f} |")


if __name__ == "__main__":
    main()
