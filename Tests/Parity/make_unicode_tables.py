"""Writes Sources/Tokenization/UnicodeTables.swift from what `tokenizers` does to every scalar.

    python make_unicode_tables.py ../../Sources/Tokenization/UnicodeTables.swift

The crates behind `tokenizers` carry Unicode tables of different versions, none of them the one of
a Swift toolchain. Asking the library itself, one scalar at a time, gives exactly its sets.
"""

import sys

import tokenizers
from tokenizers import normalizers, pre_tokenizers

SCALARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def bert(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on})


def removed_by_clean_text():
    clean = bert(clean_text=True)
    return [c for c in SCALARS if clean.normalize_str(f"a{c}b") == "ab"]


def nonspacing_marks():
    """Marks that decompose are left out: the filter runs after NFD and never sees them."""
    nfd, strip = normalizers.NFD(), bert(strip_accents=True)
    return [c for c in SCALARS if nfd.normalize_str(c) == c and strip.normalize_str(c) == ""]


def combining_marks():
    strip = normalizers.StripAccents()
    return [c for c in SCALARS if strip.normalize_str(c) == ""]


def punctuation():
    split = pre_tokenizers.BertPreTokenizer()
    return [c for c in SCALARS if len(split.pre_tokenize_str(f"a{c}b")) == 3]


def numeric():
    split = pre_tokenizers.Digits(individual_digits=True)
    return [c for c in SCALARS if len(split.pre_tokenize_str(f"a{c}b")) == 3]


def boundaries(members):
    """An inversion list: the set's first member, the next non-member, the next member, ..."""
    flat = []
    for value in map(ord, members):
        if flat and flat[-1] == value:
            flat[-1] = value + 1
        else:
            flat += [value, value + 1]
    return flat


def lowercase_runs():
    """Runs (first, last, stride, delta). U+0130 has a two-scalar mapping and is handled apart."""
    lower = normalizers.Lowercase()
    mapping = {ord(c): lower.normalize_str(c) for c in SCALARS}
    assert {v: m for v, m in mapping.items() if len(m) != 1} == {0x130: "i\u0307"}
    runs = []
    for value, mapped in mapping.items():
        delta = ord(mapped) - value if len(mapped) == 1 else 0
        if delta == 0:
            continue
        if runs:
            first, last, stride, known = runs[-1]
            gap = value - last
            if known == delta and (gap == stride or (first == last and gap in (1, 2))):
                runs[-1] = (first, value, gap, delta)
                continue
        runs.append((value, value, 1, delta))
    return [number for run in runs for number in run]


def literal(name, summary, kind, numbers, spell):
    lines, line = [], ""
    for number in numbers:
        word = spell(number) + ","
        if len(line) + len(word) + 9 > 100:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    body = "\n".join("        " + text for text in [*lines, line])
    return f"    /// {summary}\n    static let {name}: [{kind}] = [\n{body}\n    ]\n"


def rising(name, summary, numbers):
    """A list of rising numbers, as the differences between neighbours in hexadecimal digits."""
    lines, line, last = [], "", 0
    for number in numbers:
        assert number > last or not last
        word = f"{number - last:X}"
        last = number
        if len(line) + len(word) + 11 > 100:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    body = " \\\n".join("        " + text for text in [*lines, line])
    return (f"    /// {summary}\n    static let {name} = risingNumbers(\n"
            f'        """\n{body}\n        """)\n')


def main():
    sets = [
        ("removedByCleanText", removed_by_clean_text(),
         "NUL, U+FFFD, and Cc, Cf and Co as of `unicode_categories`; tab and line ends stay."),
        ("nonspacingMarks", nonspacing_marks(), "Category Mn as of `unicode_categories`."),
        ("combiningMarks", combining_marks(),
         "Categories Mn, Mc and Me as of `unicode-normalization-alignments`."),
        ("punctuation", punctuation(),
         "ASCII punctuation, and categories P* as of `unicode_categories`."),
        ("numeric", numeric(), "Rust's `char::is_numeric`: categories N*."),
    ]
    text = f"""// Written by Tests/Parity/make_unicode_tables.py from tokenizers {tokenizers.__version__}.

/// Sets of Unicode scalars as Hugging Face `tokenizers` sees them.
///
/// They are data, not Swift's own `Unicode.Scalar.Properties`, because the Rust crates behind
/// `tokenizers` stay on the Unicode version of their release, while Swift's tables move on:
/// `unicode_categories` still has U+166D as punctuation and lacks marks assigned since.
///
/// A set is an inversion list: its first member, the first scalar after that which is not a
/// member, the next member, and so on. Lists of rising numbers stand as their differences.
enum UnicodeTables {{
"""
    text += "\n".join(
        rising(name, summary, boundaries(members)) for name, members, summary in sets)
    text += "\n" + literal(
        "lowercaseRuns",
        "`char::to_lowercase` as runs: first, last, stride, distance to the lower case.",
        "Int32", lowercase_runs(), str)
    with open(sys.argv[1], "w") as file:
        file.write(text + "}\n")


if __name__ == "__main__":
    main()
