"""Random decoders of every architecture and option, as transformers makes and saves them."""

import copy
import zlib

import torch
from transformers import (
    AutoModelForCausalLM, GPT2Config, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config)


VOCABULARY = 97
# Wide weights, so that logits are spread and the best token is well ahead of the second.
SIZES = dict(
    vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
    num_attention_heads=4, max_position_embeddings=64, initializer_range=0.3,
    bos_token_id=1, eos_token_id=2)
GPT2_SIZES = dict(
    vocab_size=VOCABULARY, n_embd=32, n_layer=3, n_head=4, n_positions=64, initializer_range=0.3,
    bos_token_id=1, eos_token_id=2)


def llama(**fields):
    return LlamaConfig(**{**SIZES, **fields})


def rope(kind, theta=10000.0, **fields):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=theta, **fields))


CONFIGURATIONS = {
    "llama": llama(),
    "llama-grouped": llama(num_key_value_heads=2),
    "llama-one-key-head": llama(num_key_value_heads=1, tie_word_embeddings=True),
    "llama-head-size": llama(head_dim=16, num_key_value_heads=2),
    "llama-biases": llama(attention_bias=True, mlp_bias=True),
    "llama-gelu": llama(hidden_act="gelu", rms_norm_eps=1e-3),
    "llama-theta": llama(**rope("default", 500000.0)),
    "llama-linear": llama(**rope("linear", factor=4.0)),
    "llama-dynamic": llama(max_position_embeddings=8, **rope("dynamic", factor=4.0)),
    "llama-3.1": llama(num_key_value_heads=2, **rope(
        "llama3", 500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=16)),
    "llama-yarn": llama(**rope("yarn", factor=4.0, original_max_position_embeddings=16)),
    "mistral": MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=5),
    "mistral-no-window": MistralConfig(**SIZES, num_key_value_heads=4, sliding_window=None),
    "qwen2": Qwen2Config(**SIZES, num_key_value_heads=2),
    "qwen2-window": Qwen2Config(
        **SIZES, num_key_value_heads=2, use_sliding_window=True, sliding_window=4,
        max_window_layers=1),
    "qwen3": Qwen3Config(**SIZES, num_key_value_heads=2, head_dim=8),
    "qwen3-tied": Qwen3Config(
        **SIZES, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True,
        attention_bias=True),
    "gpt2": GPT2Config(**GPT2_SIZES),
    "gpt2-inner": GPT2Config(**GPT2_SIZES, n_inner=40, activation_function="relu"),
    "gpt2-untied": GPT2Config(
        **GPT2_SIZES, tie_word_embeddings=False, scale_attn_by_inverse_layer_idx=True),
    "gpt2-unscaled": GPT2Config(**GPT2_SIZES, scale_attn_weights=False),
}


def make(name, folder, dtype=torch.float32, **changes):
    """A random model in a folder; norms and biases are random too."""
    configuration = copy.deepcopy(CONFIGURATIONS[name])
    for key, value in changes.items():
        setattr(configuration, key, value)
    torch.manual_seed(zlib.crc32(name.encode()))
    model = AutoModelForCausalLM.from_config(configuration).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model = model.to(dtype)
    model.save_pretrained(folder)
    return model


def padded(sequences, side, filler=0):
    """Ids, mask and positions of a batch; positions count from each sequence's first token."""
    length = max(map(len, sequences))
    ids = torch.full((len(sequences), length), filler)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        place = (slice(length - len(sequence), length) if side == "left"
                 else slice(0, len(sequence)))
        ids[row, place] = torch.tensor(sequence)
        mask[row, place] = 1
    return ids, mask, (mask.cumsum(-1) - 1).clamp(min=0)


def logits(model, sequences, side):
    """Logits and last hidden states of a padded batch, and its mask."""
    ids, mask, positions = padded(sequences, side)
    with torch.no_grad():
        output = model(
            ids, attention_mask=mask, position_ids=positions, output_hidden_states=True)
    return output.logits.float(), output.hidden_states[-1].float(), mask.bool()
