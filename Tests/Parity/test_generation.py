"""`duallora generate` against transformers' `generate`, token by token."""

import json

import pytest
import torch
from transformers import (
    GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
    Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)
from transformers.generation import (
    LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

import harness

VOCABULARY = 96
SHAPE = dict(
    vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, intermediate_size=48, max_position_embeddings=128,
    initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=2)


def rotary(kind, **fields):
    return dict(rope_parameters={"rope_type": kind, "rope_theta": 10000.0, **fields})


# What is peculiar about a model: its class and its configuration.
MODELS = {
    "llama": (LlamaForCausalLM, LlamaConfig, {}),
    "llama, heads alone": (LlamaForCausalLM, LlamaConfig, dict(num_key_value_heads=4)),
    "llama, tied": (LlamaForCausalLM, LlamaConfig, dict(tie_word_embeddings=True)),
    "llama, biases": (LlamaForCausalLM, LlamaConfig, dict(attention_bias=True, mlp_bias=True)),
    "llama, linear": (LlamaForCausalLM, LlamaConfig, rotary("linear", factor=3.0)),
    "llama, dynamic": (
        LlamaForCausalLM, LlamaConfig,
        dict(max_position_embeddings=16, **rotary("dynamic", factor=2.0))),
    "llama, llama3": (
        LlamaForCausalLM, LlamaConfig,
        rotary("llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
               original_max_position_embeddings=16)),
    "llama, yarn": (
        LlamaForCausalLM, LlamaConfig,
        rotary("yarn", factor=4.0, original_max_position_embeddings=16)),
    "mistral, window": (MistralForCausalLM, MistralConfig, dict(sliding_window=5)),
    "mistral": (MistralForCausalLM, MistralConfig, dict(sliding_window=None)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, {}),
    "qwen2, window": (
        Qwen2ForCausalLM, Qwen2Config,
        dict(use_sliding_window=True, sliding_window=4, max_window_layers=1)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, dict(head_dim=16)),
    "gpt2": (
        GPT2LMHeadModel, GPT2Config,
        dict(n_embd=32, n_layer=2, n_head=4, n_positions=128, vocab_size=VOCABULARY,
             initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=2)),
}

# Beginning with the longest: the others are padded.
PROMPTS = harness.sequences([11, 3, 7, 1], VOCABULARY - 3, seed=5)
PROMPTS = [[token + 3 for token in row] for row in PROMPTS]


@pytest.fixture(scope="module")
def model_of(folder_of):
    """A random model and its folder, by its name in MODELS."""
    models = {}

    def get(name):
        kind, configuration, fields = MODELS[name]

        def make(folder):
            torch.manual_seed(3)
            shape = {} if kind is GPT2LMHeadModel else SHAPE
            model = kind(configuration(**{**shape, **fields})).eval()
            with torch.no_grad():
                for parameter in model.parameters():
                    if parameter.dim() == 1:
                        parameter.add_(0.2 * torch.randn(parameter.shape))
            model.save_pretrained(folder)
            models[name] = model

        folder = folder_of(("generation", name), make)
        return models[name], folder

    return get


def command(folder, rows, **options):
    """What the command prints for prompts of ids: one object a continuation."""
    words = [word for ids in rows for word in ("--ids", " ".join(map(str, ids)))]
    printed = harness.succeed("generate", *words, model=folder, json=True,
                              **{"dtype": "float32", **options})
    return [json.loads(line) for line in printed.splitlines()]


def until_stop(ids, stops):
    """A row of transformers' output without the padding behind its stop token."""
    for place, token in enumerate(ids):
        if token in stops:
            return ids[:place + 1]
    return ids


def reference(model, rows, stops=(2,), **options):
    """Continuations and, of beams, their scores, by transformers."""
    ids, mask = harness.padded(rows, 2, "left")
    with torch.no_grad():
        made = model.generate(
            ids, attention_mask=mask, eos_token_id=list(stops) or None, pad_token_id=2,
            return_dict_in_generate=True, output_scores=True, do_sample=False, **options)
    found = [until_stop(row, stops) for row in made.sequences[:, ids.shape[1]:].tolist()]
    return found, getattr(made, "sequences_scores", None)


# An option of the command, and the same of transformers.
NAMES = dict(max_tokens="max_new_tokens", min_tokens="min_new_tokens", beams="num_beams",
             no_repeat_ngram="no_repeat_ngram_size", early_stopping="early_stopping",
             length_penalty="length_penalty", repetition_penalty="repetition_penalty")
NAMES["return"] = "num_return_sequences"


def assert_same(model, folder, rows, stops=(2,), **options):
    """The command continues as transformers does, all rows as one batch and each alone."""
    harness.edit_json(folder / "generation_config.json", eos_token_id=list(stops) or None)
    if not stops:
        options["ignore_stop_tokens"] = True
    theirs = {NAMES[key]: {"true": True, "false": False}.get(value, value)
              for key, value in options.items() if key in NAMES}
    alone = [reference(model, [row], stops, **theirs) for row in rows]
    together = reference(model, rows, stops, **theirs)
    for size in (len(rows), 1):
        found = command(folder, rows, batch_size=size, **options)
        expected = together if size > 1 else (
            [ids for ids, _ in alone for ids in ids],
            None if alone[0][1] is None else torch.cat([scores for _, scores in alone]))
        assert [row["ids"] for row in found] == expected[0]
        if expected[1] is not None:
            scores = torch.tensor([row["score"] for row in found])
            assert (scores - expected[1]).abs().max() < 1e-4 * (1 + expected[1].abs().max())


@pytest.mark.parametrize("name", MODELS)
def test_greedy_is_the_same(model_of, name):
    assert_same(*model_of(name), PROMPTS, stops=(), max_tokens=24)


@pytest.mark.parametrize("name", MODELS)
def test_a_beam_search_is_the_same(model_of, name):
    assert_same(*model_of(name), PROMPTS, stops=() if "dynamic" in name else (2, 7, 11),
                max_tokens=16, beams=4, length_penalty=0.8, no_repeat_ngram=3)


STOPS = tuple(range(2, 96, 6))
GREEDY = {
    "stops": dict(stops=STOPS),
    "fewest tokens": dict(stops=STOPS, min_tokens=9),
    "repetition penalty": dict(repetition_penalty=1.7),
    "repetition reward": dict(repetition_penalty=0.6, stops=STOPS),
    "no 1-gram twice": dict(no_repeat_ngram=1),
    "no 2-gram twice": dict(no_repeat_ngram=2),
    "no 4-gram twice": dict(no_repeat_ngram=4),
    "all together": dict(
        repetition_penalty=1.2, no_repeat_ngram=2, min_tokens=5, stops=STOPS),
    "one token": dict(max_tokens=1),
}


@pytest.mark.parametrize("name", GREEDY)
def test_a_greedy_option_does_the_same(model_of, name):
    assert_same(*model_of("llama"), PROMPTS, **{"max_tokens": 24, **GREEDY[name]})


BEAMS = {
    **{f"length penalty {penalty}": dict(length_penalty=penalty) for penalty in (-1, 0, 2)},
    **{f"stopping {when}, length penalty {penalty}": dict(
        early_stopping=when, length_penalty=penalty)
       for when in ("false", "true", "never") for penalty in (0.8, 1, -0.5)},
    "two beams, one stop": dict(beams=2, stops=(2,)),
    "all returned": {"beams": 5, "return": 5, "early_stopping": "true"},
    "three returned": {"beams": 4, "return": 3},
    "ten beams": dict(beams=10, length_penalty=0.8, no_repeat_ngram=4),
    "repetition penalty": dict(repetition_penalty=1.4),
    "fewest tokens": dict(min_tokens=7),
    "many stops": dict(stops=tuple(range(2, 96, 12))),
    "one token": dict(max_tokens=1),
    "no stops": dict(stops=()),
}


@pytest.mark.parametrize("name", BEAMS)
def test_a_beam_option_does_the_same(model_of, name):
    options = {"max_tokens": 20, "beams": 3, "stops": (2, 7, 11, 30), **BEAMS[name]}
    assert_same(*model_of("llama"), PROMPTS, **options)


# --- draws: the generator is small enough to stand here -------------------------------------------

MASK = 2 ** 64 - 1


class SplitMix64:
    """The draws of one continuation."""

    def __init__(self, seed, prompt, sequence):
        self.state = seed
        self.state = self.next() ^ prompt
        self.state = self.next() ^ sequence

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def token(self, scores):
        reached = torch.softmax(scores.double(), -1).cumsum(-1)
        wanted = (self.next() >> 11) * 2.0 ** -53 * reached[-1]
        return int((reached > wanted).nonzero()[0])


def drawn(model, prompt, dice, count, warpers):
    """One continuation, drawn from what transformers' warpers leave of the distribution."""
    ids = torch.tensor([prompt])
    for _ in range(count):
        with torch.no_grad():
            scores = warpers(ids, model(ids).logits[:, -1].float())
        ids = torch.cat([ids, torch.tensor([[dice.token(scores[0])]])], 1)
    return ids[0, len(prompt):].tolist()


DRAWS = {
    "plain": (dict(temperature=1, top_k=0), []),
    "sharper": (dict(temperature=0.5, top_k=0), [TemperatureLogitsWarper(0.5)]),
    "flatter": (dict(temperature=2.5, top_k=0), [TemperatureLogitsWarper(2.5)]),
    "50 without asking": (dict(temperature=3), [TemperatureLogitsWarper(3.0), TopKLogitsWarper(50)]),
    "top 5": (dict(top_k=5), [TopKLogitsWarper(5)]),
    "more than there are": (dict(top_k=1000), [TopKLogitsWarper(1000)]),
    "top 0.6": (dict(top_p=0.6, top_k=0), [TopPLogitsWarper(0.6)]),
    "top 0.999": (dict(top_p=0.999, top_k=0, temperature=4),
                  [TemperatureLogitsWarper(4.0), TopPLogitsWarper(0.999)]),
    "top 0.001": (dict(top_p=0.001, top_k=0), [TopPLogitsWarper(0.001)]),
    "at least 0.1": (dict(min_p=0.1, top_k=0), [MinPLogitsWarper(0.1)]),
    "all together": (
        dict(repetition_penalty=1.3, temperature=2, top_k=20, top_p=0.9, min_p=0.02),
        [RepetitionPenaltyLogitsProcessor(1.3), TemperatureLogitsWarper(2.0),
         TopKLogitsWarper(20), TopPLogitsWarper(0.9), MinPLogitsWarper(0.02)]),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_from_the_reference_distribution(model_of, name):
    """Each draw inverts the distribution that transformers' warpers give, at a known number."""
    model, folder = model_of("llama")
    options, warpers = DRAWS[name]
    rows, seed, copies, count = PROMPTS[:2], 12345, 6, 6
    found = command(folder, rows, seed=seed, max_tokens=count, ignore_stop_tokens=True,
                    **{"return": copies}, **options)
    expected = [drawn(model, row, SplitMix64(seed, place, copy), count,
                      LogitsProcessorList(warpers))
                for place, row in enumerate(rows) for copy in range(copies)]
    assert [row["ids"] for row in found] == expected
    assert len({tuple(row) for row in expected}) > 1 or name == "top 0.001"


def test_the_seed_decides_and_the_batch_does_not(model_of):
    _, folder = model_of("llama")

    def texts(**options):
        return [row["ids"] for row in command(
            folder, PROMPTS, temperature=2, max_tokens=8, **options)]

    assert texts(seed=1) == texts(seed=1, batch_size=1) == texts(seed=1, batch_size=3)
    assert texts(seed=1) != texts(seed=2)
