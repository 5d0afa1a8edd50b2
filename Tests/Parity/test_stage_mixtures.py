"""Compares random compositions of stages with `tokenizers`: ids, tokens and the text of ids."""

import json

import pytest
from tokenizers import Tokenizer

import harness
import stage_mixtures

FILES = 48


def without_panic(encode, *arguments):
    """What the reference makes of it; None where it panics, as over white space that one added token
    swallows and another is."""
    try:
        return encode(*arguments)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


@pytest.mark.parametrize("part", range(4))
def test_compositions_of_stages_agree(tmp_path, part):
    compared = 0
    for seed in range(part * FILES, (part + 1) * FILES):
        fields = stage_mixtures.file(seed)
        reference = Tokenizer.from_str(json.dumps(fields))
        if not stage_mixtures.finds_its_tokens(reference):
            continue
        (tmp_path / "tokenizer.json").write_text(json.dumps(fields))
        texts = stage_mixtures.texts(seed, 30)
        made = [without_panic(reference.encode, text) for text in texts]
        pairs = [(text, here, there) for text, here, there
                 in zip(texts, harness.tokenize(tmp_path, texts), made) if there is not None]
        wrong = [(ascii(text), here["tokens"], there.tokens) for text, here, there in pairs
                 if here["ids"] != there.ids or here["tokens"] != there.tokens]
        assert not wrong, f"file {seed}: {len(wrong)} of {len(pairs)} differ, such as {wrong[:2]}"
        rows = [there.ids for _, _, there in pairs]
        for skips in [False, True]:
            found = harness.tokenize(tmp_path, rows, "--decode", *(["--skip-special"] if skips else []))
            expected = reference.decode_batch(rows, skip_special_tokens=skips)
            wrong = [(row, ascii(here["text"]), ascii(there)) for row, here, there
                     in zip(rows, found, expected) if here["text"] != there]
            assert not wrong, f"file {seed}: {len(wrong)} of {len(rows)} are spelled otherwise, such as {wrong[:2]}"
        compared += len(pairs)
    assert compared > 2000
