"""Compares the tokens that files beside a vocabulary add with those that transformers adds."""

import json
import random

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import BertTokenizer, GPT2Tokenizer, PreTrainedTokenizerFast

import harness

LETTERS = "abcdefghijklmnopqrstuvwxyz<>|_TOLPAD"
NAMES = ["<tool>", "<pad>", "<|x|>", "tool", "<im>", "Ab", "</s>", "<s>", "<unk>", "[MASK]", "<é>", " b", "\n"]
ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
OWN = ["image_token", "boi_token", "video_token"]


def token(content, **flags):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False,
            "single_word": False, **flags}


def saved(content, **flags):
    """As transformers writes a token into tokenizer_config.json."""
    return {"__type": "AddedToken", **token(content, special=True), **flags}


# --- folders --------------------------------------------------------------------------------------


def vocabulary(extra=()):
    tokens = ["[UNK]", "[CLS]", "[SEP]", *pre_tokenizers.ByteLevel.alphabet(), "to", "ol", "tool", *extra]
    return {name: index for index, name in enumerate(dict.fromkeys(sorted(tokens[:3]) + sorted(tokens[3:])))}


MERGES = [("t", "o"), ("o", "l"), ("to", "ol")]


def one_file(folder, added=(), extra=(), holes=False):
    """A tokenizer.json that lowercases, with some added tokens of its own."""
    vocab = vocabulary(extra)
    if holes:
        vocab["tool"] = 700
    made = Tokenizer(models.BPE(vocab, MERGES, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fields = json.loads(made.to_str())
    fields["added_tokens"] = [
        {"id": vocab.get(entry["content"], 900 + index), **entry} for index, entry in enumerate(added)]
    (folder / "tokenizer.json").write_text(json.dumps(fields))
    return PreTrainedTokenizerFast


def two_files(folder, extra=()):
    (folder / "vocab.json").write_text(json.dumps(vocabulary(extra)))
    (folder / "merges.txt").write_text("".join(f"{a} {b}\n" for a, b in MERGES))
    return GPT2Tokenizer


def lines(folder, extra=()):
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *("##" + c for c in LETTERS), *extra]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(tokens)) + "\n")
    return BertTokenizer


TEXTS = ["a <tool> b", "<tool><pad>tool", "  <pad>  <|x|>  x", "tool tools <im>x<IM>", "</s> <s>a<unk>b",
         "Ab ab [MASK]  [mask]", "<é> <É>", "a b\n\n b\n", "<TOOL> <image> <video>", "<tool> tool\u00a0<pad>",
         "x<video><image>y", "_tool tool_ <image>\n<tool>\n", "[CLS] a [SEP][PAD]"]


def compare(folder, kind):
    """The ids of texts, and the text of ids, with and without special tokens."""
    reference = kind.from_pretrained(folder)
    backend = reference.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    found = harness.tokenize(folder, TEXTS)
    expected = [backend.encode(text) for text in TEXTS]
    assert [line["ids"] for line in found] == [made.ids for made in expected]
    assert [line["tokens"] for line in found] == [made.tokens for made in expected]
    rows = [made.ids for made in expected]
    for skips in [False, True]:
        texts = [line["text"] for line in harness.tokenize(
            folder, rows, "--decode", *(["--skip-special"] if skips else []))]
        assert texts == backend.decode_batch(rows, skip_special_tokens=skips)


def write(folder, files):
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


# --- places that name a token ---------------------------------------------------------------------

PLACES = {
    "listed": dict(tokenizer_config={"added_tokens_decoder": {
        "500": token("<tool>", special=True), "499": token("<pad>", special=False, normalized=True)}}),
    "listed-without-flags": dict(tokenizer_config={"added_tokens_decoder": {"900": {"content": "<TOOL>"}}}),
    "old-list": dict(added_tokens={"<tool>": 500, "<pad>": 400, "tool": 3}),
    "old-list-of-roles": dict(added_tokens={"<Tool>": 500, "<PAD>": 400},
                              tokenizer_config={"pad_token": "<PAD>"}),
    "map": dict(special_tokens_map={"pad_token": "<pad>", "additional_special_tokens": ["<tool>"]}),
    "map-with-flags": dict(special_tokens_map={"pad_token": token("<pad>", lstrip=True, rstrip=True)}),
    "map-over-settings": dict(tokenizer_config={"pad_token": "<im>", "eos_token": "</s>"},
                              special_tokens_map={"pad_token": "<pad>", "eos_token": None}),
    "map-beside-a-list": dict(tokenizer_config={"added_tokens_decoder": {}, "eos_token": "</s>"},
                              special_tokens_map={"pad_token": "<pad>"}),
    "map-of-extra": dict(tokenizer_config={"extra_special_tokens": ["<tool>", "<im>"]},
                         special_tokens_map={"extra_special_tokens": ["<im>", token("<pad>", rstrip=True)]}),
    "map-of-additional": dict(tokenizer_config={"additional_special_tokens": ["<tool>"]},
                              special_tokens_map={"additional_special_tokens": ["<im>"]}),
    "map-of-own": dict(tokenizer_config={"image_token": "<image>"},
                       special_tokens_map={"video_token": "<video>", "boi_token": token("<im>", lstrip=True)}),
    "roles": dict(tokenizer_config={"pad_token": "<pad>", "eos_token": saved("</s>", rstrip=True),
                                    "mask_token": saved("[MASK]", lstrip=True)}),
    "additional": dict(tokenizer_config={"additional_special_tokens": ["<tool>", "tool"]}),
    "additional-with-flags": dict(tokenizer_config={
        "additional_special_tokens": [saved("<tool>", lstrip=True), saved("tool", single_word=True)]}),
    "extra-list": dict(tokenizer_config={"extra_special_tokens": ["<tool>", "<pad>"], "pad_token": "<pad>"}),
    "extra-over-additional": dict(tokenizer_config={
        "extra_special_tokens": ["<tool>"], "additional_special_tokens": ["<pad>"]}),
    "extra-not-special": dict(tokenizer_config={"extra_special_tokens": [
        {"__type": "AddedToken", "content": "<Tool>"}, saved("<im>", special=False, normalized=True)]}),
    "extra-dict": dict(tokenizer_config={
        "extra_special_tokens": {"video_token": "<video>", "image_token": saved("<image>", lstrip=True)}}),
    "own": dict(tokenizer_config={"video_token": "<video>", "image_token": "<image>", "add_bos_token": False}),
    "own-and-explicit": dict(tokenizer_config={
        "video_token": "<video>", "model_specific_special_tokens": {"image_token": "<image>"}}),
    "explicit": dict(tokenizer_config={
        "model_specific_special_tokens": {"video_token": "<video>", "image_token": "<image>"}}),
    "own-with-flags": dict(tokenizer_config={
        "video_token": "<video>", "image_token": saved("<image>", rstrip=True)}),
    "twice": dict(tokenizer_config={"pad_token": "<pad>", "eos_token": "<pad>",
                                    "extra_special_tokens": ["<pad>", "<im>", "<im>"]}),
    "everything": dict(
        tokenizer_config={"pad_token": "<pad>", "extra_special_tokens": ["<tool>"], "image_token": "<image>"},
        special_tokens_map={"eos_token": "</s>", "video_token": "<video>"}, added_tokens={"<im>": 300, "<pad>": 301}),
    "known-with-other-flags": dict(tokenizer_config={"added_tokens_decoder": {
        "900": token("<im>", special=False, normalized=True), "3": token("tool", special=True, lstrip=True)}}),
    "split": dict(tokenizer_config={"split_special_tokens": True, "pad_token": "<pad>",
                                    "added_tokens_decoder": {"500": token("<im>", special=False)}}),
}
KINDS = {"tokenizer.json": one_file, "vocab.json": two_files, "vocab.txt": lines}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_beside_a_vocabulary_is_one_token(tmp_path, kind, place):
    made = KINDS[kind](tmp_path)
    write(tmp_path, PLACES[place])
    compare(tmp_path, made)


@pytest.mark.parametrize("place", PLACES)
def test_added_tokens_of_the_file_itself_stay(tmp_path, place):
    made = one_file(tmp_path, added=[
        token("<im>", special=True, rstrip=True), token("<S>", special=False, normalized=True),
        token("tool", special=False)], extra=["<pad>"], holes=True)
    write(tmp_path, PLACES[place])
    compare(tmp_path, made)


# --- any of them together -------------------------------------------------------------------------


def some_files(dice):
    """Random contents of the three files."""
    def flags():
        return {name: dice.random() < 0.3 for name in ["lstrip", "rstrip", "single_word", "normalized"]}

    def name():
        return dice.choice(NAMES)

    def in_settings():
        return name() if dice.random() < 0.6 else saved(name(), special=dice.random() < 0.7, **flags())

    settings = {role: in_settings() for role in ROLES if dice.random() < 0.2}
    settings |= {own: in_settings() for own in OWN if dice.random() < 0.15}
    if dice.random() < 0.4:
        settings["added_tokens_decoder"] = {
            str(dice.randrange(1000)): token(name(), **flags(), special=dice.random() < 0.5)
            for _ in range(dice.randrange(4))}
    for key in ["additional_special_tokens", "extra_special_tokens"]:
        if dice.random() < 0.3:
            settings[key] = [in_settings() for _ in range(dice.randrange(3))]
    if dice.random() < 0.2:
        settings["extra_special_tokens"] = {own: name() for own in dice.sample(OWN, 2)}
    if dice.random() < 0.2:
        settings["model_specific_special_tokens"] = {own: name() for own in dice.sample(OWN, 2)}
    mapped = {role: dice.choice([name(), None, token(name(), **flags())]) for role in ROLES if dice.random() < 0.2}
    mapped |= {own: name() for own in OWN if dice.random() < 0.1}
    for key in ["additional_special_tokens", "extra_special_tokens"]:
        if dice.random() < 0.2:
            mapped[key] = [name() for _ in range(dice.randrange(3))]
    files = {}
    if dice.random() < 0.9:
        files["tokenizer_config"] = settings
    if dice.random() < 0.5:
        files["special_tokens_map"] = mapped
    if dice.random() < 0.5:
        files["added_tokens"] = {name(): 300 + dice.randrange(700) for _ in range(dice.randrange(4))}
    return files


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_name_tokens_go_together(tmp_path, kind):
    dice = random.Random(f"beside {kind}")
    compared = 0
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        own = [token(dice.choice(NAMES), special=dice.random() < 0.5, lstrip=dice.random() < 0.3)
               for _ in range(dice.randrange(3))]
        arguments = dict(added=own, holes=dice.random() < 0.3) if kind == "tokenizer.json" else {}
        made = KINDS[kind](folder, extra=dice.sample(NAMES[:9], 3), **arguments)
        files = some_files(dice)
        if kind == "vocab.txt":  # which must have these three itself
            for fields in files.values():
                for role in ["unk_token", "cls_token", "sep_token"]:
                    fields.pop(role, None)
        write(folder, files)
        try:
            made.from_pretrained(folder)
        except Exception:  # what transformers cannot open has no right answer
            continue
        compare(folder, made)
        compared += 1
    assert compared > 20
