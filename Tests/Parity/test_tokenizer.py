"""Compares `duallora tokenize` with Hugging Face `tokenizers` on hard text, token by token.

TEXT may name a folder of real text, every line of which is then compared; without it, GLUE's files
are read where they are at hand. EVERY_SCALAR=all runs more tokenizers on every Unicode scalar, also on
those that no standard assigns, which takes ten minutes.
"""

import json
import os
import pathlib
import random

import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from tokenizers.implementations import BertWordPieceTokenizer

import harness
from hard_texts import ALL, CONTEXTS, SCALARS, SPECIALS, edge_cases, every_scalar, mixtures



def compare(folder, reference, texts, pair=None, special=True):
    options = (["--pair", pair] if pair is not None else []) + ([] if special else ["--no-special"])
    found = harness.tokenize(folder, texts, *options)
    assert len(found) == len(texts)
    inputs = texts if pair is None else [(text, pair) for text in texts]
    wrong = []
    for text, here, there in zip(
            texts, found, reference.encode_batch(inputs, add_special_tokens=special)):
        if here["ids"] != there.ids or here["tokens"] != there.tokens:
            wrong.append((ascii(text), here["tokens"], there.tokens))
    assert not wrong, f"{len(wrong)} of {len(texts)} differ, such as {wrong[:3]}"


# --- tokenizers made here -------------------------------------------------------------------------


def vocabulary(prefix="##", unknown="[UNK]", seed=7):
    """Letters of many scripts with and without prefix, both spellings of accents, some words."""
    dice = random.Random(seed)
    letters = [chr(c) for c in (*range(0x21, 0x7F), *range(0xA1, 0x180), *range(0x300, 0x460),
                                *range(0x5D0, 0x5EB), *range(0x3041, 0x3097),
                                *range(0x4E00, 0x4E80), *range(0x1F600, 0x1F650))]
    words = ["hello", "World", "don", "é", "e\u0301", "Å", "A\u030a", "İ", "i\u0307", "ß", "ing",
             "中文", "가", "\u1100\u1161", "각", "fi", "ﬁ", "Ω", "ω", "\u2126", "xxxx", "affable", "un"]
    words += ["".join(dice.choice(letters) for _ in range(dice.randrange(2, 5)))
              for _ in range(3000)]
    tokens = [unknown if token == "[UNK]" else token for token in SPECIALS]
    tokens += letters + words + [prefix + token for token in letters + words]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


def build(folder, normalizer=None, pre_tokenizer=None, prefix="##", unknown="[UNK]", longest=100,
          added=(), processor="template"):
    vocab = vocabulary(prefix, unknown)
    tokenizer = Tokenizer(models.WordPiece(
        vocab, unk_token=unknown, continuing_subword_prefix=prefix,
        max_input_chars_per_word=longest))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    cls, sep = vocab["[CLS]"], vocab["[SEP]"]
    if processor == "template":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A:2 [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    elif processor == "bert":
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", sep), ("[CLS]", cls))
    tokenizer.add_special_tokens([unknown, *SPECIALS[2:]])
    tokenizer.add_tokens(list(added))
    tokenizer.save(str(folder / "tokenizer.json"))
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def bert(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True):
    return normalizers.BertNormalizer(
        clean_text=clean_text, handle_chinese_chars=handle_chinese_chars,
        strip_accents=strip_accents, lowercase=lowercase)


BERT = pre_tokenizers.BertPreTokenizer()
VARIANTS = {
    "uncased": dict(normalizer=bert(), pre_tokenizer=BERT),
    "cased": dict(normalizer=bert(lowercase=False), pre_tokenizer=BERT, processor="bert"),
    "cased-stripped": dict(
        normalizer=bert(lowercase=False, strip_accents=True), pre_tokenizer=BERT),
    "uncased-accented": dict(normalizer=bert(strip_accents=False), pre_tokenizer=BERT),
    "not-cleaned": dict(normalizer=bert(clean_text=False), pre_tokenizer=BERT),
    "chinese-joined": dict(normalizer=bert(handle_chinese_chars=False), pre_tokenizer=BERT),
    "raw": dict(processor=None),
    "prefix": dict(
        normalizer=bert(), pre_tokenizer=BERT, prefix="@@", unknown="<oov>", longest=7),
    "no-prefix": dict(normalizer=bert(), pre_tokenizer=BERT, prefix=""),
    "lowercase": dict(
        normalizer=normalizers.Lowercase(), pre_tokenizer=pre_tokenizers.Whitespace()),
    "nfd": dict(normalizer=normalizers.NFD(), pre_tokenizer=pre_tokenizers.WhitespaceSplit()),
    "nfc": dict(normalizer=normalizers.NFC(), pre_tokenizer=pre_tokenizers.WhitespaceSplit()),
    "nfkd": dict(normalizer=normalizers.NFKD(), pre_tokenizer=pre_tokenizers.Whitespace()),
    "nfkc": dict(normalizer=normalizers.NFKC(), pre_tokenizer=pre_tokenizers.Whitespace()),
    "sequence": dict(
        normalizer=normalizers.Sequence(
            [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]),
        pre_tokenizer=pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), BERT])),
    "strip": dict(normalizer=normalizers.StripAccents(), pre_tokenizer=BERT),
    "added": dict(normalizer=bert(), pre_tokenizer=BERT, added=[
        AddedToken("<left>", lstrip=True, normalized=False),
        AddedToken("<right>", rstrip=True, normalized=False),
        AddedToken("<both>", lstrip=True, rstrip=True, normalized=True),
        AddedToken("word", single_word=True, normalized=False),
        AddedToken("Éclair", normalized=True), AddedToken("hello", normalized=True),
        AddedToken("hello world", normalized=False), AddedToken("é", normalized=False),
        AddedToken(" b", normalized=False), AddedToken("中文", normalized=True),
    ]),
}


# Between them they run every normalizer and pre-tokenizer.
EVERY_SCALAR = ["cased"]
if ALL:
    EVERY_SCALAR += ["uncased", "uncased-accented", "not-cleaned", "lowercase", "nfc", "nfkc",
                     "strip", "sequence"]


def added_texts(seed=3):
    dice = random.Random(seed)
    parts = ["<left>", "<right>", "<both>", "<BOTH>", "word", "words", "éclair", "E\u0301CLAIR",
             "é", "e\u0301", "hello", "HELLO", "hello world", " b", "b", "中文", "中", " ", "  ", "\t",
             "\u00a0", "a", "-", "[MASK]", "[SEP]", "_", "\u0301", "."]
    return ["".join(dice.choices(parts, k=dice.randrange(1, 9))) for _ in range(1500)]


@pytest.mark.parametrize("name", VARIANTS)
def test_generated_tokenizers_agree_on_hard_text(tmp_path, name):
    reference = build(tmp_path, **VARIANTS[name])
    texts = edge_cases() + mixtures(1500, seed=11) + added_texts()
    compare(tmp_path, reference, texts)
    compare(tmp_path, reference, texts[:500], special=False)
    compare(tmp_path, reference, texts[:500], pair="Zweiter Text, [SEP] é.")


@pytest.mark.parametrize("name", EVERY_SCALAR)
def test_generated_tokenizers_agree_on_every_scalar(tmp_path, name):
    """Each scalar is a token and a continuation here, so that no difference hides in [UNK]."""
    reference = build(tmp_path, **VARIANTS[name])
    data = json.loads((tmp_path / "tokenizer.json").read_text())
    vocab = data["model"]["vocab"]
    prefix = data["model"]["continuing_subword_prefix"]
    for scalar in SCALARS:
        vocab.setdefault(scalar, len(vocab))
        vocab.setdefault(prefix + scalar, len(vocab))
    for token in data["added_tokens"]:
        token["id"] = vocab.setdefault(token["content"], len(vocab))
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    reference = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    compare(tmp_path, reference, list(every_scalar(CONTEXTS if ALL else CONTEXTS[:2])))


@pytest.mark.parametrize("settings", [
    {}, {"do_lower_case": False}, {"strip_accents": False}, {"do_lower_case": False,
    "strip_accents": True}, {"tokenize_chinese_chars": False}], ids=str)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_vocabulary_files_agree(tmp_path, settings, line_end):
    path = tmp_path / "vocab.txt"
    tokens = [token for token in vocabulary() if token.strip() == token]
    path.write_bytes(line_end.join([*tokens, "", "twice", "\u3000", "twice", "tail "]).encode())
    if settings:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    reference = BertWordPieceTokenizer(
        str(path), lowercase=settings.get("do_lower_case", True),
        strip_accents=settings.get("strip_accents"),
        handle_chinese_chars=settings.get("tokenize_chinese_chars", True))
    texts = edge_cases() + ["twice tail"] + mixtures(1000, seed=13)
    compare(tmp_path, reference, texts)
    compare(tmp_path, reference, texts[:300], pair="Zweiter Text")


# --- a real tokenizer -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(minilm):
    made = Tokenizer.from_file(f"{minilm}/tokenizer.json")
    made.no_truncation()
    made.no_padding()
    return made


def test_minilm_agrees_on_every_scalar(minilm, reference):
    compare(minilm, reference, list(every_scalar()))


def test_minilm_agrees_on_hard_text(minilm, reference):
    texts = edge_cases() + mixtures(15_000, seed=17)
    compare(minilm, reference, texts)
    compare(minilm, reference, texts[:3000], special=False)
    compare(minilm, reference, texts[:3000], pair="A second text, [MASK] naïve.")


def test_minilm_agrees_on_real_text(request, minilm, reference):
    folder = pathlib.Path(os.environ.get("TEXT") or request.getfixturevalue("glue"))
    texts = []
    for path in sorted(folder.rglob("*.[tc]sv")):
        texts += path.read_text(encoding="utf-8").split("\n")
    assert texts
    compare(minilm, reference, texts)
