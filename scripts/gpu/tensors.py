"""Safetensors files, read and written without any package, and how far the numbers of two are apart."""

import array
import json
import math
import struct


def write(path, tensors):
    """Writes (shape, array of float32) by name."""
    header, start = {}, 0
    for name, (shape, values) in tensors.items():
        end = start + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in tensors.values():
            file.write(values.tobytes())


def read(path):
    """(shape, numbers) by name; what is no number of 16 to 64 bits after a point is left out."""
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    found = {}
    for name, field in header.items():
        if name != "__metadata__" and field["dtype"] in _READERS:
            first, last = (8 + length + offset for offset in field["data_offsets"])
            found[name] = (field["shape"], _READERS[field["dtype"]](data[first:last]))
    return found


def _plain(code):
    def read_plain(data):
        values = array.array(code)
        values.frombytes(data)
        return values
    return read_plain


def _bfloat16(data):
    halves = array.array("H")
    halves.frombytes(data)
    return _plain("f")(array.array("I", (half << 16 for half in halves)).tobytes())


_READERS = {"F32": _plain("f"), "F64": _plain("d"), "BF16": _bfloat16}


def at_tokens(tensors, lengths, side):
    """Outputs (batch, tokens, size) without those at padding, which mean nothing."""
    made = {}
    for name, (shape, values) in tensors.items():
        if len(shape) < 3:
            made[name] = (shape, values)
            continue
        # Virtual tokens stand first, behind the padding of the left side.
        rows, tokens, size = shape
        kept = array.array(values.typecode)
        for row, length in enumerate(lengths):
            first = tokens - length if side == "left" else tokens - max(lengths)
            start = (row * tokens + first) * size
            kept += values[start:start + length * size]
        made[name] = ([len(kept)], kept)
    return made


def largest_difference(one, other):
    """max |a - b| / max |b| over all tensors; the other file's are the measure."""
    _check_same(one, other)
    pairs = [(a, b) for name in other for a, b in zip(one[name][1], other[name][1])]
    if not all(math.isfinite(a) and math.isfinite(b) for a, b in pairs):
        return math.inf
    scale = max((abs(b) for _, b in pairs), default=0)
    largest = max((abs(a - b) for a, b in pairs), default=0)
    return largest / scale if largest else 0.0


def distance(one, other, start):
    """|a - b| / |b - start|, in the Euclidean norm over all tensors: which share of what training has done
    differs. A tensor that `start` does not have started at 0.

    LoRA's A and B count by their product: a start that comes from a decomposition leaves their signs free.
    """
    _check_same(one, other)
    apart = moved = 0.0
    one, other = _multiplied(one), _multiplied(other)
    for name, (shape, values) in other.items():
        begun = start.get(name, (shape, None))[1] or array.array("f", bytes(4 * len(values)))
        apart += sum((a - b) ** 2 for a, b in zip(one[name][1], values))
        moved += sum((b - c) ** 2 for b, c in zip(values, begun))
    if not math.isfinite(apart) or not math.isfinite(moved):
        return math.inf
    return math.sqrt(apart / moved) if apart else 0.0


def _check_same(one, other):
    shapes = [{name: shape for name, (shape, _) in file.items()} for file in (one, other)]
    if shapes[0] != shapes[1]:
        raise ValueError("the files have other tensors")


def _multiplied(tensors):
    made = {}
    for name, (shape, values) in tensors.items():
        pair = name.replace(".lora_B.", ".lora_A.")
        if ".lora_A." in name and name.replace(".lora_A.", ".lora_B.") in tensors:
            continue
        if pair == name or pair not in tensors:
            made[name] = (shape, values)
            continue
        (rows, rank), (_, columns), down = shape, tensors[pair][0], tensors[pair][1]
        columns_of_down = [down[column::columns] for column in range(columns)]
        made[name] = ([rows, columns], [
            sum(x * y for x, y in zip(values[row * rank:(row + 1) * rank], column))
            for row in range(rows) for column in columns_of_down])
    return made
