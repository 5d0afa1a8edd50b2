"""Compares byte-level BPE tokenizers with Hugging Face `tokenizers`: ids, tokens, text, streams.

The tokenizers are trained here, with every option of the model and the pre-tokenizers, and with the
patterns that published models use; the real files of GPT-2 are read where they are at hand.
"""

import json
import random

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, processors
from tokenizers import pre_tokenizers as pre
from tokenizers import trainers
from transformers import GPT2Tokenizer, RobertaTokenizer

import harness
from hard_texts import CONTEXTS, edge_cases, every_scalar, mixtures

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
PATTERNS = {
    "gpt2": GPT2,
    "cl100k": r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}|"""
              r""" ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+""",
    "llama3": r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"""
              r""" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
    "qwen2": r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"""
             r""" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
    "o200k": r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"""
             r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?"""
             r"""[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"""
             r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"""
             r"""\s*[\r\n]+|\s+(?!\S)|\s+""",
    "tekken": r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*"""
              r"""[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?"""
              r"""[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|"""
              r""" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
    "deepseek": r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|"""
                r"""[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"""
                r"""\s*[\r\n]+|\s+(?!\S)|\s+""",
    "kimi": r"""[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"""
            r"""[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"""
            r"""\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
}

CORPUS = """
The quick brown fox jumps over the lazy dog; it doesn't mind, they've seen 1234567890 of them.
def main(argv: list[str]) -> int:\n    \"\"\"Runs.\"\"\"\n\tfor i in range(10):\n\t\tprint(f"{i:02d}")
Größe, naïve café, Ελληνικά, Русский текст, 中文字符與漢字, ひらがなカタカナ, 한국어, العربية, עברית, हिन्दी, ไทย
👩\u200d👩\u200d👧 🇩🇪 👍🏽 ❤\ufe0f $5.00 <|x|> 3.14159 a_b-c/d\\e {"k": [1, 2, 3]} WWW http://example.org/?q=1&r=2
I'm he's we'll you're I'd IT'S CAN'T ſ   \n\n  \r\n \t \u00a0\u3000 end
""" * 3


# --- comparison -----------------------------------------------------------------------------------


def assert_same_ids(folder, reference, texts, pair=None, special=True):
    options = (["--pair", pair] if pair is not None else []) + ([] if special else ["--no-special"])
    inputs = texts if pair is None else [(text, pair) for text in texts]
    made = reference.encode_batch(inputs, add_special_tokens=special)
    wrong = [(ascii(text)[:200], here["tokens"][:40], there.tokens[:40])
             for text, here, there in zip(texts, harness.tokenize(folder, texts, *options), made)
             if here["ids"] != there.ids or here["tokens"] != there.tokens]
    assert not wrong, f"{len(wrong)} of {len(texts)} differ, such as {wrong[:3]}"
    return [encoding.ids for encoding in made]


def assert_same_text(folder, reference, rows):
    """Ids decode to the same text, at once and as a stream, with special tokens and without."""
    for skip in (False, True):
        found = harness.tokenize(folder, rows, "--decode", "--json", *(["--skip-special"] * skip))
        wrong = []
        for ids, here in zip(rows, found):
            there = reference.decode(ids, skip_special_tokens=skip)
            if here["text"] != there or "".join(here["pieces"]) != there:
                wrong.append((ids[:30], ascii(here["text"])[:200], ascii(there)[:200]))
        assert not wrong, f"{len(wrong)} of {len(rows)} differ, such as {wrong[:3]}"


def random_ids(reference, count, seed):
    """Random ids, some of which no token has: bytes of halved characters come together."""
    dice = random.Random(seed)
    size = reference.get_vocab_size()
    return [[dice.randrange(size + 3) for _ in range(dice.randrange(0, 20))] for _ in range(count)]


def assert_same(folder, reference, texts, pairs=True):
    rows = assert_same_ids(folder, reference, texts)
    if pairs:
        assert_same_ids(folder, reference, texts[:200], pair="Zweiter Text <|x|> é 12.")
        assert_same_ids(folder, reference, texts[:200], pair="2", special=False)
    dice = random.Random(5)
    cuts = [row[dice.randrange(len(row)):][:dice.randrange(1, 40)] for row in rows[:1500] if row]
    assert_same_text(folder, reference, rows[:600] + cuts + random_ids(reference, 600, 9))


# --- text -----------------------------------------------------------------------------------------


def written(count, seed):
    """Text as people and programs write it: words, numbers, code, white space, emoji, contractions."""
    dice = random.Random(seed)
    words = ("the The THE don't DON'T I'm we'LL it's 'S 'ſ o'clock x1 12345678 3.14 1,000 ٣٤٥ ²³ ½ Ⅷ "
             "größe ǅ ﬁ naïve cafe\u0301 中文字 ひらがな カタカナ 한국어 Ω привет_мир العربيّة हिन्दी ไทย "
             "<|x|> <|end|> <left> <right> <both> word sword [UNK] </w> ## Ġ Ċ def __init__ (self): "
             "self.x[0] += 1; // ** !!! ... \u200b \ufeff \u0000 \u0085 \u2028 $5 €7 #tag @me _a_ "
             "👩\u200d👩\u200d👧 🇩🇪 👍🏽 ❤\ufe0f 𝒳 \U0010ffff \ue000").split(" ")
    spaces = [" ", " ", " ", "", "  ", "   ", "\n", "\n\n", "\r\n", " \n", "\n ", "\t", "\t\t", " \t ",
              "\u00a0", "\u3000", " \u2003", "\r", "\v", " \n \n  "]
    return ["".join(dice.choice(words) + dice.choice(spaces) for _ in range(dice.randrange(1, 14)))
            for _ in range(count)]


LONG = ["a" * 100_000, " " * 100_000, "\n" * 50_000, "ab" * 30_000, " a" * 30_000, "1" * 50_000,
        "é" * 30_000, "中" * 30_000, "👍🏽" * 20_000, "a " * 10 + " " * 100_000 + "b", "'" * 50_000,
        "\r\n" * 30_000, "e\u0301" * 30_000, "!" * 100_000, "-a" * 30_000, "\ufffd" * 1000]


def texts(seed, count=400):
    return edge_cases() + mixtures(count, seed) + written(2 * count, seed)


# --- tokenizers -----------------------------------------------------------------------------------


ADDED = [
    AddedToken("<|x|>", special=True, normalized=False), AddedToken("<|end|>", special=True),
    AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True),
    AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
    AddedToken("word", single_word=True, normalized=True), AddedToken("Größe", normalized=True),
    AddedToken("ひら", normalized=False), AddedToken("  ", normalized=False),
]


def train(pre_tokenizer=None, normalizer=None, decoder=None, processor=None, size=900, alphabet=True,
          model=None, trainer=None, added=ADDED):
    tokenizer = Tokenizer(models.BPE(**(model or {})))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder if decoder is not None else decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS.split("\n"), trainers.BpeTrainer(
        vocab_size=size, show_progress=False, min_frequency=1,
        initial_alphabet=pre.ByteLevel.alphabet() if alphabet else [], **(trainer or {})))
    tokenizer.add_tokens(list(added))
    if processor is not None:
        tokenizer.post_processor = processor
    return tokenizer


def save(folder, tokenizer, edit=None):
    """Saves a tokenizer, and reads it again as others will."""
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    if edit is not None:
        data = json.loads(path.read_text())
        edit(data)
        path.write_text(json.dumps(data, ensure_ascii=False))
    return Tokenizer.from_file(str(path))


def split(pattern, behavior="isolated", invert=False):
    return pre.Sequence([
        pre.Split(pattern, behavior, invert),
        pre.ByteLevel(add_prefix_space=False, use_regex=False)])


def regex(pattern, behavior="isolated", invert=False):
    return split(Regex(pattern), behavior, invert)


TEMPLATE = processors.Sequence([
    processors.ByteLevel(trim_offsets=False),
    processors.TemplateProcessing(
        single="<|x|> $A", pair="<|x|> $A <|x|>:1 $B:1", special_tokens=[("<|x|>", 900)])])

VARIANTS = {
    "byte-level": dict(pre_tokenizer=pre.ByteLevel(add_prefix_space=False)),
    "prefix-space": dict(pre_tokenizer=pre.ByteLevel(add_prefix_space=True),
                         processor=processors.ByteLevel(trim_offsets=True)),
    "no-regex": dict(pre_tokenizer=pre.ByteLevel(add_prefix_space=True, use_regex=False)),
    "roberta": dict(pre_tokenizer=pre.ByteLevel(add_prefix_space=False),
                    processor=processors.RobertaProcessing(("</s>", 7), ("<s>", 5))),
    "template": dict(pre_tokenizer=regex(PATTERNS["llama3"]), processor=TEMPLATE,
                     model=dict(ignore_merges=True)),
    "normalized": dict(pre_tokenizer=pre.ByteLevel(add_prefix_space=False),
                       normalizer=normalizers.NFC()),
    "lowercase": dict(
        pre_tokenizer=pre.ByteLevel(add_prefix_space=False),
        normalizer=normalizers.Sequence([normalizers.NFKD(), normalizers.Lowercase()])),
    "byte-normalizer": dict(normalizer=normalizers.ByteLevel(), pre_tokenizer=pre.Split(
        Regex(r"Ġ?[^ĠĊ]+|Ċ+"), "isolated")),
    "digits": dict(pre_tokenizer=pre.Sequence([
        pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)])),
    "numbers": dict(pre_tokenizer=pre.Sequence([
        pre.Digits(individual_digits=False), pre.ByteLevel(add_prefix_space=False)])),
    "delimiter": dict(pre_tokenizer=pre.Sequence([
        pre.CharDelimiterSplit("e"), pre.ByteLevel(add_prefix_space=False)])),
    "deepseek-sequence": dict(pre_tokenizer=pre.Sequence([
        pre.Split(Regex(r"\p{N}{1,3}"), "isolated"), pre.Split(Regex("[一-龥぀-ゟ゠-ヿ]+"), "isolated"),
        pre.Split(Regex(PATTERNS["deepseek"]), "isolated"),
        pre.ByteLevel(add_prefix_space=False, use_regex=False)])),
    "unknown": dict(
        pre_tokenizer=pre.Whitespace(), alphabet=False, decoder=decoders.BPEDecoder("</w>"),
        model=dict(unk_token="[UNK]", end_of_word_suffix="</w>"), size=600,
        trainer=dict(special_tokens=["[UNK]"], end_of_word_suffix="</w>", limit_alphabet=60)),
    "fused-unknown": dict(
        pre_tokenizer=pre.WhitespaceSplit(), alphabet=False, decoder=decoders.BPEDecoder("</w>"),
        model=dict(unk_token="[UNK]", fuse_unk=True), size=600,
        trainer=dict(special_tokens=["[UNK]"], limit_alphabet=60)),
    "dropped-unknown": dict(
        pre_tokenizer=pre.Punctuation("merged_with_next"), alphabet=False, size=500,
        trainer=dict(limit_alphabet=40), decoder=decoders.CTC("e", "|", True)),
    "word-piece-like": dict(
        pre_tokenizer=pre.BertPreTokenizer(), alphabet=False, size=600,
        decoder=decoders.WordPiece("##", cleanup=True),
        model=dict(unk_token="[UNK]", continuing_subword_prefix="##", end_of_word_suffix="</w>"),
        trainer=dict(special_tokens=["[UNK]"], continuing_subword_prefix="##",
                     end_of_word_suffix="</w>")),
    "byte-fallback": dict(
        pre_tokenizer=pre.WhitespaceSplit(), alphabet=False, size=700,
        model=dict(unk_token="[UNK]", byte_fallback=True, fuse_unk=True),
        decoder=decoders.Sequence([decoders.WordPiece("@@", cleanup=True), decoders.ByteLevel()]),
        trainer=dict(special_tokens=["[UNK]", *(f"<0x{b:02X}>" for b in range(0xF0))],
                     limit_alphabet=60)),
}
VARIANTS.update({f"pattern-{name}": dict(pre_tokenizer=regex(pattern))
                 for name, pattern in PATTERNS.items()})
VARIANTS.update({
    f"split-{behavior}-{invert}-{kind}": dict(pre_tokenizer=make(pattern, behavior, invert), size=400)
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
    for invert in (False, True)
    for kind, make, pattern in [("regex", regex, r"\s+|,|\b"), ("text", split, "e")]})
VARIANTS.update({
    f"punctuation-{behavior}": dict(pre_tokenizer=pre.Sequence([
        pre.Punctuation(behavior), pre.ByteLevel(add_prefix_space=False)]), size=400)
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")})


@pytest.mark.parametrize("name", VARIANTS)
def test_trained_tokenizers_agree(tmp_path, name):
    reference = save(tmp_path, train(**VARIANTS[name]))
    if name.startswith(("split-", "punctuation-")):
        assert_same_ids(tmp_path, reference, texts(seed=len(name), count=200))
    else:
        assert_same(tmp_path, reference, texts(seed=len(name), count=300),
                    pairs=reference.post_processor is not None)


@pytest.mark.parametrize("name", ["gpt2", "o200k"])
def test_long_words_agree(tmp_path, name):
    reference = save(tmp_path, train(pre_tokenizer=regex(PATTERNS[name]), size=500))
    assert_same_ids(tmp_path, reference, LONG)


@pytest.mark.parametrize("name", ["kimi", "deepseek"])
def test_patterns_agree_on_every_scalar(tmp_path, name):
    """Between them the patterns have every kind of set that the others have."""
    reference = save(tmp_path, train(pre_tokenizer=regex(PATTERNS[name]), size=400, added=[]))
    assert_same_ids(tmp_path, reference, list(every_scalar(["a{}"])))


def test_merges_may_be_strings(tmp_path):
    def edit(data):
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
        data["model"]["merges"].insert(0, "#version: 0.2")

    reference = save(tmp_path, train(pre_tokenizer=pre.ByteLevel()), edit)
    assert_same(tmp_path, reference, texts(seed=3))


def test_random_merges_agree(tmp_path):
    """Merges in an order that no training gives, and some that lead to the same token."""
    dice = random.Random(1)
    for _ in range(6):
        vocab = {c: i for i, c in enumerate("abcdef")}
        merges = []
        while len(merges) < 200:
            pair = tuple(dice.choice([t for t in vocab if len(t) < 6]) for _ in range(2))
            if pair not in merges:
                vocab.setdefault("".join(pair), len(vocab))
                merges.append(pair)
        dice.shuffle(merges)
        reference = save(tmp_path, Tokenizer(models.BPE(vocab, merges)))
        words = ["".join(dice.choices("abcdef" + "ab" * 3, k=dice.randrange(1, 60)))
                 for _ in range(1500)]
        assert_same_ids(tmp_path, reference, words)


# --- regular expressions --------------------------------------------------------------------------


EXPRESSIONS = [
    r"a|ab|abc", r"(?:ab|a)(?:c|bcd)?", r"a*?b", r"a+?", r"a??b", r"(a|b)*?c", r"a{2,3}", r"a{2}?",
    r"a{,2}b", r"(?:ab){2,}", r"(?:a|b){1,3}?c", r"x{", r"x{a}", r"(?>a+)b", r"(?>a|ab)c", r"a++b", r"a?+a",
    r"(?=a)\w", r"(?!a)\w", r"(?<=a)b", r"(?<!a)b", r"(?<=a|bc)\w", r"(?<!ab|c)\w", r"(?<=^|\s)\S",
    r"^.", r".$", r"\A\w", r"\w\z", r"\w\Z", r"\bb", r"\Bb", r"\b", r"\B", r"^", r"$", r"^$", r"\s*$",
    r"[a-c]", r"[^a-c]", r"[a-cx-z\d]", r"[]a]", r"[^]a]", r"[a\]]", r"[a-]", r"[-a]", r"[\-a]", r"[a-c-e]",
    r"[[a-c]x]", r"[a-z&&[^b]]", r"[^a-z&&b]", r"[\w&&[^\d_]]+", r"[[:alpha:]]+", r"[[:^alpha:]]+",
    r"[[:punct:]]", r"[[:upper:][:digit:]]", r"\p{Lu}", r"\P{L}", r"\p{^L}", r"\p{Letter}", r"\p{ l u }",
    r"\p{Han}+", r"\p{Greek}", r"\p{Alpha}+", r"\p{Punct}", r"\p{Word}+", r"\p{Latin}+", r"\p{LC}",
    r"\w+", r"\W+", r"\d", r"\D+", r"\s", r"\S+", r"\h+", r"\H", r"\R", r"\N+", r"\O", r".+", r"(?m:.+)",
    r"\t|\n|\r", r"\x41", r"\x{1F600}", r"\u00e9", r"\012", r"\.", r"\/", r"\-", r"(?i)b", r"(?i:É)", r"(?i:s)",
    r"a(?i)b|c", r"(?i:a)b", r"(?i:[a-c])+", r"(?i)(?-i)b", r"(?x) a b # c", r"(?<name>a)b", r"(a)(b)",
    r"(?#c)b", r"(?:)", r"", r"a|", r"|a", r"(?:a|)b", r"\s+(?!\S)|\s+", r"(?:\r\n)+", r"[^\S\n]+", r"(?im)B.",
    r"(?:a?){3}", r"(?:a|b|ab)*+c", r"(?:(?:a|aa)+)b", r"\s{2,}", r"(?=(?:a|b)+c)\w",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_split_alike(tmp_path, expression):
    alphabet = pre.ByteLevel.alphabet()
    model = models.BPE({c: i for i, c in enumerate(sorted(alphabet))}, [])
    tokenizer = Tokenizer(model)
    # A space before every part shows in the ids where the text was split.
    tokenizer.pre_tokenizer = pre.Sequence([
        pre.Split(Regex(expression), "isolated"), pre.ByteLevel(add_prefix_space=True,
                                                                use_regex=False)])
    reference = save(tmp_path, tokenizer)
    dice = random.Random(expression)
    parts = [*"aaabbbcdeABxyz019 __.,-]", "\n", "\r\n", "\t", "é", "É", "e\u0301", "ſ", "中", "²", "Ω", "😀",
             "\u2028", "  ", "abc", "aab", "K"]
    rows = ["".join(dice.choices(parts, k=dice.randrange(0, 16))) for _ in range(300)]
    assert_same_ids(tmp_path, reference, rows)


@pytest.mark.parametrize("expression", [
    r"(a)\1", r"\k<a>", r"(?~a)", r"\X", r"\K", r"\G", r"(?<=a+)b", r"(?:a*)*", r"\p{Emoji}", r"\q",
    r"(?i:ss)", r"(?i:ß)", r"[a", r"(a", r"a)", r"*a", r"\p{Nope}", r"(?(1)a)", r"(?:(?:ab){1000}){1000}"])
def test_unsupported_expressions_are_refused(tmp_path, expression):
    """By name, with the pattern."""
    tokenizer = train(pre_tokenizer=pre.ByteLevel(), size=300)
    save_path = tmp_path / "tokenizer.json"
    tokenizer.save(str(save_path))
    data = json.loads(save_path.read_text())
    data["pre_tokenizer"] = {"type": "Split", "pattern": {"Regex": expression},
                             "behavior": "Isolated", "invert": False}
    save_path.write_text(json.dumps(data))
    done = harness.run("tokenize", "text", model=tmp_path)
    harness.assert_refused(done, "tokenizer.json", "pre_tokenizer.pattern.Regex", f"'{expression}'")


# --- the files of GPT-2 ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt2():
    folder = harness.ROOT.parent / "shared" / "data" / "tokenizers"
    if not (folder / "gpt2-tokenizer.json").exists():
        pytest.skip("there is no ../shared/data/tokenizers")
    return folder


def with_files(folder, gpt2, changes=(), **files):
    """GPT-2's two files with others beside them; `changes` are made to the vocabulary."""
    vocab = json.loads((gpt2 / "gpt2-vocab.json").read_text())
    for token, identifier in dict(changes).items():
        vocab = {t: len(vocab) if i == identifier else i for t, i in vocab.items()}
        vocab[token] = identifier
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_bytes((gpt2 / "gpt2-merges.txt").read_bytes())
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


ROBERTA = {"<s>": 188, "<pad>": 189, "</s>": 190, "<unk>": 191, "<mask>": 50256}
OBJECT = {"__type": "AddedToken", "content": "<m>", "lstrip": True, "normalized": False,
          "rstrip": False, "single_word": False}
OWN_FILES = {
    "plain": (GPT2Tokenizer, (), {}),
    "prefix-space": (GPT2Tokenizer, (), dict(tokenizer_config={
        "tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True, "pad_token": "<pad>"})),
    "framed": (GPT2Tokenizer, (), dict(tokenizer_config={
        "add_bos_token": True, "add_eos_token": True, "bos_token": "<s>", "mask_token": OBJECT})),
    "listed": (GPT2Tokenizer, (), dict(
        tokenizer_config={"added_tokens_decoder": {
            "50258": {**OBJECT, "special": False}, "50257": {**OBJECT, "content": "<|x|>",
                                                             "special": True}},
            "additional_special_tokens": ["word"], "mask_token": "<m>"},
        special_tokens_map={"bos_token": "ignored"})),
    "legacy": (GPT2Tokenizer, (), dict(
        special_tokens_map={"bos_token": "<s>", "pad_token": {**OBJECT, "content": "<left>"}},
        added_tokens={"<s>": 50258, "<left>": 50257, "<both>": 50259})),
    "roberta": (RobertaTokenizer, ROBERTA, dict(
        tokenizer_config={"tokenizer_class": "RobertaTokenizerFast", "mask_token": OBJECT})),
    "roberta-by-model": (RobertaTokenizer, ROBERTA, dict(config={"model_type": "roberta"})),
}


@pytest.mark.parametrize("name", OWN_FILES)
def test_own_files_agree_with_transformers(tmp_path, gpt2, name):
    kind, changes, files = OWN_FILES[name]
    with_files(tmp_path, gpt2, changes, **files)
    reference = kind.from_pretrained(tmp_path)
    rows = texts(seed=4, count=300) + ["<s> a<m> b<left> </s><pad><mask> <unk><|endoftext|>word"] * 2
    assert_same(tmp_path, reference.backend_tokenizer, rows)


def test_gpt2_agrees(tmp_path, gpt2):
    (tmp_path / "tokenizer.json").write_bytes((gpt2 / "gpt2-tokenizer.json").read_bytes())
    reference = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert_same(tmp_path, reference, texts(seed=8, count=1000) + LONG[::3])
    assert_same_ids(tmp_path, reference, list(every_scalar(CONTEXTS[3:])))
