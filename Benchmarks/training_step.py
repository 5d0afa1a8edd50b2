"""A training step of `duallora bench` beside one of transformers and PEFT, eager and compiled.

Every round runs each of their sides once, in a process of its own, with ours right beside it; every
other round backwards. What counts is the ratio of two sides in one round, and its spread over the
rounds: the machine's own speed may change meanwhile. Both sides run as they do by themselves: how
threads wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT) is left to each.

`full` trains float32 weights on our side and bf16 ones on theirs, as each does when it trains.

    python3 Benchmarks/training_step.py [--config FILE] [--rounds 3] [--threads 2]
        [--pairs dual-lora/lora+compile lora/lora ...]

Their side is ../shared/bench/peft_step.py where there is one, else Benchmarks/peft_step.py. DUALLORA
names the command, if it is not .build/release/duallora. torch.compile needs a C++ compiler: the one
that CXX names, g++ or clang++.
"""

import argparse
import collections
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMAND = os.environ.get("DUALLORA", str(ROOT / ".build/release/duallora"))
COMPILED = "+compile"
# Ours, and theirs after the stroke.
PAIRS = [
    "dual-lora/lora", "dual-lora/lora+compile", "dual-lora/dual-naive",
    "dual-lora/dual-naive+compile", "lora/lora", "lora/lora+compile", "full/full+compile"]


def yardstick():
    shared = ROOT.parent / "shared" / "bench" / "peft_step.py"
    return shared if shared.exists() else ROOT / "Benchmarks" / "peft_step.py"


def environment():
    """What all processes get; Python finds what set-up fetched for the tests and the build."""
    found = [str(ROOT / ".oracles"), str((ROOT / ".libtorch" / "torch").resolve().parent)]
    path = os.pathsep.join(found + [os.environ[name] for name in ["PYTHONPATH"]
                                    if os.environ.get(name)])
    own = {name: value for name, value in os.environ.items()
           if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    return {**own, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}


def compiler():
    """A C++ compiler that compiles for several threads, as torch.compile has it do; or none."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "probe.cpp"
        source.write_text("#include <omp.h>\nint probe() { return omp_get_max_threads(); }\n")
        for name in filter(None, [os.environ.get("CXX"), "g++", "clang++"]):
            words = [name, "-fopenmp", "-shared", "-fPIC", str(source), "-o", folder + "/probe.so"]
            if shutil.which(name) and not subprocess.run(words, capture_output=True).returncode:
                return name
    return None


def words_of(side, options):
    """The process that measures a side: ("ours" or "theirs", method)."""
    whose, method = side
    shape = ["--config", options.config, "--batch", str(options.batch),
             "--length", str(options.length), "--steps", str(options.steps),
             "--dtype", options.dtype, "--threads", str(options.threads),
             "--method", method.removesuffix(COMPILED)]
    if method.removesuffix(COMPILED) != "full":
        shape += ["--rank", str(options.rank)]
    if whose == "ours":
        return [COMMAND, "bench", "--json", *shape]
    return [sys.executable, options.yardstick, *shape,
            *(["--compile"] if method.endswith(COMPILED) else [])]


def measure(side, options, env):
    words = words_of(side, options)
    try:
        done = subprocess.run(words, capture_output=True, text=True, env=env)
    except OSError as error:
        sys.exit(f"{words[0]} does not run: {error.strerror}")
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}: "
                 f"{(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def name_of(side):
    whose, method = side
    return f"duallora {method}" if whose == "ours" else (
        f"{'PyTorch' if method.startswith(('full', 'dual')) else 'PEFT'} "
        f"{method.replace(COMPILED, ', compiled')}")


def run(pairs, options, env):
    """{side: all its measurements} and {pair: those of its two sides in each round}."""
    groups = collections.defaultdict(list)
    for ours, theirs in pairs:
        groups[theirs].append(ours)
    sides, rounds = collections.defaultdict(list), collections.defaultdict(list)
    for number in range(options.rounds):
        order = 1 if number % 2 == 0 else -1
        for theirs, several in list(groups.items())[::order]:
            results = {}
            for side in [several[0], theirs, *several[1:]][::order]:
                results[side] = measure(side, options, env)
                sides[side].append(results[side])
                print(f"round {number + 1}: {name_of(side)}: {results[side]['median_ms']} ms",
                      file=sys.stderr, flush=True)
            for ours in several:
                rounds[ours, theirs].append((results[ours], results[theirs]))
    return sides, rounds


def spread(values, digits):
    return (f"{statistics.median(values):.{digits}f}",
            f"{min(values):.{digits}f}-{max(values):.{digits}f}")


def print_table(header, rows):
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    for row in [header, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def show(sides, rounds):
    rows = []
    for side, results in sides.items():
        times = spread([result["median_ms"] for result in results], 0)
        peak = statistics.median(result["peak_rss_mib"] for result in results)
        rows.append([name_of(side), *times, f"{peak:.0f}", f"{results[0]['trainable']:,}"])
    print_table(["side", "ms a step", "spread", "peak MiB", "parameters that train"], rows)
    print()
    rows = []
    for (ours, theirs), results in rounds.items():
        def ratios(field):
            return [left[field] / right[field] for left, right in results]

        rows.append([f"{name_of(ours)} / {name_of(theirs)}", *spread(ratios("median_ms"), 2),
                     spread(ratios("peak_rss_mib"), 2)[0]])
    print_table(["ours / theirs", "time", "spread", "peak memory"], rows)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=str(ROOT / "Benchmarks/configs/llama-160m.json"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="timed steps of each process")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="OURS/THEIRS")
    parser.add_argument("--yardstick", default=str(yardstick()), help="the script of their side")
    options = parser.parse_args()
    if options.rounds < 1 or any(pair.count("/") != 1 for pair in options.pairs):
        parser.error("--rounds is at least 1, and a pair is written OURS/THEIRS: lora/lora+compile")
    return options


def main():
    options = parse()
    env = environment()
    pairs = [tuple(zip(("ours", "theirs"), pair.split("/"))) for pair in options.pairs]
    if any(method.endswith(COMPILED) for _, (_, method) in pairs):
        env["CXX"] = compiler() or ""
        if not env["CXX"]:
            print("torch.compile needs a C++ compiler (g++ or clang++ in PATH) that makes programs "
                  "with -fopenmp; none is here, so the compiled sides are left out", flush=True)
            pairs = [pair for pair in pairs if not pair[1][1].endswith(COMPILED)]
    if not pairs:
        sys.exit("no pair is left to measure")
    sides, rounds = run(pairs, options, env)
    print(f"{pathlib.Path(options.config).name}, {options.batch} x {options.length} tokens, "
          f"{options.dtype}, {options.threads} threads, {options.rounds} rounds, "
          f"{options.steps} steps a run, beside {options.yardstick}\n")
    show(sides, rounds)


if __name__ == "__main__":
    main()
