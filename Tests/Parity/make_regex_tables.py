"""Writes Sources/Tokenization/Regex/RegexTables.swift from what Oniguruma says of every scalar.

    python make_regex_tables.py ../../Sources/Tokenization/Regex/RegexTables.swift

`tokenizers` runs the patterns of its `Split` and `ByteLevel` with Oniguruma, whose Unicode tables
are those of its release. Asking it, through `tokenizers`, gives exactly its sets.
"""

import sys

import tokenizers
from tokenizers import Regex, pre_tokenizers

from make_unicode_tables import SCALARS, boundaries, literal, rising

TEXT = "".join(SCALARS)

CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp "
              "Cc Cf Cs Co Cn").split()

# The scripts of Unicode 16; those that Oniguruma does not know drop out.
SCRIPTS = """Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak
Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian
Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan
Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic
Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema Han
Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited
Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li
Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A
Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi
Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro
Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong
Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian
Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau
Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham
SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog
Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh
Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Unknown Vai Vithkuqi Wancho Warang_Citi Yezidi Yi
Zanabazar_Square""".split()


def members(pattern):
    """The scalars that a pattern of one character matches."""
    split = pre_tokenizers.Split(Regex(f"{pattern}+"), "removed", invert=True)
    return [c for part, _ in split.pre_tokenize_str(TEXT) for c in part]


def runs(sets):
    """Runs of scalars that lie in one set: first scalar << 8 | number of the set, or | 255."""
    number = {}
    for index, scalars in enumerate(sets):
        number.update((c, index) for c in scalars)
    flat, last = [], None
    for value in range(0x110000):
        index = number.get(chr(value), 255)
        if index != last and not 0xD800 <= value <= 0xDFFF:
            flat.append(value << 8 | index)
            last = index
    return flat


def scripts():
    found = {}
    for name in SCRIPTS:
        try:
            found[name] = members(f"\\p{{{name}}}")
        except Exception as error:
            assert "invalid character property name" in str(error)
    return found


def fold_runs(mapping):
    flat = []
    for value, folded in sorted(mapping.items()):
        delta = folded - value
        if flat:
            first, last, stride, known = flat[-1]
            gap = value - last
            if known == delta and (gap == stride or (first == last and gap in (1, 2))):
                flat[-1] = (first, value, gap, delta)
                continue
        flat.append((value, value, 1, delta))
    return [number for run in flat for number in run]


def case_folding():
    """Pairs of scalars that (?i) takes for one, each with the least of its class."""
    groups = {}
    for c in SCALARS:
        keys = {c, c.lower(), c.upper(), c.casefold(), c.upper().lower(), c.title()}
        for key in keys:
            if len(key) == 1 and key != c:
                groups.setdefault(c, set()).add(key)
                groups.setdefault(key, set()).add(c)
    mapping = {}
    for c in sorted(groups):
        near, todo = {c}, [c]
        while todo:
            for other in groups.get(todo.pop(), ()):
                if other not in near:
                    near.add(other)
                    todo.append(other)
        split = pre_tokenizers.Split(Regex(f"(?i:\\x{{{ord(c):x}}})"), "removed", invert=True)
        text = "\n".join(sorted(near))
        same = {part for part, _ in split.pre_tokenize_str(text) if part != "\n"}
        assert c in same and all(len(part) == 1 for part in same), (c, same)
        least = min(same)
        if least != c:
            mapping[ord(c)] = ord(least)
    return mapping


def multiple_folds():
    """The scalars of which (?i) also matches a sequence of others, and those sequences."""
    found = {}
    for c in SCALARS:
        folded = c.casefold()
        if len(folded) == 1:
            continue
        split = pre_tokenizers.Split(Regex(f"(?i:\\x{{{ord(c):x}}})"), "removed", invert=True)
        if split.pre_tokenize_str(folded) == [(folded, (0, len(folded)))]:
            found[ord(c)] = folded
    return found


def main():
    categories = [members(f"\\p{{{name}}}") for name in CATEGORIES]
    of = dict(zip(CATEGORIES, map(set, categories)))
    assert sum(map(len, categories)) == len(SCALARS)
    known = scripts()
    alphabetic = members(r"\p{Alphabetic}")
    word = of["Mn"] | of["Mc"] | of["Me"] | of["Nd"] | of["Pc"] | set(alphabetic)
    assert set(members(r"[\w]")) == word
    # Outside of a class Oniguruma asks a table of Latin-1 that is more generous.
    assert set(members(r"\w")) == set(members(r"\p{Word}")) == word | set("²³¹¼½¾")
    assert set(members(r"\d")) == of["Nd"]
    space = "".join(members(r"\s"))
    assert space == "".join(members(r"\p{White_Space}")) == (
        "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
        "\u2028\u2029\u202f\u205f\u3000"), ascii(space)
    assert members(r"\h") == list("0123456789ABCDEFabcdef")
    assert members(r"[[:blank:]]") == sorted({"\t"} | of["Zs"])
    assert set(members(r"[[:cntrl:]]")) == of["Cc"], set(members(r"[[:cntrl:]]")) ^ of["Cc"]
    assert set(members(r"[[:punct:]]")) == set().union(*(of[c] for c in CATEGORIES if c[0] in "PS"))
    assert members(r"\p{Punct}") == members(r"\p{P}")
    absent = set().union(*(of[c] for c in ("Cc", "Cs", "Cn")))
    assert set(members(r"\p{Graph}")) == set(SCALARS) - absent - set(space)
    assert set(members(r"\p{Print}")) == set(SCALARS) - absent - of["Zl"] - of["Zp"]
    sequences = multiple_folds()
    folds = sorted({tuple(map(ord, s)) for s in sequences.values()})
    text = f"""// Written by Tests/Parity/make_regex_tables.py from tokenizers {tokenizers.__version__}.

/// Unicode properties as Oniguruma in Hugging Face `tokenizers` sees them.
///
/// Runs hold the first scalar of a stretch in their upper 24 bits, and in the lower 8 the number of
/// a name in the list beside, or 255 for none. Lists of rising numbers stand as their differences.
enum RegexTables {{
    /// The names of the general categories.
    static let categoryNames = "{" ".join(CATEGORIES[:16])} \\
        {" ".join(CATEGORIES[16:])}"

""".replace('= "', '= """\n        ', 1).replace('Co Cn"', 'Co Cn\n        """')
    text += "    /// The names of the scripts.\n    static let scriptNames = \"\"\"\n"
    line = "       "
    for name in known:
        if len(line) + len(name) + 3 > 100:
            text += line + " \\\n"
            line = "       "
        line += " " + name
    text += line + "\n        \"\"\"\n\n"
    tables = [
        ("categoryRuns", "General categories.", runs(categories)),
        ("scriptRuns", "Scripts.", runs(known.values())),
        ("alphabetic", "The property Alphabetic, as an inversion list.",
         boundaries(alphabetic)),
        ("lowercase", "The property Lowercase, as an inversion list.",
         boundaries(members(r"\p{Lowercase}"))),
        ("uppercase", "The property Uppercase, as an inversion list.",
         boundaries(members(r"\p{Uppercase}"))),
        ("multipleFolds", "Scalars of which `(?i)` also matches a sequence of others.",
         boundaries(map(chr, sequences))),
    ]
    text += "\n".join(rising(*table) for table in tables)
    text += "\n" + literal(
        "foldSequences", "The sequences that `(?i)` takes for one scalar, each ended by 0.",
        "UInt32", [n for fold in folds for n in (*fold, 0)], lambda n: f"0x{n:X}")
    text += "\n" + literal(
        "foldRuns",
        "What `(?i)` folds a scalar to, as runs: first, last, stride, distance.",
        "Int32", fold_runs(case_folding()), str)
    with open(sys.argv[1], "w") as file:
        file.write(text + "}\n")


if __name__ == "__main__":
    main()
