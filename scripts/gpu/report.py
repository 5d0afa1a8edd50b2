"""What was found, as tables in Markdown."""

from .comparing import BOUNDS

_COLUMNS = ["logits", "tokens", "losses", "weights"]


def text(rows, times, about):
    parts = [f"# duallora on {about['device']}\n", _said(about), _differences(rows)]
    if times:
        parts += [_times(times), _plain(times)]
    failed = [row for row in rows if not row.passed] + [row for row in times if "failure" in row]
    parts.append(f"{len(failed)} of {len(rows) + len(times)} rows failed." if failed
                 else f"All {len(rows) + len(times)} rows are within their bounds.")
    return "\n".join(parts) + "\n"


def _said(about):
    bounds = "; ".join(
        f"{dtype}: " + ", ".join(f"{name} {bound:g}" for name, bound in found.items())
        for dtype, found in BOUNDS.items())
    return (
        f"LibTorch {about['libtorch']} in {about['folder']}; built {about['build']}. Products of float32 without "
        "TF32. Differences from the processor's results: logits as a share of the largest (behind training, "
        "those of what the processor has trained), losses of ten steps as shares of each, trained weights as "
        f"a share of what training has changed, greedy tokens by number. Bounds: {bounds}; no token may differ.\n")


def _table(header, lines):
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header),
                      *("| " + " | ".join(line) + " |" for line in lines)]) + "\n"


def _differences(rows):
    lines = [[row.check, row.model, row.method, row.dtype,
              *(f"{row.differences[name]:.2g}" if name in row.differences else "" for name in _COLUMNS),
              row.verdict.replace("|", "/")] for row in rows]
    return _table(["check", "model", "method", "type", *_COLUMNS, "within bounds"], lines)


def _times(times):
    def number(row, name):
        return f"{row[name]:.1f}" if row.get(name) is not None else ""
    lines = [[row["method"], row["dtype"], *(number(row, name) for name in (
        "forward", "backward", "optimizer", "step", "peft")),
        str(sum(row.get("plain", {}).values())), row.get("failure", "").replace("|", "/")] for row in times]
    return _table(
        ["method", "type", "forward, ms", "backward, ms", "optimizer, ms", "step, ms", "PEFT's step, ms",
         "plain expressions", "failure"], lines)


def _plain(times):
    """Which kernels plain expressions stood in for in one step, as the command counted."""
    operators = {}
    for row in times:
        for name, count in row.get("plain", {}).items():
            operators.setdefault(name, []).append(f"{row['method']} {count}")
    if not operators:
        return "No step went through plain expressions in place of a kernel.\n"
    return "In place of a kernel, plain expressions, by a step's count:\n\n" + "\n".join(
        f"- `{name}`: {', '.join(methods)}" for name, methods in sorted(operators.items())) + "\n"
