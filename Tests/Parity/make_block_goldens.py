"""Writes the golden of quantised blocks: what `gguf.quants` and bitsandbytes make of random ones.

    python3 Tests/Parity/make_block_goldens.py Tests/TorchTests/Goldens/blocks.safetensors

For each format FORMAT:

- `FORMAT.bytes` (rows, bytes of a row): random blocks, with scales of every size, subnormal ones too;
- `FORMAT.numbers` (rows, columns): their numbers in float32.

For the formats that are written too, of the numbers `x` (rows, columns), `FORMAT.written` (rows, bytes of a
row). NF4's blocks are here as this package lays them out: the scale in float32, then the codes.

Needs numpy, gguf, torch, safetensors and bitsandbytes.
"""

import sys

import bitsandbytes.functional as bnb
import gguf
import numpy as np
import torch
from safetensors.numpy import save_file

ROWS, COLUMNS = 3, 512
# Where the scales in float16 lie in a block.
HALVES = {"q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q8_0": [0],
          "q4_K": [0, 2], "q5_K": [0, 2], "q6_K": [208]}
WRITTEN = ["q4_0", "q8_0"]


def blocks(name, random):
    kind = gguf.GGMLQuantizationType[name.upper()]
    size, count = gguf.GGML_QUANT_SIZES[kind]
    found = random.integers(0, 256, (ROWS * COLUMNS // size, count), dtype=np.uint8)
    for place in HALVES[name]:
        exponents = random.integers(-24, 4, len(found))
        halves = (random.choice([-1, 1], len(found)) * random.uniform(1, 2, len(found))
                  * 2.0 ** exponents).astype(np.float16)
        found[:, place:place + 2] = halves.view(np.uint8).reshape(-1, 2)
    rows = found.reshape(ROWS, -1)
    return rows, gguf.quants.dequantize(rows, kind).reshape(ROWS, COLUMNS)


def nf4(x):
    """Blocks of bitsandbytes in this package's layout, and their numbers."""
    packed, state = bnb.quantize_4bit(torch.from_numpy(x), blocksize=64, quant_type="nf4")
    scales = state.absmax.numpy().astype(np.float32).reshape(-1, 1).view(np.uint8)
    rows = np.concatenate([scales, packed.numpy().reshape(-1, 32)], axis=1).reshape(len(x), -1)
    return rows, bnb.dequantize_4bit(packed, state).numpy()


def main(path):
    random = np.random.default_rng(1)
    x = (random.standard_normal((ROWS, COLUMNS)) * 10.0 ** random.integers(-3, 2, (ROWS, COLUMNS))
         ).astype(np.float32)
    x[0, :64] = 0
    tensors = {"x": x}
    for name in HALVES:
        tensors[f"{name}.bytes"], tensors[f"{name}.numbers"] = blocks(name, random)
    for name in WRITTEN:
        tensors[f"{name}.written"] = gguf.quants.quantize(
            x, gguf.GGMLQuantizationType[name.upper()])
    tensors["nf4.written"], _ = nf4(x)
    tensors["nf4.bytes"], tensors["nf4.numbers"] = nf4(
        random.standard_normal((ROWS, COLUMNS)).astype(np.float32))
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)


if __name__ == "__main__":
    main(sys.argv[1])
