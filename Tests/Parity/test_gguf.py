"""Compares what is read of GGUF files with transformers (`gguf_file=`), the files written by
`gguf.GGUFWriter`: configuration, tensors, token ids, chat template."""

import functools
import io
import json

import gguf
import numpy
import pytest
import sentencepiece
import transformers
from tokenizers import Regex, normalizers, pre_tokenizers
from transformers import AutoConfig, AutoTokenizer
from transformers.integrations.gguf import gguf_tokenizer_mapping

import gguf_files
import harness
from hard_texts import mixtures
from test_sentencepiece_tokenizers import corpus, hard_texts

ARCHITECTURES = ["llama", "qwen2", "qwen3", "gpt2"]


def sizes_of(architecture):
    # transformers does not read the size of a head of Qwen3, but takes it for 128.
    return dict(gguf_files.SIZES, head=128) if architecture == "qwen3" else gguf_files.SIZES


def inspect(path):
    return json.loads(harness.succeed("inspect", path, json=True))


# --- configuration --------------------------------------------------------------------------------

FIELDS = ["max_position_embeddings", "hidden_size", "intermediate_size", "num_hidden_layers",
          "num_attention_heads", "num_key_value_heads", "head_dim", "rms_norm_eps", "vocab_size",
          "tie_word_embeddings"]
GPT2_FIELDS = ["n_embd", "n_layer", "n_head", "n_positions", "layer_norm_epsilon", "vocab_size",
               "tie_word_embeddings"]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_configuration_is_that_which_transformers_reads(tmp_path, architecture, tied):
    path = tmp_path / "tiny.gguf"
    sizes = sizes_of(architecture)
    if architecture == "gpt2":
        # transformers reads no vocabulary's size there.
        sizes = dict(sizes, vocabulary=transformers.GPT2Config().vocab_size)
    gguf_files.write(path, architecture, tied=tied, sizes=sizes)
    found = inspect(path)
    expected = AutoConfig.from_pretrained(tmp_path, gguf_file=path.name)
    fields = found["configuration"]
    assert found["model_type"] == fields["model_type"] == expected.model_type
    if architecture == "gpt2":
        assert fields["n_inner"] == 4 * expected.n_embd
        wanted = GPT2_FIELDS
    else:
        assert fields["rope_theta"] == expected.rope_parameters["rope_theta"]
        wanted = FIELDS
    for name in wanted:
        if name != "head_dim" or hasattr(expected, "head_dim"):
            assert fields[name] == getattr(expected, name), name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_parameters_are_those_of_the_model_that_transformers_makes(tmp_path, architecture):
    path = tmp_path / "tiny.gguf"
    sizes = sizes_of(architecture)
    gguf_files.write(path, architecture, tied=False, sizes=sizes)
    found = inspect(path)
    config = AutoConfig.from_pretrained(tmp_path, gguf_file=path.name)
    config.vocab_size = sizes["vocabulary"]
    model = transformers.AutoModelForCausalLM.from_config(config)
    shapes = {}
    for name, parameter in model.named_parameters():
        transposed = isinstance(
            model.get_submodule(name.rpartition(".")[0]), transformers.pytorch_utils.Conv1D)
        shape = parameter.T.shape if transposed and parameter.ndim == 2 else parameter.shape
        kind = ".".join("*" if word.isdigit() else word for word in name.split("."))
        key = (kind, tuple(shape))
        shapes[key] = shapes.get(key, 0) + 1
    kinds = {(kind["name"], tuple(kind["shape"])): kind["count"] for kind in found["kinds"]}
    assert kinds == shapes
    assert found["unused"] == []


def test_biases_of_attention_are_seen_in_the_tensors(tmp_path):
    gguf_files.write(tmp_path / "tiny.gguf", "llama", biases=True)
    assert inspect(tmp_path / "tiny.gguf")["configuration"]["attention_bias"] is True


def llama3_factors(base, size, factor, low, high, length):
    """The tensor that llama.cpp's converter writes for LLaMA 3 (`generate_extra_tensors`)."""
    frequencies = 1 / base ** (numpy.arange(0, size, 2, dtype=numpy.float64) / size)
    factors = []
    for frequency in frequencies:
        wavelength = 2 * numpy.pi / frequency
        if wavelength < length / high:
            factors.append(1)
        elif wavelength > length / low:
            factors.append(factor)
        else:
            smooth = (length / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return numpy.array(factors, dtype=numpy.float32)


@pytest.mark.parametrize("rule", [(8.0, 1.0, 4.0, 8192), (32.0, 1.0, 4.0, 8192), (4.0, 1.0, 8.0, 2048)])
@pytest.mark.parametrize("size", [64, 128])
def test_the_factors_of_llama_3_are_read_as_their_rule(tmp_path, size, rule):
    path = tmp_path / "tiny.gguf"
    gguf_files.write(
        path, "llama", sizes=dict(gguf_files.SIZES, head=size),
        more=lambda writer: writer.add_tensor(
            "rope_freqs.weight", llama3_factors(50000.0, size, *rule)))
    scaling = inspect(path)["configuration"]["rope_scaling"]
    factor, low, high, length = rule
    assert scaling == {
        "rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high,
        "original_max_position_embeddings": length}


@pytest.mark.parametrize("kind,more", [("linear", {}), ("yarn", {"original": 512})])
def test_stretched_positions_are_read(tmp_path, kind, more):
    def add(writer):
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(4.0)
        if "original" in more:
            writer.add_rope_scaling_orig_ctx_len(more["original"])
    gguf_files.write(tmp_path / "tiny.gguf", "qwen2", more=add)
    scaling = inspect(tmp_path / "tiny.gguf")["configuration"]["rope_scaling"]
    assert (scaling["rope_type"], scaling["factor"]) == (kind, 4.0)
    assert scaling.get("original_max_position_embeddings") == more.get("original")


@pytest.mark.parametrize("more,words", [
    (lambda w: w.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE), ["longrope", "yarn"]),
    (lambda w: w.add_expert_count(8), ["llama.expert_count", "experts"]),
    (lambda w: w.add_value_length(8) or w.add_key_length(16), ["attention.value_length"]),
    (lambda w: w.add_tensor("rope_freqs.weight", numpy.array([1, 3, 2, 1, 5, 1, 9, 2], "float32")),
     ["rope_freqs.weight", "llama3"]),
])
def test_what_is_not_supported_is_refused_by_name(tmp_path, more, words):
    gguf_files.write(tmp_path / "tiny.gguf", "llama", more=more)
    harness.assert_refused(harness.run("inspect", tmp_path / "tiny.gguf"), "tiny.gguf", *words)


def test_another_architecture_is_refused_with_those_that_are_read(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "falcon")
    writer.add_tensor("token_embd.weight", numpy.zeros((4, 4), "float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    harness.assert_refused(
        harness.run("inspect", tmp_path / "x.gguf"), "general.architecture", "falcon",
        "llama, qwen2, qwen3, gpt2")


def test_stored_types_are_counted(tmp_path):
    kinds = gguf.GGMLQuantizationType
    gguf_files.write(
        tmp_path / "tiny.gguf", "llama", types={"attn_q.weight": kinds.Q8_0, "ffn_up.weight": kinds.Q4_1,
                                               "token_embd.weight": kinds.F16})
    reader = gguf.GGUFReader(tmp_path / "tiny.gguf")
    names = [tensor.tensor_type.name for tensor in reader.tensors]
    found = inspect(tmp_path / "tiny.gguf")
    assert found["storage"] == {name: names.count(name) for name in set(names)}
    assert found["bytes"] == sum(int(tensor.n_bytes) for tensor in reader.tensors)
    assert "2 Q4_1" in harness.succeed("inspect", tmp_path / "tiny.gguf")


def test_a_real_model_is_inspected(smollm2):
    found = inspect(smollm2)
    assert found["parameters"] == 134515008
    assert found["storage"] == {"Q4_1": 210, "F32": 61, "Q8_0": 1}
    assert found["unused"] == []


# --- tokenizers -----------------------------------------------------------------------------------


def assert_same(texts, found, expected):
    wrong = [(ascii(text)[:200], a[:40], b[:40])
             for text, a, b in zip(texts, found, expected, strict=True) if a != b]
    assert not wrong, f"{len(wrong)} of {len(texts)} differ, such as {wrong[:2]}"


def ids_of(path, texts, *options):
    return [row["ids"] for row in harness.tokenize(path, texts, *options)]


def opened(path):
    return AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


@functools.cache
def texts(count):
    """Random texts, and conversations in the model's marks among them."""
    marks = ["<|im_start|>user\n", "<|im_end|>\n", "<|endoftext|>", "<|end|>", "<|start|>", "<think>"]
    return (hard_texts(count, 3) + mixtures(count // 10, 4, pieces=marks))[:count]


def test_ids_of_a_real_model_are_those_of_transformers(smollm2):
    some = texts(10_000)
    tokenizer = opened(smollm2)
    found = harness.tokenize(smollm2, some)
    # transformers does not know the name of this model's pre-tokenizer: it does not let digits stand alone,
    # as the model's own tokenizer.json and llama.cpp do.
    plain = [not any(char.isnumeric() for char in text) for text in some]
    assert sum(plain) > 5000
    assert_same([text for text, is_plain in zip(some, plain) if is_plain],
                [row["ids"] for row, is_plain in zip(found, plain) if is_plain],
                tokenizer([text for text, is_plain in zip(some, plain) if is_plain])["input_ids"])
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    assert_same(some, [row["ids"] for row in found], tokenizer(some)["input_ids"])
    ids = [row["ids"] for row in found if row["ids"]][:2000]
    decoded = harness.answers(ids, "tokenize", "--decode", model=smollm2, stdin=True, timeout=None)
    assert [row["text"] for row in decoded] == tokenizer.batch_decode(
        ids, clean_up_tokenization_spaces=False)


PRE = ["gpt-2", "default", "llama-bpe", "tekken", "deepseek-r1-qwen", "gpt-4o", "dbrx", "smaug-bpe",
       "llama4", "pixtral"]


def split_of(pre):
    known = gguf_tokenizer_mapping.GGUF_PRE_TOKENIZER_SPLITS
    return Regex(known[pre]) if pre in known else None


@pytest.mark.parametrize("pre", PRE)
@pytest.mark.parametrize("bos,eos", [(False, None), (True, True)])
def test_ids_of_byte_pairs_are_those_of_transformers(tmp_path, pre, bos, eos):
    _, tokens, merges = gguf_files.byte_pairs(
        corpus() + ["HelloWorld iPhone 12345 3.14 ÉTÉ Été", "don't DON'T we'LL"] * 40, 900, split_of(pre))
    path = tmp_path / "tiny.gguf"
    gguf_files.write(
        path, "llama", sizes=dict(gguf_files.SIZES, vocabulary=len(tokens) + 1),
        tokenizer=lambda writer: gguf_files.add_byte_pairs(
            writer, [*tokens, "<think>"], merges, pre, user=("<think>",), bos=1, eos=0, add_bos=bos,
            add_eos=eos))
    some = texts(2000)
    expected = opened(path)(some, add_special_tokens=True)["input_ids"]
    assert_same(some, ids_of(path, some), expected)


@pytest.mark.parametrize("pre,normalizes", [("qwen2", True), ("qwen35", True)])
def test_ids_of_qwen_are_those_of_its_own_class(tmp_path, pre, normalizes):
    """The composed form, which the models' own tokenizer.json asks for, is not in transformers' reading."""
    tokenizer, tokens, merges = gguf_files.byte_pairs(
        corpus(), 900, Regex(gguf_tokenizer_mapping.GGUF_PRE_TOKENIZER_SPLITS[pre]))
    tokenizer.normalizer = normalizers.NFC()
    path = tmp_path / "tiny.gguf"
    gguf_files.write(
        path, "qwen2", sizes=dict(gguf_files.SIZES, vocabulary=len(tokens)),
        tokenizer=lambda writer: gguf_files.add_byte_pairs(writer, tokens, merges, pre))
    some = texts(2000)
    assert_same(some, ids_of(path, some), [row.ids for row in tokenizer.encode_batch(some)])


# Of llama.cpp's pattern for DeepSeek-LLM.
CASED_LETTERS = (
    "A-Za-z\xb5\xc0-\xd6\xd8-\xf6\xf8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af"
    "\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1"
    "\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5"
    "\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a"
    "\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d"
    "\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3"
    "\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115"
    "\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149"
    "\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"
    "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06"
    "\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"
    "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df"
    "\U0001e900-\U0001e943")


@pytest.mark.parametrize("pre", ["smollm", "deepseek-llm", "deepseek-coder", "deepseek-v3", "bloom", "viking",
                                 "seed-coder"])
def test_ids_of_other_patterns_are_those_of_tokenizers(tmp_path, pre):
    """Against `tokenizers` with the stages of the models' own tokenizer.json, as llama.cpp lists them."""
    han = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
    rest = (r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    letters = r"\s?[" + CASED_LETTERS + "]+"
    stages = {
        "smollm": None,
        "deepseek-llm": ["[\r\n]", letters, r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", han, r"\p{N}+"],
        "deepseek-coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", han, r"\p{N}"],
        "deepseek-v3": [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
                        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|""" + rest],
        "bloom": [r" ?[^(\s|.,!?…。，、।۔،)]+"],
        "viking": [r" ?[^(\s|.,!?…。，、।۔،)]+", r"\p{N}"],
        "seed-coder": [r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}"
                       r"| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"],
    }[pre]
    tokenizer, tokens, merges = gguf_files.byte_pairs(corpus(), 900, None, digits=pre == "smollm")
    if stages:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(stage), "isolated") for stage in stages]
            + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    path = tmp_path / "tiny.gguf"
    gguf_files.write(
        path, "llama", sizes=dict(gguf_files.SIZES, vocabulary=len(tokens)),
        tokenizer=lambda writer: gguf_files.add_byte_pairs(writer, tokens, merges, pre))
    some = texts(2000)
    assert_same(some, ids_of(path, some), [row.ids for row in tokenizer.encode_batch(some)])


def test_a_pre_tokenizer_of_no_known_name_is_refused(tmp_path):
    _, tokens, merges = gguf_files.byte_pairs(corpus(), 400, None)
    path = tmp_path / "tiny.gguf"
    gguf_files.write(
        path, "llama", sizes=dict(gguf_files.SIZES, vocabulary=len(tokens)),
        tokenizer=lambda writer: gguf_files.add_byte_pairs(writer, tokens, merges, "kimi-k2"))
    harness.assert_refused(
        harness.run("tokenize", "a", model=path), "tiny.gguf", "tokenizer.ggml.pre", "kimi-k2", "llama-bpe")


@functools.cache
def pieces(byte_fallback=True):
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()), model_writer=made, model_type="bpe", vocab_size=700,
        byte_fallback=byte_fallback, normalization_rule_name="identity", remove_extra_whitespaces=False,
        character_coverage=0.995, minloglevel=2)
    return made.getvalue()


@pytest.mark.parametrize("prefix,bos,eos", [(True, True, False), (False, False, True)])
def test_ids_of_sentencepiece_are_those_of_its_own_library(tmp_path, prefix, bos, eos):
    model = sentencepiece.SentencePieceProcessor(model_proto=pieces())
    path = tmp_path / "tiny.gguf"
    gguf_files.write(
        path, "llama", sizes=dict(gguf_files.SIZES, vocabulary=model.vocab_size()),
        tokenizer=lambda writer: gguf_files.add_pieces(
            writer, model, prefix=prefix, add_bos=bos, add_eos=eos))
    some = [text for text in texts(10_000) if "<s>" not in text and "</s>" not in text
            and "<unk>" not in text and "\0" not in text]
    proto = sentencepiece.sentencepiece_model_pb2.ModelProto.FromString(pieces())
    proto.normalizer_spec.add_dummy_prefix = prefix
    own = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    expected = own.encode(some, add_bos=bos, add_eos=eos)
    assert_same(some, ids_of(path, some), expected)


def test_ids_of_sentencepiece_are_those_of_transformers(tmp_path):
    model = sentencepiece.SentencePieceProcessor(model_proto=pieces())
    path = tmp_path / "tiny.gguf"
    gguf_files.write(
        path, "llama", sizes=dict(gguf_files.SIZES, vocabulary=model.vocab_size() + 1),
        tokenizer=lambda writer: gguf_files.add_pieces(writer, model, user=("<think>",)))
    # transformers puts no space before a text that begins with one.
    some = [text for text in texts(10_000) if text and text[0] not in " \u2581" and "\u2581" not in text
            and "\0" not in text]
    expected = opened(path)(some, add_special_tokens=True)["input_ids"]
    assert_same(some, ids_of(path, some), expected)


# --- chat templates -------------------------------------------------------------------------------

TALK = [[{"role": "user", "content": "Hello there?"}],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2+2?"},
         {"role": "assistant", "content": "4"}, {"role": "user", "content": "And 3+3?\n"}]]


def test_conversations_of_a_real_model_are_those_of_transformers(tmp_path, smollm2):
    tokenizer = opened(smollm2)
    (tmp_path / "talks.jsonl").write_text("".join(json.dumps(talk) + "\n" for talk in TALK))
    printed = harness.succeed(
        "chat-template", model=smollm2, messages=tmp_path / "talks.jsonl", json=True,
        generation_prompt=True)
    for line, talk in zip(printed.splitlines(), TALK, strict=True):
        found = json.loads(line)
        assert found["text"] == tokenizer.apply_chat_template(
            talk, tokenize=False, add_generation_prompt=True)
        assert found["ids"] == tokenizer.apply_chat_template(
            talk, add_generation_prompt=True, return_dict=True)["input_ids"]


# --- damaged files --------------------------------------------------------------------------------


def test_a_truncated_file_is_refused_by_its_name(tmp_path, smollm2):
    whole = smollm2.read_bytes()
    for count in (0, 3, 8, 24, 1000, 1_000_000, len(whole) - 1):
        (tmp_path / "cut.gguf").write_bytes(whole[:count])
        harness.assert_refused(harness.run("inspect", tmp_path / "cut.gguf"), "cut.gguf")
