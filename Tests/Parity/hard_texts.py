"""Texts on which tokenizers go wrong."""

import os
import random

from harness import SPECIALS

ALL = os.environ.get("EVERY_SCALAR") == "all"
# Assigned scalars lie in the first planes and at the start of the 14th; of the others, a sample.
SCALARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF
           and (ALL or c < 0x32400 or 0xE0000 <= c < 0xE0200 or c % 509 == 0 or c > 0x10FFF0)]
CONTEXTS = ["{}\u0301\u0323 {}A {}", "a{}b", "e\u0301{}", "{}"]
RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x00, 0x1F), (0x7F, 0x2AF), (0x300, 0x36F),
    (0x370, 0x5FF), (0x600, 0x6FF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1100, 0x11FF),
    (0x1AB0, 0x1AFF), (0x1DC0, 0x1FFF), (0x2000, 0x206F), (0x20D0, 0x214F), (0x3000, 0x30FF),
    (0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF), (0xF900, 0xFFFF), (0x10000, 0x11FFF),
    (0x1D000, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2FA1F), (0xE0000, 0xE01EF),
]
PIECES = [
    *SPECIALS, "[MASK", "mask]", "\r\n", "\r", "\u0085", "\u2028", "\u00a0", "\u3000",
    "\u200b", "\u200d", "\ufeff", "\ufffd", "\0", "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽", "❤\ufe0f",
    "é", "e\u0301", "q\u0323\u0307", "q\u0307\u0323", "ǅ", "İ", "ΣΑΣ", "ß", "ẞ", "ﬁ", "Ω", "Å",
    "각", "가\u11a8", "\u0344", "\u0f73\u0f71", "中文", "don't", "U.S.A.", "$5.00", "hello",
    "World", "##ing", "##", "unaffable", "x" * 99, "x" * 100, "x" * 101, "é" * 60, "中" * 120,
]


def mixtures(count, seed, pieces=PIECES, ranges=RANGES):
    """Random texts of pieces, spaces and runs of characters from the ranges."""
    dice = random.Random(seed)
    texts = []
    for _ in range(count):
        parts = []
        for _ in range(dice.randrange(1, 16)):
            kind = dice.random()
            if kind < 0.35:
                parts.append(dice.choice(pieces))
            elif kind < 0.5:
                parts.append(" ")
            else:
                first, last = dice.choice(ranges)
                parts += [chr(dice.randint(first, last)) for _ in range(dice.randrange(1, 5))]
        texts.append("".join(parts))
    return texts


def every_scalar(contexts=CONTEXTS):
    """Every Unicode scalar in every context, 16 to a text; inputs that stay one word stay small."""
    for context in contexts:
        for start in range(0, len(SCALARS), 16):
            yield " ".join(context.replace("{}", c) for c in SCALARS[start:start + 16])


def edge_cases():
    return [
        "", " ", "\n", "\r\n", "\0", "\ufffd", "a\0b", "a\ufffdb", "\u0301", "e\u0301" * 40,
        "a" * 100, "a" * 101, "a" * 100_000, "e\u0301" * 100, "e\u0301" * 101, "中" * 1000,
        "[CLS] a [SEP]", "[cls]", "[MASK][MASK]", "a[MASK]b", "[[MASK]]", " [MASK] ", "##a", "a##a",
        "a\r\nb", "a\rb\nc\td", "\u1e9b\u0323", "\u0315\u0300\u05ae\u0062", "𝒳", "\U0010ffff",
        "\u0130", "I\u0307", "\u1885", "\ufb1d", "\u2126", "a\u05b0\u094d\u3099\u0334b",
    ]
