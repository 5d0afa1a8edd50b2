"""Plain text that a small decoder can learn, and a tokenizer of its words."""

import json
import random

from tokenizers import Tokenizer, models, pre_tokenizers, processors

import decoders
from harness import WORDS

SPECIALS = ["<unk>", "<s>", "</s>"]


def tokenizer(folder, beginning=False):
    """A word-level tokenizer in a folder, as BERT's model with no pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: i for i, token in enumerate([*SPECIALS, *WORDS, "."])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(SPECIALS)
    if beginning:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 1)])
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"}))
    return made


def text(sentences, seed):
    """Sentences in which each word makes some of the others likely."""
    dice = random.Random(seed)
    lines = []
    for _ in range(sentences):
        word = dice.randrange(len(WORDS))
        line = []
        for _ in range(dice.randrange(4, 12)):
            line.append(WORDS[word])
            word = (word * 7 + dice.choice([1, 2, 5])) % len(WORDS)
        lines.append(" ".join(line) + " .")
    return "\n".join(lines) + "\n"


def base(folder, name="llama-grouped", **changes):
    """A random decoder with the tokenizer beside it."""
    model = decoders.make(name, folder, **changes)
    return model, tokenizer(folder)
