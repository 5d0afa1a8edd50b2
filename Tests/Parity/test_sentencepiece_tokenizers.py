"""Compares `duallora tokenize` with Google's `sentencepiece` on tokenizer.model, and with Hugging Face
`tokenizers` on the tokenizer.json that such models are converted to: ids, tokens, and the way back.

The models are trained on the spot; two real ones are read where ../shared/data/tokenizers is at hand.
"""

import functools
import io
import json
import random

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (
    AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
    trainers)
from transformers import AutoTokenizer
from transformers.convert_slow_tokenizer import generate_merges

import harness
from hard_texts import mixtures

SHARED = harness.ROOT.parent / "shared" / "data" / "tokenizers"


def assert_same(inputs, found, expected):
    assert len(inputs) == len(found) == len(expected)
    wrong = [(ascii(i)[:200], ascii(f)[:300], ascii(e)[:300])
             for i, f, e in zip(inputs, found, expected) if f != e]
    assert not wrong, f"{len(wrong)} of {len(inputs)} differ, such as {wrong[:2]}"


# --- text -----------------------------------------------------------------------------------------

EDGES = [
    "", " ", "   ", "\n", "\r\n", "\0", "\ufffd", "a\0b", "a\ufffdb", "\u0301", "e\u0301" * 40,
    "a" * 100, "ab" * 5000, "中" * 1000, "  a  b  ", "\u2581", "\u2581\u2581a", "\u3000\u3000", "a ",
    " a", "\u200b", "\t\t", "\u2581 \u2581", "ab", "abc", "abab  c", "\tA", "AB", "B B", "xA",
    "the <pre>x", " lead", " the",
]
RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x00, 0x1F), (0x7F, 0x2AF), (0x300, 0x36F),
    (0x370, 0x5FF), (0x600, 0x6FF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1100, 0x11FF),
    (0x1AB0, 0x1AFF), (0x1DC0, 0x1FFF), (0x2000, 0x206F), (0x20D0, 0x214F), (0x2500, 0x25FF),
    (0x3000, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF), (0xF900, 0xFFFF),
    (0x10000, 0x11FFF), (0x1D000, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2FA1F),
    (0xE0000, 0xE01EF),
]
PARTS = [
    "\r\n", "\r", "\u0085", "\u2028", "\u00a0", "\u3000", "\u2581", " \u2581", "  ", "   ", "\t",
    "\n\n", "12345", "3.14", "\u200b", "\u200d", "\ufeff", "\ufffd", "\0",
    "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽", "❤\ufe0f", "é", "e\u0301", "q\u0323\u0307", "ǅ", "İ", "ΣΑΣ",
    "ß", "ﬁ", "Ω", "Å", "각", "가\u11a8", "\u0344", "中文", "don't", "U.S.A.", "$5.00", "hello",
    "World", "if (x == 0) {\n    return;\n}", "é" * 60, "中" * 120, " the", "ing", "<0x41>", "<0x0A>",
    "…", "½", "①", "ﷺ", "㍿", "ｶﾞ", "<pre>", "a b", "\u2581user", "[sym]",
]
WORDS = ("the of and a to in is was he for it with as his on be at by had not are but from or have "
         "they which one you were her all she there would their we him been has when who will more "
         "no if out so said what up its about into than them can only other new some could time "
         "state good very make world still own see men work long get here between both life").split()
FOREIGN = ["naïve", "Straße", "café", "中文字符", "日本語テスト", "привет", "мир", "ελληνικά", "עברית",
           "مرحبا", "हिन्दी", "한국어", "ﬁne", "①②", "½", "don't", "x=y+1;", "foo_bar()", "<pre>", "😀😃"]


@functools.cache
def corpus(seed=5):
    dice = random.Random(seed)
    lines = []
    for _ in range(1200):
        words = dice.choices(WORDS, k=dice.randrange(3, 14))
        if dice.random() < 0.3:
            words.insert(dice.randrange(len(words)), str(dice.randrange(100_000)))
        if dice.random() < 0.3:
            words.insert(dice.randrange(len(words)), dice.choice(FOREIGN))
        lines.append(" ".join(words) + dice.choice([".", "!", "?", "", " "]))
    return lines


@functools.cache
def hard_texts(count, seed):
    """Random text from where tokenizers go wrong."""
    return EDGES + corpus()[:150] + mixtures(count, seed, PARTS, RANGES)


def every_scalar(*contexts):
    """All scalars in every context, 16 to a text; of the largest blocks, which are alike, some."""
    scalars = [
        chr(c) for c in (*range(0x3400), *range(0x3400, 0x9FFF, 7), *range(0xA000, 0xAC00),
                         *range(0xAC00, 0xD7A4, 7), *range(0xD7A4, 0xD800), *range(0xE000, 0xF900, 7),
                         *range(0xF900, 0x17000), *range(0x17000, 0x1B000, 7),
                         *range(0x1B000, 0x20000), *range(0x2F800, 0x2FA20),
                         *range(0xE0000, 0xE0200), *range(0x20000, 0x110000, 509))]
    return [" ".join(context.replace("{}", c) for c in scalars[start:start + 16])
            for context in contexts for start in range(0, len(scalars), 16)]


def random_ids(size, seed=3):
    """Lists of ids, many of them low, where control and byte pieces are."""
    dice = random.Random(seed)
    return [[dice.randrange(dice.choice([size, min(size, 300)])) for _ in range(dice.randrange(0, 16))]
            for _ in range(1000)]


# --- tokenizer.model ------------------------------------------------------------------------------

RULES = "61 62\t78 79\n61 62 63\t7A\n20 20\t20\n9\t\n41\t20 61\n42\t61 20\nE9\t65\n65 301\tE9\n"
SYMBOLS = ["<pre>", "a b", "[sym]", "\u2581user", " lead", "the", "ё", "<pre>x"]
VARIANTS = {
    "plain": {}, "bytes": dict(byte_fallback=True, vocab_size=700),
    "symbols": dict(user_defined_symbols=SYMBOLS, control_symbols=["<ctl>", "<cls>"]),
    "symbols-bytes": dict(user_defined_symbols=SYMBOLS, byte_fallback=True, vocab_size=700),
    **{rule: dict(normalization_rule_name=rule)
       for rule in ("identity", "nfkc", "nfkc_cf", "nmt_nfkc_cf")},
    "rules": dict(normalization_rule_tsv=RULES),
    "denormalized": dict(normalization_rule_name="identity", denormalization_rule_tsv=RULES),
    "no-prefix": dict(add_dummy_prefix=False), "spaces": dict(remove_extra_whitespaces=False),
    "untouched": dict(remove_extra_whitespaces=False, add_dummy_prefix=False,
                      normalization_rule_name="identity"),
    "digits": dict(split_digits=True), "suffix": dict(treat_whitespace_as_suffix=True),
    "suffix-spaces": dict(treat_whitespace_as_suffix=True, remove_extra_whitespaces=False,
                          allow_whitespace_only_pieces=True),
    "over-words": dict(split_by_whitespace=False, max_sentencepiece_length=20),
    "space-pieces": dict(allow_whitespace_only_pieces=True, remove_extra_whitespaces=False,
                         byte_fallback=True, vocab_size=800),
    "renamed": dict(pad_id=0, unk_id=3, bos_id=1, eos_id=2, unk_surface="<?>", unk_piece="[UNK]",
                    bos_piece="[CLS]", eos_piece="[SEP]", pad_piece="[PAD]"),
}


def train(folder, kind, options):
    """Writes a small tokenizer.model."""
    options = dict(options)
    for name in ("normalization_rule_tsv", "denormalization_rule_tsv"):
        if name in options:
            (folder / "rules.tsv").write_text(options[name])
            options[name] = str(folder / "rules.tsv")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()), model_writer=model, model_type=kind, minloglevel=2,
        **{"vocab_size": 420, "hard_vocab_limit": False, "num_threads": 1, **options})
    (folder / "tokenizer.model").write_bytes(model.getvalue())


def proto(folder, name="tokenizer.model"):
    message = sentencepiece_model_pb2.ModelProto()
    message.ParseFromString((folder / name).read_bytes())
    return message


def processor(folder, name="tokenizer.model"):
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / name))


def compare_model(folder, texts):
    """Plain ids, their pieces, and the text of ids agree with `sentencepiece`."""
    reference = processor(folder)
    special = [reference.id_to_piece(i) for i in range(reference.get_piece_size())
               if reference.is_control(i) or reference.is_unknown(i)]
    texts = [text for text in texts if not any(token in text for token in special)]
    found = harness.tokenize(folder, texts, "--no-special")
    expected = reference.encode(texts)
    assert_same(texts, [line["ids"] for line in found], expected)
    assert_same(texts, [line["tokens"] for line in found], reference.encode(texts, out_type=str))
    lists = expected[:1000] + random_ids(reference.get_piece_size())
    found = harness.tokenize(folder, lists, "--decode", "--json")
    expected = reference.decode(lists)
    assert_same(lists, [line["text"] for line in found], expected)
    assert_same(lists, ["".join(line["pieces"]) for line in found], expected)


# Both kinds share the normalizer, so its rules are tried with one of them.
ONCE = {"identity": "bpe", "nfkc": "unigram", "nfkc_cf": "bpe", "nmt_nfkc_cf": "unigram",
        "rules": "bpe", "denormalized": "unigram"}


@pytest.mark.parametrize("kind, variant", [
    (kind, variant) for variant in VARIANTS for kind in ("bpe", "unigram")
    if ONCE.get(variant, kind) == kind])
def test_trained_models_agree_with_sentencepiece(tmp_path, kind, variant):
    train(tmp_path, kind, VARIANTS[variant])
    compare_model(tmp_path, hard_texts(300, seed=11))


def rescored(score):
    def edit(pieces):
        dice = random.Random(2)
        for piece in pieces:
            piece.score = score(dice)

    return edit


def unused(pieces):
    dice = random.Random(1)
    for piece in pieces:
        if piece.type == piece.NORMAL and dice.random() < 0.2:
            piece.type = piece.UNUSED


EDITS = {
    "unused": unused, "equal": rescored(lambda dice: -1), "ties": rescored(
        lambda dice: dice.randrange(-16, -2) / 2), "positive": rescored(lambda dice: dice.uniform(-3, 30)),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_edited_models_agree_with_sentencepiece(tmp_path, kind, edit):
    train(tmp_path, kind, dict(user_defined_symbols=SYMBOLS))
    message = proto(tmp_path)
    EDITS[edit](message.pieces)
    (tmp_path / "tokenizer.model").write_bytes(message.SerializeToString())
    compare_model(tmp_path, hard_texts(300, seed=13))


def test_the_rules_agree_on_every_scalar(tmp_path):
    train(tmp_path, "bpe", dict(normalization_rule_name="nmt_nfkc_cf", byte_fallback=True,
                                vocab_size=700, character_coverage=1.0))
    compare_model(tmp_path, every_scalar("a{}b{}\u0301"))


@pytest.mark.parametrize("name", ["llama.spm.model", "unigram.spm.model"])
def test_real_models_agree_with_sentencepiece(tmp_path, name):
    if not (SHARED / name).exists():
        pytest.skip(f"there is no ../shared/data/tokenizers/{name}")
    (tmp_path / "tokenizer.model").symlink_to(SHARED / name)
    dice = random.Random(4)
    long = "".join(dice.choice("etaoinshrdlu") for _ in range(100_000))
    compare_model(tmp_path, hard_texts(2000, seed=17) + every_scalar("a{}b") + [long])


def test_a_long_text_agrees_with_sentencepiece(tmp_path):
    """The sum of a unigram's scores passes the limit where sentencepiece starts it anew."""
    train(tmp_path, "unigram", {})
    compare_model(tmp_path, [" ".join(corpus() * 4), "the world " * 20_000])


# --- special tokens -------------------------------------------------------------------------------


def llama(tmp_path, **settings):
    train(tmp_path, "bpe", dict(
        byte_fallback=True, vocab_size=700, remove_extra_whitespaces=False,
        normalization_rule_name="identity"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "LlamaTokenizer", **settings}))
    return processor(tmp_path)


def added(content, **flags):
    return {"__type": "AddedToken", "content": content, "lstrip": False, "rstrip": False, "normalized": True,
            "single_word": False, "special": True, **flags}


@pytest.mark.parametrize("start, end", [(None, None), (True, True), (False, False), (False, True)])
def test_llama_frames_a_text_as_its_settings_say(tmp_path, start, end):
    flags = {"add_bos_token": start, "add_eos_token": end}
    reference = llama(tmp_path, **{key: flag for key, flag in flags.items() if flag is not None})
    first = [] if start is False else [reference.bos_id()]
    last = [reference.eos_id()] if end else []
    texts = [text for text in hard_texts(50, seed=19)]
    expected = [first + ids + last for ids in reference.encode(texts)]
    assert_same(texts, [line["ids"] for line in harness.tokenize(tmp_path, texts)], expected)
    found = harness.tokenize(tmp_path, texts, "--pair", "a b")
    second = first + reference.encode("a b") + last
    assert_same(texts, [line["ids"] for line in found], [ids + second for ids in expected])


SPELLED_OUT = ["<s>a</s> b", "a</s>b c", "</s></s>", "<unk>x", "a <s>", "Hello</s>world", "</s>",
               "x<pad>y", "the <im>world", "a<pad>", "<s>the world</s><s>the state</s>"]


@pytest.mark.parametrize("legacy", [False, True])
def test_special_tokens_in_a_text_are_found_as_in_transformers(tmp_path, legacy):
    llama(tmp_path, legacy=legacy, bos_token="<s>", eos_token=added("</s>"), unk_token="<unk>",
          pad_token="<pad>", add_bos_token=True, add_eos_token=False)
    size = processor(tmp_path).get_piece_size()
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings["added_tokens_decoder"] = {str(size): added("<im>"), str(size + 1): added("<pad>")}
    for token in settings["added_tokens_decoder"].values():
        token["normalized"] = False
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    # transformers puts no space before a text that starts with one, and keeps what the model's
    # rules would rewrite, so the texts here have neither.
    reference = AutoTokenizer.from_pretrained(tmp_path)
    expected = [reference(text)["input_ids"] for text in SPELLED_OUT]
    if legacy:  # there a space goes before every stretch, though one may be there already
        keep = [index for index, text in enumerate(SPELLED_OUT) if "> " not in text]
    else:
        keep = range(len(SPELLED_OUT))
    texts = [SPELLED_OUT[index] for index in keep]
    found = [line["ids"] for line in harness.tokenize(tmp_path, texts)]
    assert_same(texts, found, [expected[index] for index in keep])


def test_deberta_frames_a_text_and_adds_the_mask(tmp_path):
    train(tmp_path, "unigram", dict(
        pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]",
        eos_piece="[SEP]", unk_piece="[UNK]"))
    (tmp_path / "tokenizer.model").rename(tmp_path / "spm.model")
    reference = processor(tmp_path, "spm.model")
    mask = reference.get_piece_size()
    texts = hard_texts(100, seed=23)
    plain = reference.encode(texts)
    assert_same(texts, [line["ids"] for line in harness.tokenize(tmp_path, texts)],
                [[1, *ids, 2] for ids in plain])
    found = harness.tokenize(tmp_path, texts, "--pair", "the world")
    second = reference.encode("the world")
    assert_same(texts, [line["ids"] for line in found], [[1, *ids, 2, *second, 2] for ids in plain])
    found = harness.tokenize(tmp_path, ["[MASK]", "the [MASK] world[SEP]"])
    assert [line["ids"] for line in found] == [
        [1, mask, 2], [1, *reference.encode("the"), mask, *second[1:], 2, 2]
        if reference.encode("world") == second[1:] else
        [1, *reference.encode("the"), mask, *reference.encode("world"), 2, 2]]


# --- files that are not as they should be ---------------------------------------------------------


def refusal(folder):
    return harness.run("tokenize", "a", model=folder)


@pytest.mark.parametrize("kind", ["word", "char"])
def test_other_kinds_of_models_are_refused_by_name(tmp_path, kind):
    train(tmp_path, kind, {})
    harness.assert_refused(refusal(tmp_path), "tokenizer.model", kind.upper(), "UNIGRAM")


@pytest.mark.parametrize("name", ["T5Tokenizer", "XLMRobertaTokenizerFast"])
def test_other_classes_are_refused_by_name(tmp_path, name):
    llama(tmp_path, tokenizer_class=name)
    harness.assert_refused(refusal(tmp_path), name, "LlamaTokenizer")


def test_a_model_that_is_cut_off_is_refused(tmp_path):
    train(tmp_path, "bpe", {})
    whole = (tmp_path / "tokenizer.model").read_bytes()
    (tmp_path / "tokenizer.model").write_bytes(whole[:-1])
    harness.assert_refused(refusal(tmp_path), "tokenizer.model is damaged at byte")


# --- tokenizer.json -------------------------------------------------------------------------------

metaspace = pre_tokenizers.Metaspace


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a trained model, by kind and variant."""
    @functools.cache
    def get(kind, variant):
        folder = tmp_path_factory.mktemp("trained")
        train(folder, kind, VARIANTS[variant])
        return folder

    return get


def compare_file(folder, reference, texts):
    """A tokenizer.json gives the ids, tokens and text that `tokenizers` gives."""
    reference.save(str(folder / "tokenizer.json"))
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found = harness.tokenize(folder, texts)
    expected = reference.encode_batch(texts)
    assert_same(texts, [(line["ids"], line["tokens"]) for line in found],
                [(one.ids, one.tokens) for one in expected])
    lists = [one.ids for one in expected][:600] + random_ids(reference.get_vocab_size())
    for skip in (False, True):
        found = harness.tokenize(folder, lists, "--decode", "--json", *(["--skip-special"] if skip else []))
        texts = [reference.decode(ids, skip_special_tokens=skip) for ids in lists]
        assert_same(lists, [line["text"] for line in found], texts)
        assert_same(lists, ["".join(line["pieces"]) for line in found], texts)


def assembled(model, normalizer=None, before=None, after=None, tokens=()):
    made = Tokenizer(model)
    if normalizer:
        made.normalizer = normalizer
    if before:
        made.pre_tokenizer = before
    if after:
        made.decoder = after
    made.add_tokens(list(tokens))
    return made


def unigram(folder, unknown=None):
    message = proto(folder)
    kinds = [piece.type for piece in message.pieces]
    return models.Unigram(
        [(piece.piece, piece.score) for piece in message.pieces],
        kinds.index(2) if unknown is None else unknown, 6 in kinds)


def charsmap(folder):
    return normalizers.Precompiled(proto(folder).normalizer_spec.precompiled_charsmap)


def byte_pairs(folder, normalizer, before, after):
    """The tokenizer.json that LLaMA's model was converted to."""
    message = proto(folder)
    vocabulary = {piece.piece: index for index, piece in enumerate(message.pieces)}
    scores = {piece.piece: piece.score for piece in message.pieces}
    merges = generate_merges(
        vocabulary, scores, {piece.piece for piece in message.pieces if piece.type != 1})
    made = assembled(
        models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        normalizer, before, after)
    made.add_special_tokens([AddedToken(token, normalized=False) for token in ("<unk>", "<s>", "</s>")])
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return made


LLAMA_DECODER = decoders.Sequence([
    decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
    decoders.Strip(" ", 1, 0)])
FILES = {
    "plain": lambda get: assembled(
        unigram(get("unigram", "plain")), None, metaspace(), decoders.Metaspace()),
    "precompiled": lambda get: assembled(
        unigram(get("unigram", "plain")), charsmap(get("unigram", "nmt_nfkc_cf")), metaspace(),
        decoders.Metaspace()),
    "sequence": lambda get: assembled(
        unigram(get("unigram", "plain")),
        normalizers.Sequence([charsmap(get("unigram", "nfkc")), normalizers.Replace("  ", " ")]),
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace()]),
        decoders.Metaspace(),
        [AddedToken("[sym]", normalized=True), AddedToken("<pre>", special=True, lstrip=True)]),
    "first": lambda get: assembled(
        unigram(get("unigram", "plain")), None, metaspace(prepend_scheme="first"),
        decoders.Metaspace(prepend_scheme="first"),
        [AddedToken("[sym]", normalized=False), AddedToken("<pre>", rstrip=True)]),
    "never": lambda get: assembled(
        unigram(get("unigram", "plain")), normalizers.Nmt(),
        metaspace(prepend_scheme="never", split=False), decoders.Metaspace(prepend_scheme="never")),
    "unsplit": lambda get: assembled(
        unigram(get("unigram", "spaces")),
        normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(left=True, right=False)]),
        metaspace(split=False), decoders.Metaspace()),
    "prepended": lambda get: assembled(
        unigram(get("unigram", "plain")),
        normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]),
        None, LLAMA_DECODER),
    "deberta": lambda get: assembled(
        unigram(get("unigram", "plain")), normalizers.Sequence([
            normalizers.Lowercase(), normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "),
            normalizers.NFC(), normalizers.Strip(left=False, right=True)]),
        pre_tokenizers.Sequence([pre_tokenizers.Punctuation("isolated"), metaspace()]),
        decoders.Metaspace()),
    "patterns": lambda get: assembled(
        unigram(get("unigram", "plain")), normalizers.Sequence([
            normalizers.Replace(Regex("x*"), "-"), normalizers.Replace("ab", "\u2581")]),
        metaspace(), decoders.Sequence([
            decoders.Replace(Regex("[ae]+"), "E"), decoders.Strip("E", 1, 0),
            decoders.Metaspace()])),
    "bytes": lambda get: assembled(
        unigram(get("unigram", "bytes")), None, metaspace(),
        decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])),
    "fused": lambda get: assembled(
        unigram(get("unigram", "bytes")), None, metaspace(), decoders.Sequence([
            decoders.ByteFallback(), decoders.Fuse(), decoders.Replace("\u2581", " "),
            decoders.Strip(" ", 2, 0)])),
    "no-decoder": lambda get: assembled(unigram(get("unigram", "bytes")), None, metaspace()),
    "common-unknown": lambda get: assembled(
        unigram(get("unigram", "plain"), unknown=5), None, metaspace(split=False),
        decoders.Metaspace()),
    "llama": lambda get: byte_pairs(
        get("bpe", "bytes"),
        normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]),
        None, LLAMA_DECODER),
    "llama-new": lambda get: byte_pairs(
        get("bpe", "bytes"), None, metaspace(prepend_scheme="first", split=False), LLAMA_DECODER),
}


@pytest.mark.parametrize("name", FILES)
def test_files_agree_with_tokenizers(tmp_path, trained, name):
    texts = hard_texts(300, seed=37) + ["<s>a</s> b", "a</s>b c", "</s></s>", "a<pre> b", "[sym]a"]
    compare_file(tmp_path, FILES[name](trained), texts)


def test_precompiled_maps_agree_on_every_scalar(tmp_path, trained):
    """Here a grapheme cluster is looked up first, so its ends matter."""
    made = FILES["precompiled"](trained)
    compare_file(tmp_path, made, every_scalar("e\u0301{} {}e\u0301"))


def test_ties_and_scores_with_many_digits_agree(tmp_path):
    dice = random.Random(41)
    scores = {"<unk>": 0.0}
    scores |= {letter: round(dice.uniform(-9, -3), dice.choice([1, 2, 16])) for letter in "abcdefgh\u2581"}
    for _ in range(200):
        piece = "".join(dice.choices("abcdefgh", k=dice.randrange(2, 5)))
        scores[piece] = round(dice.uniform(-20, -3), dice.choice([0, 1, 17]))
    made = assembled(models.Unigram(list(scores.items()), 0, False), None, metaspace())
    compare_file(tmp_path, made, ["".join(dice.choices("abcdefgh ", k=dice.randrange(1, 40)))
                                  for _ in range(3000)])


def test_a_unigram_trained_by_tokenizers_agrees(tmp_path):
    made = assembled(
        models.Unigram(), normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()]), metaspace(),
        decoders.Metaspace())
    made.train_from_iterator(corpus(), trainers.UnigramTrainer(
        vocab_size=500, special_tokens=["<s>", "<unk>"], unk_token="<unk>", show_progress=False))
    compare_file(tmp_path, made, hard_texts(500, seed=43))


@pytest.mark.parametrize("name", ["LlamaTokenizer", "DebertaV2Tokenizer", "T5Tokenizer", "XLMRobertaTokenizer"])
def test_files_that_transformers_converts_agree(tmp_path, name):
    """transformers makes a tokenizer.json of a model; ours must read it as tokenizers does."""
    (source := tmp_path / "source").mkdir()
    (target := tmp_path / "target").mkdir()
    train(source, "bpe" if name == "LlamaTokenizer" else "unigram", dict(
        byte_fallback=name == "LlamaTokenizer", vocab_size=700))
    file = {"DebertaV2Tokenizer": "spm.model", "T5Tokenizer": "spiece.model",
            "XLMRobertaTokenizer": "sentencepiece.bpe.model"}.get(name, "tokenizer.model")
    (source / "tokenizer.model").rename(source / file)
    (source / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
    AutoTokenizer.from_pretrained(source).save_pretrained(target)
    compare_file(target, Tokenizer.from_file(str(target / "tokenizer.json")),
                 hard_texts(300, seed=47) + SPELLED_OUT)
