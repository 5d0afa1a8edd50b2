"""Writes small GGUF files of random numbers with `gguf.GGUFWriter`, as llama.cpp's converter would."""

import json

import gguf
import numpy
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

SIZES = dict(layers=2, hidden=64, heads=4, kv_heads=2, head=16, ff=96, vocabulary=300, context=1024)


def tensors_of(architecture, sizes, *, tied=True, biases=False):
    """The shapes of a model's tensors, by llama.cpp's names."""
    hidden, ff, vocabulary = sizes["hidden"], sizes["ff"], sizes["vocabulary"]
    query, key = sizes["heads"] * sizes["head"], sizes["kv_heads"] * sizes["head"]
    shapes = {"token_embd.weight": (vocabulary, hidden), "output_norm.weight": (hidden,)}
    if not tied:
        shapes["output.weight"] = (vocabulary, hidden)
    for block in (f"blk.{number}." for number in range(sizes["layers"])):
        if architecture == "gpt2":
            rows = dict(attn_qkv=(3 * hidden, hidden), attn_output=(hidden, hidden),
                        ffn_up=(4 * hidden, hidden), ffn_down=(hidden, 4 * hidden))
            for name, shape in rows.items():
                shapes |= {f"{block}{name}.weight": shape, f"{block}{name}.bias": shape[:1]}
            for name in ("attn_norm", "ffn_norm"):
                shapes |= {f"{block}{name}.weight": (hidden,), f"{block}{name}.bias": (hidden,)}
            continue
        shapes |= {f"{block}attn_norm.weight": (hidden,), f"{block}ffn_norm.weight": (hidden,),
                   f"{block}attn_q.weight": (query, hidden), f"{block}attn_k.weight": (key, hidden),
                   f"{block}attn_v.weight": (key, hidden),
                   f"{block}attn_output.weight": (hidden, query),
                   f"{block}ffn_gate.weight": (ff, hidden), f"{block}ffn_up.weight": (ff, hidden),
                   f"{block}ffn_down.weight": (hidden, ff)}
        if architecture == "qwen2" or biases:
            shapes |= {f"{block}attn_q.bias": (query,), f"{block}attn_k.bias": (key,),
                       f"{block}attn_v.bias": (key,)}
        if biases:
            shapes[f"{block}attn_output.bias"] = (hidden,)
        if architecture == "qwen3":
            shapes |= {f"{block}attn_q_norm.weight": (sizes["head"],),
                       f"{block}attn_k_norm.weight": (sizes["head"],)}
    if architecture == "gpt2":
        shapes |= {"position_embd.weight": (sizes["context"], hidden), "output_norm.bias": (hidden,)}
    return shapes


def write(path, architecture, *, tied=True, biases=False, sizes=SIZES, tokenizer=None, seed=1,
          types=None, more=lambda writer: None):
    """Writes a file; `tokenizer(writer)` and `more(writer)` add keys, `types` names other types than
    F32 by the end of a tensor's name."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_context_length(sizes["context"])
    writer.add_embedding_length(sizes["hidden"])
    writer.add_block_count(sizes["layers"])
    writer.add_head_count(sizes["heads"])
    if architecture == "gpt2":
        writer.add_feed_forward_length(4 * sizes["hidden"])
        writer.add_layer_norm_eps(2e-5)
    else:
        writer.add_feed_forward_length(sizes["ff"])
        writer.add_head_count_kv(sizes["kv_heads"])
        writer.add_layer_norm_rms_eps(2e-6)
        writer.add_rope_freq_base(50000.0)
        writer.add_vocab_size(sizes["vocabulary"])
        if architecture == "llama":
            writer.add_rope_dimension_count(sizes["head"])
        else:
            writer.add_key_length(sizes["head"])
            writer.add_value_length(sizes["head"])
    more(writer)
    if tokenizer:
        tokenizer(writer)
    dice = numpy.random.default_rng(seed)
    for name, shape in tensors_of(architecture, sizes, tied=tied, biases=biases).items():
        values = (dice.standard_normal(shape) * 0.1).astype(numpy.float32)
        if len(shape) == 1 and name.endswith("weight"):
            values += 1
        kind = next((kind for end, kind in (types or {}).items() if name.endswith(end)), None)
        if kind is None:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def byte_pairs(lines, size, split, special=("<|end|>", "<|start|>"), digits=False):
    """A byte-level BPE trained on lines, with the pattern that words are cut at; its `tokenizers` form
    and its tokens and merges."""
    tokenizer = Tokenizer(models.BPE())
    stages = [pre_tokenizers.Digits(individual_digits=True)] if digits else []
    stages += [pre_tokenizers.Split(split, "isolated")] if split else []
    stages += [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(stages)
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(special), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.get)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]
    return tokenizer, tokens, merges


def add_byte_pairs(writer, tokens, merges, pre, *, special=2, user=(), bos=None, eos=0,
                   add_bos=False, add_eos=None, template=None):
    """The keys of a byte-level vocabulary; the first `special` tokens are control tokens."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([
        gguf.TokenType.CONTROL if place < special
        else gguf.TokenType.USER_DEFINED if token in user else gguf.TokenType.NORMAL
        for place, token in enumerate(tokens)])
    writer.add_token_merges(merges)
    if bos is not None:
        writer.add_bos_token_id(bos)
    writer.add_eos_token_id(eos)
    if add_bos is not None:
        writer.add_add_bos_token(add_bos)
    if add_eos is not None:
        writer.add_add_eos_token(add_eos)
    if template:
        writer.add_chat_template(template)


def add_pieces(writer, model, *, user=(), prefix=True, add_bos=True, add_eos=False, template=None):
    """The keys of a vocabulary of SentencePiece, from `sentencepiece`'s own model."""
    kinds = gguf.TokenType
    tokens, scores, types = [], [], []
    for place in range(model.vocab_size()):
        tokens.append(model.id_to_piece(place))
        scores.append(model.get_score(place))
        types.append(
            kinds.UNKNOWN if model.is_unknown(place) else kinds.CONTROL if model.is_control(place)
            else kinds.UNUSED if model.is_unused(place) else kinds.BYTE if model.is_byte(place)
            else kinds.NORMAL)
    for token in user:
        tokens.append(token)
        scores.append(-1000.0)
        types.append(kinds.USER_DEFINED)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(model.bos_id())
    writer.add_eos_token_id(model.eos_id())
    writer.add_unk_token_id(model.unk_id())
    writer.add_add_bos_token(add_bos)
    writer.add_add_eos_token(add_eos)
    writer.add_add_space_prefix(prefix)
    if template:
        writer.add_chat_template(template)
