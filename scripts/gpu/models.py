"""Small random models of three architectures, and texts to train them on; nothing but Python is needed."""

import array
import json
import random

from . import tensors

HIDDEN, INNER, LAYERS, HEADS, POSITIONS = 64, 128, 2, 4, 128
WORDS = ("a the one two red old small man woman dog cat child bird house river is was sees likes finds eats "
         "runs sleeps not never and with near under slowly gladly").split()
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# One token for each byte, as GPT-2 writes bytes, and one for the end.
BYTES = [*range(33, 127), *range(161, 173), *range(174, 256)]
LETTERS = [*map(chr, BYTES), *(chr(256 + n) for n in range(256 - len(BYTES)))]
END = "<|endoftext|>"
DECODER_TOKENS = len(LETTERS) + 1

CONFIGS = {
    "llama": {
        "model_type": "llama", "vocab_size": DECODER_TOKENS, "hidden_size": HIDDEN,
        "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": 2, "max_position_embeddings": POSITIONS, "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False, "bos_token_id": 256, "eos_token_id": 256},
    "gpt2": {
        "model_type": "gpt2", "vocab_size": DECODER_TOKENS, "n_embd": HIDDEN, "n_layer": LAYERS,
        "n_head": HEADS, "n_positions": POSITIONS, "resid_pdrop": 0.0, "embd_pdrop": 0.0,
        "attn_pdrop": 0.0, "bos_token_id": 256, "eos_token_id": 256},
    "bert": {
        "model_type": "bert", "vocab_size": len(SPECIALS) + len(WORDS), "hidden_size": HIDDEN,
        "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0, "pad_token_id": 0}}


def _norm(name, bias=True):
    return {f"{name}.weight": [HIDDEN], **({f"{name}.bias": [HIDDEN]} if bias else {})}


def _linear(name, outputs, inputs, transposed=False):
    shape = [inputs, outputs] if transposed else [outputs, inputs]
    return {f"{name}.weight": shape, f"{name}.bias": [outputs]}


def _llama():
    shapes = {"model.embed_tokens.weight": [DECODER_TOKENS, HIDDEN]}
    for layer in range(LAYERS):
        block = f"model.layers.{layer}"
        shapes |= _norm(f"{block}.input_layernorm", bias=False)
        shapes |= _norm(f"{block}.post_attention_layernorm", bias=False)
        for name, outputs in [("q", HIDDEN), ("k", HIDDEN // 2), ("v", HIDDEN // 2), ("o", HIDDEN)]:
            shapes[f"{block}.self_attn.{name}_proj.weight"] = [outputs, HIDDEN]
        for name, shape in [("gate", [INNER, HIDDEN]), ("up", [INNER, HIDDEN]),
                            ("down", [HIDDEN, INNER])]:
            shapes[f"{block}.mlp.{name}_proj.weight"] = shape
    return {**shapes, **_norm("model.norm", bias=False), "lm_head.weight": [DECODER_TOKENS, HIDDEN]}


def _gpt2():
    shapes = {"transformer.wte.weight": [DECODER_TOKENS, HIDDEN],
              "transformer.wpe.weight": [POSITIONS, HIDDEN]}
    for layer in range(LAYERS):
        block = f"transformer.h.{layer}"
        shapes |= _norm(f"{block}.ln_1") | _norm(f"{block}.ln_2")
        for name, outputs, inputs in [
                ("attn.c_attn", 3 * HIDDEN, HIDDEN), ("attn.c_proj", HIDDEN, HIDDEN),
                ("mlp.c_fc", 4 * HIDDEN, HIDDEN), ("mlp.c_proj", HIDDEN, 4 * HIDDEN)]:
            shapes |= _linear(f"{block}.{name}", outputs, inputs, transposed=True)
    return {**shapes, **_norm("transformer.ln_f")}


def _bert():
    embeddings = "bert.embeddings"
    shapes = {f"{embeddings}.word_embeddings.weight": [len(SPECIALS) + len(WORDS), HIDDEN],
              f"{embeddings}.position_embeddings.weight": [POSITIONS, HIDDEN],
              f"{embeddings}.token_type_embeddings.weight": [2, HIDDEN]}
    shapes |= _norm(f"{embeddings}.LayerNorm")
    for layer in range(LAYERS):
        block = f"bert.encoder.layer.{layer}"
        for name in ["self.query", "self.key", "self.value", "output.dense"]:
            shapes |= _linear(f"{block}.attention.{name}", HIDDEN, HIDDEN)
        shapes |= _linear(f"{block}.intermediate.dense", INNER, HIDDEN)
        shapes |= _linear(f"{block}.output.dense", HIDDEN, INNER)
        shapes |= _norm(f"{block}.attention.output.LayerNorm") | _norm(f"{block}.output.LayerNorm")
    return {**shapes, **_linear("bert.pooler.dense", HIDDEN, HIDDEN)}


SHAPES = {"llama": _llama, "gpt2": _gpt2, "bert": _bert}


def make(name, folder):
    """Writes a model and its tokenizer into a folder."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIGS[name]))
    dice = random.Random(name)
    drawn = {}
    for key, shape in SHAPES[name]().items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        # Norms are about 1, and biases not 0, so that all of them matter.
        mean = 1 if len(shape) == 1 and key.endswith("weight") else 0
        drawn[key] = (shape, array.array("f", (dice.gauss(mean, 0.15) for _ in range(count))))
    tensors.write(folder / "model.safetensors", drawn)
    if name == "bert":
        (folder / "vocab.txt").write_text("\n".join(SPECIALS + WORDS) + "\n")
    else:
        (folder / "tokenizer.json").write_text(json.dumps(_byte_tokenizer()))


def _byte_tokenizer():
    end = {"id": len(LETTERS), "content": END, "single_word": False, "lstrip": False, "rstrip": False,
           "normalized": False, "special": True}
    bytes_alone = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [end],
        "normalizer": None, "pre_tokenizer": bytes_alone, "post_processor": None, "decoder": bytes_alone,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "vocab": {**{letter: number for number, letter in enumerate(LETTERS)}, END: len(LETTERS)},
            "merges": []}}


def write_texts(folder):
    """Lines for decoders, and sentences in two classes, as CoLA's files have them, for BERT."""
    folder.mkdir()
    dice = random.Random(0)
    lines = [" ".join(dice.choices(WORDS, k=dice.randint(3, 8))) for _ in range(96)]
    (folder / "lines.txt").write_text("\n".join(lines) + "\n")
    rows = [f"gen\t{int('not' in line or 'never' in line)}\t\t{line}" for line in lines]
    (folder / "train.tsv").write_text("\n".join(rows[:80]) + "\n")
    (folder / "dev.tsv").write_text("\n".join(rows[80:]) + "\n")


def sequences(name):
    """Token ids of different lengths."""
    dice = random.Random(1)
    tokens = CONFIGS[name]["vocab_size"]
    return [" ".join(str(dice.randrange(5, tokens - 1)) for _ in range(length)) for length in (6, 11, 1, 9)]
