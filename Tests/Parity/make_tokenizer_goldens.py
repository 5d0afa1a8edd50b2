"""Writes what `tokenizers` makes of hard text into Tests/TokenizationTests/Goldens.

    python make_tokenizer_goldens.py ../TokenizationTests/Goldens [TOKENIZER_FOLDER...]

Each golden carries its own small tokenizer, invented here, so no one else's vocabulary is
committed. A folder with a tokenizer.json adds a golden under the folder's name, for local use.
"""

import json
import pathlib
import sys

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from tokenizers.implementations import BertWordPieceTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "hello", "wor", "Wor", "ä", "a\u0308",
         "İ", "e", "é", "e\u0301", "中", "文", "don", "'", "t", ".", "!", "$", "😀", "\u200d", "ß",
         "x", "-", "a", "b", "c", "word"]
PIECES = ["aff", "able", "ld", "s", "x", "a", "\u0308", "\u0301", "文", "😀", "t", "\u0307"]
TEXTS = [
    "", " ", "\0", "Hello, World!", "hello world", "unaffable", "UNAFFABLE", "unaffablez",
    "don't", "a\r\nb\rc\td", "Ä", "A\u0308", "a\u0308", "ä", "e\u0301", "É", "İ", "i\u0307",
    "中文", "x中文x", "😀\u200d😀", "a\0b\ufffdc", "a\u00a0b\u3000c\u2028a", "a\u0085b", "$a-b.",
    "x" * 100, "x" * 101, "a" + "\u0301" * 100, "[SEP]", "[sep]", "a[MASK]b", "[MASK", "\u166d",
    "a\u0301\u0323", "a\u1abfb", "ẞ", "##s", "un##s", "wor\u00adld",
]
CONTEXTS = ["a{}b ", "e\u0301{}\u0323 "]


def bert(**settings):
    return normalizers.BertNormalizer(**settings)


def tokenizer(normalizer=None, splitter=None, prefix="##", added=(), processor=None):
    vocab = {token: i for i, token in enumerate(WORDS + [prefix + piece for piece in PIECES])}
    made = Tokenizer(models.WordPiece(
        vocab, unk_token="[UNK]", continuing_subword_prefix=prefix, max_input_chars_per_word=100))
    if normalizer is not None:
        made.normalizer = normalizer
    if splitter is not None:
        made.pre_tokenizer = splitter
    if processor is not None:
        made.post_processor = processor
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    made.add_tokens(list(added))
    return made


def template():
    return processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)])


def case(made, text, pair=None, special=True, limit=None):
    if limit is None:
        made.no_truncation()
    else:
        made.enable_truncation(limit, strategy="longest_first")
    encoding = made.encode(text, pair, add_special_tokens=special)
    return dict(text=text, pair=pair, special=special, limit=limit, ids=encoding.ids,
                typeIDs=encoding.type_ids, tokens=encoding.tokens)


def write(folder, name, files, cases):
    text = json.dumps(dict(files=files, cases=cases), indent=None, separators=(",", ":"))
    (folder / f"{name}.json").write_text(text + "\n")


def write_tokenizer(folder, name, made, texts):
    made.no_truncation()
    definition = made.to_str()
    made = Tokenizer.from_str(definition)
    cases = [case(made, text) for text in texts]
    cases += [case(made, text, pair="b ä!") for text in texts[::3]]
    cases += [case(made, text, special=False) for text in texts[::3]]
    write(folder, name, {"tokenizer.json": definition}, cases)


def truncations(made):
    for special in (True, False):
        for limit in (2, 3, 5, 8):
            for count in (0, 1, 9):
                yield case(made, "unaffable " * count, special=special, limit=limit)
                yield case(made, "[MASK] a " * count, special=special, limit=limit)
        for limit in (3, 4, 5, 8, 11):
            for first in (0, 1, 5, 12):
                for second in (0, 1, 2, 5):
                    yield case(made, "a " * first, "un unaffable b " * second, special, limit)


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def scalar_hashes():
    """A hash of the normal form of every 4096 scalars of planes 0, 1 and parts of 2, 14."""
    forms = {
        "uncased": bert(), "cased": bert(lowercase=False),
        "accented": bert(strip_accents=False), "lowercase": normalizers.Lowercase(),
        "strip": normalizers.StripAccents(), "nfd": normalizers.NFD(), "nfc": normalizers.NFC(),
        "nfkd": normalizers.NFKD(), "nfkc": normalizers.NFKC()}
    splits = {"bert": pre_tokenizers.BertPreTokenizer(), "word": pre_tokenizers.Whitespace()}
    rows = []
    for start in [*range(0, 0x21000, 0x1000), 0x2A000, 0x2B000, 0x2F000, 0xE0000]:
        block = [chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c <= 0xDFFF]
        text = "".join(context.replace("{}", c) for c in block for context in CONTEXTS)
        hashes = {name: fnv1a(form.normalize_str(text)) for name, form in forms.items()}
        for name, split in splits.items():
            hashes[name] = fnv1a("\n".join(word for word, _ in split.pre_tokenize_str(text)))
        rows.append(dict(start=start, hashes=hashes))
    return rows


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    bert_words = pre_tokenizers.BertPreTokenizer()
    uncased = tokenizer(bert(), bert_words, processor=template())
    write_tokenizer(folder, "uncased", uncased, TEXTS)
    write_tokenizer(folder, "cased", tokenizer(
        bert(lowercase=False), bert_words,
        processor=processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))), TEXTS)
    write_tokenizer(folder, "accented-joined", tokenizer(
        bert(strip_accents=False, handle_chinese_chars=False), bert_words), TEXTS)
    write_tokenizer(folder, "prefix", tokenizer(
        normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Whitespace()]),
        prefix="@@"), TEXTS)
    write_tokenizer(folder, "added", tokenizer(bert(), bert_words, processor=template(), added=[
        AddedToken("<l>", lstrip=True, normalized=False),
        AddedToken("<r>", rstrip=True, normalized=False),
        AddedToken("<w>", single_word=True, normalized=False),
        AddedToken("Éclair", normalized=True), AddedToken("É", normalized=False),
        AddedToken("hello hello", normalized=True), AddedToken(" b", normalized=False),
    ]), ["a  <l> b", "a <r>  b", "<r> <l>", "a<w>b", "a <w> b", "_<w>", "é<w>!", "eclair", "ÉCLAIR",
         "E\u0301clair", "É", "E\u0301", "é", "hello hello hello", "HELLO HELLO", "a b", "<r> b b"])
    pair = tokenizer(bert(), bert_words, processor=template())
    write(folder, "truncation", {"tokenizer.json": pair.to_str()}, list(truncations(pair)))

    lines = "\n".join([*WORDS, *("##" + piece for piece in PIECES), "twice", "twice ", ""]) + "\n"
    path = folder / "vocab.txt"
    path.write_text(lines)
    plain = BertWordPieceTokenizer(str(path), lowercase=False)
    path.unlink()
    cases = [case(plain._tokenizer, text) for text in [*TEXTS, "twice"]]
    cases += [case(plain._tokenizer, text, pair="b ä!") for text in TEXTS[::3]]
    files = {"vocab.txt": lines, "tokenizer_config.json": '{"do_lower_case": false}'}
    write(folder, "vocabulary-file", files, cases)

    (folder / "scalars").mkdir(exist_ok=True)
    (folder / "scalars" / "scalars.json").write_text(json.dumps(scalar_hashes(), indent=0) + "\n")
    for extra in map(pathlib.Path, sys.argv[2:]):
        write_tokenizer(folder, extra.name, Tokenizer.from_file(f"{extra}/tokenizer.json"), TEXTS)


if __name__ == "__main__":
    main()
