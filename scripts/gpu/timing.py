"""Step times of every method on a device, PEFT's beside them, and what has no kernel there."""

import json
import subprocess

from .command import Failed

# Methods whose size is not told by a rank: about what their papers use.
OPTIONS = {
    "full": [], "galore": ["--rank", 16], "vera": ["--rank", 256], "randlora": ["--rank", 32],
    "adapter-p": ["--bottleneck", 256], "adapter-l": ["--bottleneck", 224],
    "prefix": ["--virtual-tokens", 20], "prompt": ["--virtual-tokens", 20],
    "p-tuning": ["--virtual-tokens", 20], "loreft": ["--rank", 4]}
# What PEFT's script measures, by our method's name.
PEERS = {"lora": "lora", "full": "full", "dual-lora": "dual-naive"}
SHAPE = ["--batch", 4, "--length", 256]


def measure(command, device, config, methods, dtype, script, steps, shape=SHAPE):
    """A row for each method: times in ms, and counts of what went through plain expressions."""
    first = [name for name in PEERS if name in methods]
    rows = []
    for method in first + [name for name in methods if name not in first]:
        row = {"method": method, "dtype": dtype, "config": config.name}
        words = ["--config", config, *shape, "--steps", steps, "--dtype", dtype, "--device", device]
        try:
            options = OPTIONS.get(method, ["--rank", 16])
            row |= _of_ours(command.run("bench", "--json", "--method", method, *words, *options))
            if script and method in PEERS:
                row["peft"] = _of_peft(command, script, "--method", PEERS[method], *words)
        except Failed as reason:
            row["failure"] = str(reason)
        rows.append(row)
    return rows


def _of_ours(printed):
    found = json.loads(printed.splitlines()[-1])
    return {"step": found["median_ms"], "plain": found["plain_expressions"],
            **{name: found[f"{name}_ms"] for name in ("forward", "backward", "optimizer")}}


def _of_peft(command, script, *words):
    try:
        done = subprocess.run(
            ["python3", str(script), *map(str, words)], capture_output=True, text=True,
            timeout=command.room())
    except (subprocess.TimeoutExpired, Failed):
        return None
    return json.loads(done.stdout.splitlines()[-1])["median_ms"] if done.returncode == 0 else None
