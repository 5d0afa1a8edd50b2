"""`duallora generate` against transformers' `generate`, token by token."""

import json
import shutil

import peft
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoTokenizer, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig,
    MistralForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
    Qwen3ForCausalLM)
from transformers.generation import (
    LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

import harness
from splitmix import SplitMix64

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


def assert_same(model, folder, rows, stops=(2,), alone=False, **options):
    """The command continues as transformers does: all rows as one batch, or each alone."""
    harness.edit_json(folder / "generation_config.json", eos_token_id=list(stops) or None)
    if not stops:
        options["ignore_stop_tokens"] = True
    theirs = {NAMES[key]: {"true": True, "false": False}.get(value, value)
              for key, value in options.items() if key in NAMES}
    made = [reference(model, part, stops, **theirs) for part in ([[row] for row in rows] if alone
                                                                  else [rows])]
    found = command(folder, rows, batch_size=1 if alone else len(rows), **options)
    assert [row["ids"] for row in found] == [ids for continued, _ in made for ids in continued]
    if made[0][1] is not None:
        scores = torch.tensor([row["score"] for row in found])
        expected = torch.cat([scores for _, scores in made])
        assert (scores - expected).abs().max() < 1e-4 * (1 + expected.abs().max())


@pytest.mark.parametrize("name", MODELS)
def test_greedy_is_the_same(model_of, name):
    assert_same(*model_of(name), PROMPTS, stops=(), max_tokens=24)


@pytest.mark.parametrize("name", ["llama", "llama, dynamic", "mistral, window", "qwen2, window", "gpt2"])
def test_greedy_is_the_same_alone(model_of, name):
    assert_same(*model_of(name), PROMPTS, stops=(), alone=True, max_tokens=24)


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


@pytest.mark.parametrize("name", ["stopping never, length penalty 1", "all returned"])
def test_a_prompt_alone_does_the_same(model_of, name):
    options = {"max_tokens": 20, "beams": 3, "stops": (2, 7, 11, 30), **BEAMS[name]}
    assert_same(*model_of("llama"), PROMPTS, alone=True, **options)


def test_an_adapter_takes_part(model_of, tmp_path):
    """A LoRA of peft: the adapted model continues otherwise, and as peft says."""
    model, folder = model_of("llama")
    base = LlamaForCausalLM.from_pretrained(folder)
    adapted = peft.get_peft_model(base, peft.LoraConfig(
        r=4, target_modules=["q_proj", "v_proj", "up_proj"], init_lora_weights=False))
    adapted.eval().save_pretrained(tmp_path)
    options = dict(max_tokens=16, ignore_stop_tokens=True)
    found = [row["ids"] for row in command(folder, PROMPTS, adapter=tmp_path, **options)]
    assert found == reference(adapted, PROMPTS, (), max_new_tokens=16)[0]
    assert found != [row["ids"] for row in command(folder, PROMPTS, **options)]


# --- draws ----------------------------------------------------------------------------------------

class Draws(SplitMix64):
    """The draws of one continuation."""

    def __init__(self, seed, prompt, sequence):
        super().__init__(seed)
        self.state = self.next() ^ prompt
        self.state = self.next() ^ sequence

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
    expected = [drawn(model, row, Draws(seed, place, copy), count,
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


# --- texts ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def texts(folder_of):
    """A GPT-2 of random weights with a tokenizer of bytes, some of them merged."""
    def make(folder):
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        words = [*alphabet, "Ġa", "th", "Ġb", "he"]
        tokenizer = Tokenizer(models.BPE(
            vocab={**{word: i for i, word in enumerate(words)}, "<|end|>": len(words)},
            merges=[("Ġ", "a"), ("t", "h"), ("Ġ", "b"), ("h", "e")]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(["<|end|>"])
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>").save_pretrained(
            folder)
        torch.manual_seed(4)
        GPT2LMHeadModel(GPT2Config(
            n_embd=32, n_layer=2, n_head=4, n_positions=32, vocab_size=len(words) + 1,
            initializer_range=0.3, bos_token_id=None, eos_token_id=len(words),
            pad_token_id=len(words))).eval().save_pretrained(folder)

    return folder_of("generation texts", make)


def continued(folder, *prompts, **options):
    words = [word for prompt in prompts for word in ("--prompt", prompt)]
    return harness.succeed("generate", *words, model=folder,
                           **{"dtype": "float32", "max_tokens": 12, **options})


def test_texts_are_those_of_the_reference(texts):
    tokenizer = AutoTokenizer.from_pretrained(texts)
    model = GPT2LMHeadModel.from_pretrained(texts)
    prompts = ["the cat", "a", "the end of a b é"]
    printed = [json.loads(line) for line in continued(
        texts, *prompts, json=True, temperature=0).splitlines()]
    rows = [tokenizer(prompt)["input_ids"] for prompt in prompts]
    stop = tokenizer.eos_token_id
    ids, mask = harness.padded(rows, stop, "left")
    made = model.generate(ids, attention_mask=mask, max_new_tokens=12, do_sample=False)
    for prompt, row, line in zip(prompts, made[:, ids.shape[1]:].tolist(), printed):
        assert line["prompt"] == prompt and line["ids"] == until_stop(row, [stop])
        assert line["text"] == tokenizer.decode(line["ids"], skip_special_tokens=True)
        assert line["tokens"] == len(line["ids"])
        assert line["finish"] == ("stop-token" if stop in row else "length")


def test_a_streamed_text_is_the_whole_text(texts):
    for prompt in ("the cat", "é"):
        whole = json.loads(continued(texts, prompt, json=True))["text"]
        assert continued(texts, prompt) == whole + "\n"
        assert continued(texts, prompt, echo=True) == prompt + whole + "\n"


def test_prompts_come_from_a_file_and_stop_on_their_own(texts, tmp_path):
    prompts = ["the cat", "a", "b c"]
    (tmp_path / "prompts.txt").write_text("\n".join(prompts) + "\n")
    whole = [json.loads(line)["text"]
             for line in continued(texts, *prompts, json=True).splitlines()]
    stop = whole[0][4:6]
    found = [json.loads(line) for line in harness.succeed(
        "generate", model=texts, prompts=tmp_path / "prompts.txt", dtype="float32", max_tokens=12,
        stop=stop, json=True).splitlines()]
    assert [line["text"] for line in found] == [text.split(stop)[0] for text in whole]
    assert found[0]["finish"] == "stop-string"


def test_the_folder_decides_what_is_not_said(texts, tmp_path):
    folder = shutil.copytree(texts, tmp_path / "model")
    harness.edit_json(folder / "generation_config.json", max_new_tokens=3, do_sample=True,
                      temperature=5.0, repetition_penalty=1.3, eos_token_id=[300, 301])

    def lines(**options):
        words = ("--prompt", "the cat")
        return harness.succeed("generate", *words, model=folder, dtype="float32", json=True,
                               **options)

    assert len(json.loads(lines())["ids"]) == 3
    assert lines(seed=1, max_tokens=8) != lines(seed=2, max_tokens=8)
    assert lines(seed=1, temperature=0) == lines(seed=2, temperature=0)


REFUSED = {
    "num_beam_groups": 2, "diversity_penalty": 0.5, "penalty_alpha": 0.6, "typical_p": 0.9,
    "suppress_tokens": [3], "begin_suppress_tokens": [3], "sequence_bias": [[[3], 1.0]],
    "bad_words_ids": [[3]], "forced_eos_token_id": 3, "guidance_scale": 1.5, "min_length": 4,
    "renormalize_logits": True, "temperature": "hot", "top_p": 1.5, "top_k": -1, "eos_token_id": "x",
    "early_stopping": "soon", "max_new_tokens": 0, "do_sample": 1,
}


@pytest.mark.parametrize("field", REFUSED)
def test_a_field_that_cannot_be_followed_is_refused(texts, tmp_path, field):
    folder = shutil.copytree(texts, tmp_path / "model")
    harness.edit_json(folder / "generation_config.json", **{field: REFUSED[field]})
    harness.assert_refused(
        harness.run("generate", model=folder, prompt="a"), "generation_config.json", field)


WRONG = {
    "more than the positions": (dict(prompt="the cat", max_tokens=40), ["--max-tokens", "40", "32"]),
    "prompt longer than the positions": (dict(prompt="a" * 40), ["40", "32"]),
    "empty prompt": (dict(prompt=""), ["prompt 1", "no tokens"]),
    "ids outside the vocabulary": (dict(ids="1 999"), ["999", "vocabulary"]),
    "beams that draw": (dict(prompt="a", beams=2, temperature=1), ["--beams", "sampling"]),
    "more returned than beams": (dict(prompt="a", beams=2, **{"return": 3}), ["--return", "--beams"]),
    "several greedy texts": (dict(prompt="a", **{"return": 2}), ["--return"]),
    "too many beams": (dict(prompt="a", beams=900), ["--beams", "900"]),
    "no beams": (dict(prompt="a", beams=0), ["--beams"]),
    "no tokens": (dict(prompt="a", max_tokens=0), ["--max-tokens"]),
    "fewest above most": (dict(prompt="a", max_tokens=2, min_tokens=3), ["--min-tokens"]),
    "negative temperature": (dict(prompt="a", temperature=-1), ["--temperature"]),
    "share of 0": (dict(prompt="a", top_p=0), ["--top-p"]),
    "share above 1": (dict(prompt="a", min_p=1.5), ["--min-p"]),
    "penalty of 0": (dict(prompt="a", repetition_penalty=0), ["--repetition-penalty"]),
    "endless length penalty": (dict(prompt="a", length_penalty="inf"), ["--length-penalty"]),
    "empty stop": (dict(prompt="a", stop=""), ["--stop"]),
    "no file of prompts": (dict(prompts="nowhere.txt"), ["nowhere.txt"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_generated_is_refused(texts, name):
    options, words = WRONG[name]
    harness.assert_refused(harness.run("generate", model=texts, **options), *words)


def test_kinds_of_prompts_do_not_mix(texts):
    for options in ({}, dict(prompt="a", ids="1")):
        harness.assert_refused(
            harness.run("generate", model=texts, **options), "--prompt", usage=True)


def test_an_encoder_generates_nothing(encoder):
    harness.assert_refused(harness.run("generate", model=encoder, ids="1 2"), "decoder")
