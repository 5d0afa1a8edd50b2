"""Random tokenizer.json files: stages put together as no one would, for what happens between them."""

import base64
import json
import random

from tokenizers import pre_tokenizers

from hard_texts import PIECES, mixtures

SPACE = "\u2581"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
LETTERS = [*"abcdefghijklmnopqrstuvwxyzABCDEHSTW0123456789.,!?'-_ ", SPACE, "é", "ß", "中", "文", "가", "각", "ﬁ", "Å",
           "\u0301", "\u0323", "\u094d", "İ", "i\u0307", "\n", "\t", "\u00a0", "\u200d", "👍"]
ADDED = ["<s>", "</s>", " b", "\n", "\n\n", "ab", "AB", "é", "e\u0301", "[MASK]", "word", SPACE, " ", "中", "a b",
         "<pad>", "_", "don't", "ﬁ", "İ"]
PATTERNS = [r"\s+", r"\p{L}+|\p{N}", r"[ab]", r" ?\w+", r"\s+(?!\S)|\s+", r"(?i:'s|'t)|[^\s\p{L}]?\p{L}+", r"(?<=a)b", r".{2}?", r"\d{1,3}"]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
TEXTS = ["", " ", "hello", " hello", "  hello world ", "\n hello", "\u0001hello", "\u200bhello", "é", "e\u0301 x", "a\n\n\nb",
         "<s> hello</s> world", "<s>hello", " <s> hello", "AB ab<pad>  x", "don't 12345", "中文 가각", "x" * 40, "\u0301a", "ﬁn"]


def token(dice, content):
    return dict(content=content, **{
        flag: dice.random() < 0.3 for flag in ["single_word", "lstrip", "rstrip", "normalized", "special"]})


def pattern(dice):
    if dice.random() < 0.5:
        return {"String": dice.choice([" ", "a", SPACE, "  ", "ab", "é", "-"])}
    return {"Regex": dice.choice(PATTERNS)}


def normalizer(dice):
    def flag():
        return dice.random() < 0.5

    return dice.choice([
        lambda: {"type": "BertNormalizer", "clean_text": flag(), "handle_chinese_chars": flag(),
                 "strip_accents": dice.choice([None, True, False]), "lowercase": flag()},
        lambda: {"type": dice.choice(["Lowercase", "StripAccents", "NFD", "NFC", "NFKD", "NFKC", "Nmt"])},
        lambda: {"type": "Strip", "strip_left": flag(), "strip_right": flag()},
        lambda: {"type": "Prepend", "prepend": dice.choice([SPACE, " ", "ab", "é"])},
        lambda: {"type": "Replace", "pattern": pattern(dice), "content": dice.choice([SPACE, "", " ", "ab", "é"])},
        lambda: {"type": "ByteLevel"}, lambda: {"type": "Strip", "strip_left": True, "strip_right": flag()},
        lambda: {"type": "Precompiled", "precompiled_charsmap": CHARSMAP},
    ])()


def pre_tokenizer(dice):
    def flag():
        return dice.random() < 0.5

    return dice.choice([
        lambda: {"type": dice.choice(["BertPreTokenizer", "Whitespace", "WhitespaceSplit"])},
        lambda: {"type": "ByteLevel", "add_prefix_space": flag(), "trim_offsets": flag(), "use_regex": flag()},
        lambda: {"type": "CharDelimiterSplit", "delimiter": dice.choice(" a-")},
        lambda: {"type": "Digits", "individual_digits": flag()},
        lambda: {"type": "Metaspace", "replacement": dice.choice([SPACE, SPACE, "_"]),
                 "prepend_scheme": dice.choice(["first", "first", "always", "never"]), "split": flag()},
        lambda: {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": flag()},
        lambda: {"type": "Punctuation", "behavior": dice.choice(BEHAVIORS)},
        lambda: {"type": "Split", "pattern": pattern(dice), "behavior": dice.choice(BEHAVIORS), "invert": flag()},
    ])()


def decoder(dice):
    return dice.choice([
        lambda: None, lambda: {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        lambda: {"type": "WordPiece", "prefix": "##", "cleanup": dice.random() < 0.5},
        lambda: {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": dice.choice(["first", "always", "never"]),
                 "split": True},
        lambda: {"type": "ByteFallback"}, lambda: {"type": "Fuse"}, lambda: {"type": "BPEDecoder", "suffix": "</w>"},
        lambda: {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": dice.random() < 0.5},
        lambda: {"type": "Strip", "content": " ", "start": dice.randrange(2), "stop": dice.randrange(2)},
        lambda: {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
        lambda: {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    ])()


def grown(dice, letters, count):
    """Merges of letters and of what earlier ones made, and their results."""
    tokens, merges = list(letters), []
    while len(merges) < count:
        left, right = dice.choice(tokens), dice.choice(tokens)
        if left + right not in tokens and len(left + right) < 8:
            tokens.append(left + right)
            merges.append([left, right])
    return tokens, merges


def model(dice):
    """A vocabulary of letters with byte-level ones, of words, and of what the three models want."""
    letters = list(dict.fromkeys(letter for letter in LETTERS if len(letter) == 1))
    if dice.random() < 0.5:
        letters = list(dict.fromkeys([*letters, *ALPHABET]))
    letters = dice.sample(letters, len(letters) - dice.randrange(20))
    kind = dice.choice(["BPE", "BPE", "WordPiece", "Unigram"])
    special = ["<unk>", "<s>", "<pad>"] + (BYTES if dice.random() < 0.4 else [])
    if kind == "WordPiece":
        words = ["hello", "world", "ab", "word", "don", "中文", *("##" + letter for letter in letters), "##ello", "##b"]
        tokens = dict.fromkeys([*special, *letters, *words])
        return {"type": kind, "unk_token": "<unk>", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": dice.choice([5, 100]), "vocab": {t: i for i, t in enumerate(tokens)}}
    tokens, merges = grown(dice, letters, dice.randrange(60))
    if kind == "Unigram":
        vocab = [[piece, -dice.random() * 10] for piece in dict.fromkeys([*special, *tokens])]
        return {"type": kind, "unk_id": 0, "vocab": vocab,
                "byte_fallback": BYTES[0] in special and dice.random() < 0.7}
    return {"type": kind, "dropout": None, "unk_token": dice.choice(["<unk>", "<unk>", None]),
            "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": dice.random() < 0.5,
            "byte_fallback": dice.random() < 0.5, "ignore_merges": dice.random() < 0.3,
            "vocab": {t: i for i, t in enumerate(dict.fromkeys([*special, *tokens]))}, "merges": merges}


def several(dice, make, name, list_name):
    """None, one, or two in a sequence."""
    stages = [make(dice) for _ in range(dice.choice([0, 1, 1, 2, 2, 3]))]
    if not stages:
        return None
    return stages[0] if len(stages) == 1 and dice.random() < 0.8 else {"type": name, list_name: stages}


def post_processor(dice):
    return dice.choice([
        lambda: None, lambda: {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        lambda: {"type": "BertProcessing", "sep": ["<pad>", 2], "cls": ["<s>", 1]},
        lambda: {"type": "TemplateProcessing", "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
    ])()


def file(seed):
    """A random tokenizer.json."""
    dice = random.Random(seed)
    made = model(dice)
    added = [token(dice, content) for content in dice.sample(ADDED, dice.choice([0, 1, 3, 6]))]
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": 10_000 + index, **entry} for index, entry in enumerate(added)],
            "normalizer": several(dice, normalizer, "Sequence", "normalizers"),
            "pre_tokenizer": several(dice, pre_tokenizer, "Sequence", "pretokenizers"),
            "post_processor": post_processor(dice), "decoder": decoder(dice), "model": made}


def finds_its_tokens(reference):
    """Whether normalization leaves the added tokens apart: `tokenizers` finds any of those that come to
    one, by chance, and one that comes to nothing before every character."""
    forms = [reference.normalizer.normalize_str(entry.content) if reference.normalizer else entry.content
             for entry in reference.get_added_tokens_decoder().values() if entry.normalized]
    return "" not in forms and len(forms) == len(set(forms))


def texts(seed, count):
    dice = random.Random(seed)
    parts = [*ADDED, *TEXTS, *LETTERS, *PIECES[:40], "hello", " ", " ", "b", "\u0001"]
    return TEXTS + ["".join(dice.choices(parts, k=dice.randrange(1, 10))) for _ in range(count)] \
        + mixtures(count // 2, seed=seed)


def charsmap():
    """A map of rules with their shortest forms first: 'ﬁ' becomes 'fi', U+0001 nothing, and so on."""
    from sentencepiece import SentencePieceTrainer, sentencepiece_model_pb2
    import io
    made = io.BytesIO()
    SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f"] * 20), model_writer=made, vocab_size=12,
                               model_type="char", minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto.FromString(made.getvalue())
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


CHARSMAP = charsmap()
