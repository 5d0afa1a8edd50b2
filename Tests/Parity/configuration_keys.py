"""What becomes of every key of a model's configuration files that transformers knows.

A key is acted on, refused by name unless it is neutral, or has no effect on numbers. `value` is one that
it does not have by default, and `beside` what must go with it to be seen.
"""

from dataclasses import dataclass, field, fields
import re
from pathlib import Path

import transformers
from transformers import (
    BertConfig, GPT2Config, LlamaConfig, MistralConfig, PreTrainedConfig, Qwen2Config, Qwen3Config)
from transformers.generation import GenerationConfig
from transformers.modeling_rope_utils import RopeParameters


@dataclass(frozen=True)
class Key:
    kind: str
    value: object = None
    reason: str = ""
    beside: dict = field(default_factory=dict)


def acted(value, reason="", **beside):
    return Key("acted on", value, reason, beside)


def refused(value, reason="", **beside):
    return Key("refused", value, reason, beside)


def idle(value, reason, **beside):
    """No effect on numbers; None has no value that a file could give."""
    return Key("no effect", value, reason, beside)


CLASSES = {
    "llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config,
    "gpt2": GPT2Config, "bert": BertConfig,
}
LLAMAS = ["llama", "mistral", "qwen2", "qwen3"]

NEW_WEIGHTS = "says how weights start that no checkpoint gives"
OUTPUTS = "chooses which outputs are handed out"
LABELS = "names classes, or the loss, which the task decides here"
ELSEWHERE = "read for the layers of other architectures"
TYPE = "the type of weights in memory: --dtype says it here"

# Of all architectures.
COMMON = {
    "architectures": idle(["OtherModel"], "the class follows from model_type"),
    "auto_map": idle({"AutoConfig": "x--y.Z"}, "code of the repository is never run"),
    "transformers_version": idle("1.2.3", "who wrote the file"),
    "name_or_path": idle("elsewhere", "where the model came from"),
    "_name_or_path": idle("elsewhere", "where the model came from"),
    "_commit_hash": idle("0123", "where the model came from"),
    "model_type": refused("falcon", "an architecture that is not known"),
    "output_hidden_states": idle(True, OUTPUTS), "output_attentions": idle(True, OUTPUTS),
    "return_dict": idle(True, OUTPUTS), "tie_last_hidden_states": idle(True, OUTPUTS),
    "dtype": idle("float16", TYPE), "torch_dtype": idle("bfloat16", TYPE),
    "id2label": idle({"0": "a", "1": "b"}, LABELS), "label2id": idle({"a": 0}, LABELS),
    "num_labels": idle(2, LABELS),
    "problem_type": idle("multi_label_classification", LABELS),
    "token_classification_bias": idle(True, "of a head that scores tokens"),
    "unpadded_vocab_size": idle(7, ELSEWHERE), "logits_mup_width_multiplier": idle(3.0, ELSEWHERE),
    "mtp_hidden_states_first": idle(True, ELSEWHERE),
    "chain_hidden_post_norm": idle(True, ELSEWHERE),
    "number_of_conv_states": idle(3, ELSEWHERE),
    "mlp_layer_types": idle(None, ELSEWHERE), "mtp_layer_types": idle(None, ELSEWHERE),
    "chunk_size_feed_forward": idle(
        1, "the same products in parts; only BERT's blocks read it"),
    "is_encoder_decoder": refused(True), "per_layer_config": refused({"0": {"hidden_act": "relu"}}),
    "configuration_files": refused(["config.4.0.0.json"]),
    "transformers_weights": refused("other.safetensors"),
    "fusion_config": refused({"patch_embeddings": True}),
    "quantization_config": refused({"quant_method": "gptq"}),
    "is_decoder": idle(True, "a decoder's tokens see those before them anyway"),
    "is_causal": refused(False),
    "attention_chunk_size": refused(4), "kv_sharing_modes": refused(["reuse", "reuse", "reuse"]),
    "attn_implementation": idle("eager", "another kernel for the same sums"),
    "_attn_implementation": idle("eager", "another kernel for the same sums"),
    "_attn_implementation_internal": idle("eager", "passed over there, too"),
    "experts_implementation": idle("eager", ELSEWHERE),
    "_experts_implementation": idle("eager", ELSEWHERE),
    "_experts_implementation_internal": idle("eager", ELSEWHERE),
    "distributed_config": idle(None, "how a training is spread over machines"),
    "gradient_checkpointing": idle(True, "computes activations again; --checkpointing says it"),
    "initializer_range": idle(0.5, NEW_WEIGHTS), "init_std": idle(0.5, NEW_WEIGHTS),
    "initializer_factor": idle(0.5, NEW_WEIGHTS),
    "use_cache": idle(False, "the same numbers, computed once or again"),
    "bos_token_id": idle(7, "prompts are given as they are"),
    "sep_token_id": idle(7, "for a warning about padding"),
    "eos_token_id": acted(9, "ends what is generated"),
    "pad_token_id": acted(3, "a token whose embedding does not learn"),
    "use_swiglu_ffn": idle(True, ELSEWHERE), "qk_head_dim": idle(7, ELSEWHERE),
    "embedding_size": idle(7, ELSEWHERE),
}

NO_ROTARY = {key: idle(value, "positions are embedded") for key, value in {
    "rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 2.0},
    "partial_rotary_factor": 0.5}.items()}

# Of the LLaMA family.
FAMILY = {
    "vocab_size": acted(101), "hidden_size": acted(64, head_dim=16), "intermediate_size": acted(56),
    "num_hidden_layers": acted(2), "num_attention_heads": acted(8, num_key_value_heads=4),
    "num_key_value_heads": acted(1), "head_dim": acted(16), "hidden_act": acted("gelu"),
    "max_position_embeddings": acted(
        8, rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}),
    "rms_norm_eps": acted(0.5), "tie_word_embeddings": acted(True),
    "attention_dropout": acted(0.3, "in training"),
    "rope_parameters": acted({"rope_type": "linear", "rope_theta": 500.0, "factor": 2.0}),
    "rope_scaling": acted({"type": "linear", "factor": 2.0}, rope_parameters=None),
    "rope_theta": acted(300.0, rope_parameters=None),
    "partial_rotary_factor": refused(0.5),
    "original_max_position_embeddings": acted(
        16, max_position_embeddings=64, rope_parameters={
            "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0}),
    "pretraining_tp": idle(2, "the products of pretraining's machines, in parts"),
    "classifier_dropout": idle(0.5, "of heads that classify"),
    "hidden_dropout": idle(0.5, "of heads that classify"),
    "head_dim_key": idle(None, ELSEWHERE),
}
WINDOWS = {
    "sliding_window": acted(3, use_sliding_window=True, max_window_layers=1),
    "use_sliding_window": acted(True, sliding_window=3, max_window_layers=1),
    "max_window_layers": acted(1, sliding_window=3, use_sliding_window=True),
    "layer_types": acted(
        ["full_attention", "sliding_attention", "full_attention"], sliding_window=3,
        use_sliding_window=True),
}
NO_WINDOWS = {
    "sliding_window": refused(3), "layer_types": refused(["full_attention", "sliding_attention"])}

OWN = {
    "llama": {**FAMILY, **NO_WINDOWS, "attention_bias": acted(True), "mlp_bias": acted(True)},
    "mistral": {
        **FAMILY, "sliding_window": acted(3),
        "layer_types": acted(
            ["full_attention", "sliding_attention", "full_attention"], sliding_window=3,
            head_dim=8)},
    "qwen2": {**FAMILY, **WINDOWS},
    "qwen3": {**FAMILY, **WINDOWS, "attention_bias": acted(True)},
    "gpt2": {
        **NO_WINDOWS, **NO_ROTARY,
        "vocab_size": acted(101), "n_embd": acted(48), "hidden_size": acted(48),
        "n_layer": acted(2), "num_hidden_layers": acted(2), "n_head": acted(2),
        "num_attention_heads": acted(2), "n_positions": acted(32),
        "max_position_embeddings": acted(32), "n_inner": acted(40),
        "activation_function": acted("relu"), "layer_norm_epsilon": acted(0.5),
        "resid_pdrop": acted(0.3, "in training"), "embd_pdrop": acted(0.3, "in training"),
        "attn_pdrop": acted(0.3, "in training"), "tie_word_embeddings": acted(False),
        "scale_attn_weights": acted(False), "scale_attn_by_inverse_layer_idx": acted(True),
        "reorder_and_upcast_attn": idle(
            True, "the eager kernel's scores in float32, which they are here"),
        "add_cross_attention": refused(True),
        "pad_token_id": idle(3, "GPT-2's embedding has no row that does not learn"),
        **{key: idle(value, "of a head that summarizes, which is not used") for key, value in {
            "summary_type": "mean", "summary_use_proj": False, "summary_activation": "tanh",
            "summary_proj_to_labels": False, "summary_first_dropout": 0.5,
            "summary_last_dropout": 0.5}.items()},
        "classifier_dropout": idle(0.5, "of heads that classify"),
        "hidden_dropout": idle(0.5, "of heads that classify"),
        "attention_dropout": idle(0.5, "GPT-2 reads attn_pdrop"),
        "head_dim": idle(16, "GPT-2's heads share the hidden size"),
    },
    "bert": {
        **NO_ROTARY,
        "vocab_size": acted(101), "hidden_size": acted(48), "num_hidden_layers": acted(2),
        "num_attention_heads": acted(2), "intermediate_size": acted(56),
        "hidden_act": acted("relu"), "hidden_dropout_prob": acted(0.3, "in training"),
        "attention_probs_dropout_prob": acted(0.3, "in training"),
        "max_position_embeddings": acted(32), "type_vocab_size": acted(3),
        "layer_norm_eps": acted(0.5), "classifier_dropout": acted(0.3, "in training"),
        "is_decoder": refused(True), "add_cross_attention": refused(True),
        "position_embedding_type": refused("relative_key"),
        "is_causal": idle(False, "an encoder's tokens see all others anyway"),
        "attention_chunk_size": idle(4, "of decoders"),
        "kv_sharing_modes": idle(None, "of decoders"),
        "sliding_window": idle(3, "of decoders"), "layer_types": idle(None, "of decoders"),
        "tie_word_embeddings": acted(
            False, "whether a head of pretraining may stand for the embedding"),
        "num_labels": acted(3, id2label=None),
        "id2label": acted({"0": "a", "1": "b", "2": "c"}),
        "head_dim": idle(16, "BERT's heads share the hidden size"),
        "hidden_dropout": idle(0.5, "BERT reads hidden_dropout_prob"),
        "attention_dropout": idle(0.5, "BERT reads attention_probs_dropout_prob"),
        "eos_token_id": idle(9, "an encoder generates nothing"),
    },
}


def known(architecture):
    """Every key of an architecture that is in the table."""
    return {**COMMON, **OWN[architecture]}


# Of the object that says how rotary positions are stretched, in LLaMA's configuration.
ROTARY = {
    "rope_type": acted("linear", factor=2.0), "type": acted("linear", factor=2.0),
    "rope_theta": acted(300.0), "factor": acted(3.0, rope_type="linear"),
    "original_max_position_embeddings": acted(16, rope_type="yarn", factor=4.0),
    "attention_factor": acted(1.7, rope_type="yarn", factor=4.0),
    "beta_fast": acted(16.0, rope_type="yarn", factor=4.0),
    "beta_slow": acted(2.0, rope_type="yarn", factor=4.0),
    "mscale": acted(0.7, rope_type="yarn", factor=4.0, mscale_all_dim=0.4),
    "mscale_all_dim": acted(0.4, rope_type="yarn", factor=4.0, mscale=0.7),
    "truncate": acted(False, rope_type="yarn", factor=4.0),
    "low_freq_factor": acted(2.0, rope_type="llama3", factor=4.0, high_freq_factor=4.0),
    "high_freq_factor": acted(8.0, rope_type="llama3", factor=4.0, low_freq_factor=1.0),
    "partial_rotary_factor": refused(0.5),
    "short_factor": refused([1.0] * 4, rope_type="longrope", long_factor=[2.0] * 4),
    "long_factor": refused([2.0] * 4, rope_type="longrope", short_factor=[1.0] * 4),
    "mrope_section": idle([1, 1, 2], "of positions in pictures"),
}

GREEDY = "the token is the same however it is found"
SAMPLED = dict(do_sample=True, top_k=1)
GENERATION = {
    "max_length": acted(14), "max_new_tokens": acted(3), "min_length": refused(4),
    "min_new_tokens": acted(9), "early_stopping": acted(True, num_beams=3),
    "max_time": refused(5.0), "stop_strings": acted(None, "with a tokenizer"),
    "do_sample": acted(True, top_k=1), "num_beams": acted(3), "use_mtp": refused(True),
    "use_cache": idle(False, GREEDY), "cache_implementation": refused("quantized"),
    "cache_config": idle({"nbits": 4}, "of a cache that is refused"),
    "max_cache_len": idle(100, "the room of a cache"),
    "temperature": acted(0.7, **SAMPLED), "top_k": acted(1, do_sample=True),
    "top_p": acted(1e-6, do_sample=True), "min_p": acted(1.0, do_sample=True),
    "top_h": refused(0.5), "typical_p": refused(0.5), "epsilon_cutoff": refused(0.1),
    "eta_cutoff": refused(0.1), "repetition_penalty": acted(1.9),
    "encoder_repetition_penalty": acted(3.0), "length_penalty": acted(-2.0, num_beams=3),
    "no_repeat_ngram_size": acted(1), "encoder_no_repeat_ngram_size": acted(1),
    "bad_words_ids": refused([[5]]), "renormalize_logits": refused(True),
    "forced_bos_token_id": refused(5), "forced_eos_token_id": refused(5),
    "remove_invalid_values": refused(True),
    "exponential_decay_length_penalty": refused([3, 1.5]), "suppress_tokens": refused([5]),
    "begin_suppress_tokens": refused([5]), "sequence_bias": refused([[[5], 3.0]]),
    "token_healing": refused(True), "guidance_scale": refused(2.0),
    "watermarking_config": refused({"greenlist_ratio": 0.5}),
    "num_return_sequences": acted(2, num_beams=3),
    **{key: idle(True, OUTPUTS) for key in (
        "output_attentions", "output_hidden_states", "output_scores", "output_logits",
        "return_dict_in_generate")},
    "pad_token_id": idle(7, "fills rows behind their end"),
    "bos_token_id": idle(7, "prompts are given as they are"),
    "eos_token_id": acted([2, 9, 11]),
    "decoder_start_token_id": idle(7, "of models with an encoder"),
    "is_assistant": refused(True),
    **{key: idle(value, "of a second model, or a search that is refused") for key, value in {
        "num_assistant_tokens": 3, "num_assistant_tokens_schedule": "heuristic",
        "assistant_confidence_threshold": 0.9, "max_matching_ngram_size": 3,
        "assistant_lookbehind": 3, "target_lookbehind": 3,
        "assistant_ensemble_weight": 0.5}.items()},
    "prompt_lookup_num_tokens": refused(3), "assistant_early_exit": refused(1),
    "speculation_type": refused("dflash"),
    "compile_config": idle(None, GREEDY), "disable_compile": idle(True, GREEDY),
    "continuous_batching_config": idle(None, GREEDY),
    "prefill_chunk_size": idle(2, "the prompt's products in parts"),
    "low_memory": refused(True), "penalty_alpha": refused(0.6), "dola_layers": refused("high"),
    "diversity_penalty": refused(0.5), "num_beam_groups": refused(2),
    "constraints": refused([1]), "force_words_ids": refused([[5]]),
    "force_bos_token_to_be_generated": refused(True),
    "_from_model_config": idle(True, "who wrote the file"),
    "_commit_hash": idle("0123", "who wrote the file"),
    "transformers_version": idle("1.2.3", "who wrote the file"),
}

# --- the keys that transformers reads -------------------------------------------------------------

PACKAGE = Path(transformers.__file__).parent
_READ = re.compile(r"""(?:getattr|hasattr)\(\s*(?:[a-z_]+\.)*[a-z_]*config,\s*"(\w+)\"""")
_DOTTED = re.compile(r"""\bconfig\.([a-z_]\w*)""")
_POPPED = re.compile(r"""kwargs\.(?:pop|get)\(\s*"(\w+)\"""")
_ASKED = re.compile(r"""(?:"(\w+)" in config_dict|config_dict\["(\w+)"\])""")
# What shared code reads of any configuration.
_SHARED = ["modeling_utils.py", "masking_utils.py", "cache_utils.py", "modeling_layers.py",
           "modeling_rope_utils.py", "generation/utils.py"]
# What the classes have besides keys.
_METHODS = {name for name in dir(PreTrainedConfig) if callable(getattr(PreTrainedConfig, name))}
# Of arguments to from_pretrained, to a pipeline or a generation configuration, and of other objects.
_NO_KEYS = {
    "compile_config", "rope_interleave", "is_heterogeneous", "sub_configs", "_from_auto",
    "_from_pipeline", "attribute_map", "default_theta", "to_dict", "vision_config", "extra_files",
    "base_model_tp_plan", "base_model_pp_plan", "nested_rope_parameter_keys", "json", "get",
    "AutoConfig", "repo_id", "_eos_token_tensor", "_mask_length"}


def _found(pattern, *files):
    names = set()
    for name in files:
        for groups in pattern.findall((PACKAGE / name).read_text(encoding="utf-8")):
            names |= {groups} if isinstance(groups, str) else set(filter(None, groups))
    return names


def read_by_transformers(architecture):
    """Keys of `config.json` that transformers reads for an architecture."""
    kind = CLASSES[architecture]
    modeling = f"models/{architecture}/modeling_{architecture}.py"
    return ({item.name for item in fields(kind)} | set(kind.attribute_map)
            | _found(_READ, modeling, *_SHARED) | _found(_DOTTED, modeling)
            | _found(_POPPED, "configuration_utils.py", "modeling_rope_utils.py")
            | _found(_ASKED, "configuration_utils.py", "models/auto/configuration_auto.py")
            ) - _METHODS - _NO_KEYS - _LOADING


# Keyword arguments of `from_pretrained`, which no file gives.
_LOADING = {
    "cache_dir", "force_download", "proxies", "token", "local_files_only", "revision",
    "trust_remote_code", "subfolder", "return_unused_kwargs", "gguf_file", "commit_message",
    "_configuration_file", "code_revision"}


def generation_keys():
    """Keys of `generation_config.json` that transformers reads."""
    source = (PACKAGE / "generation/configuration_utils.py").read_text(encoding="utf-8")
    start = source.index("def __init__(self, **kwargs)")
    return (set(_POPPED.findall(source[start:source.index("def __hash__", start)]))
            | {name for name in vars(GenerationConfig()) if not name.startswith("_")})


def rotary_keys():
    return set(RopeParameters.__annotations__)
