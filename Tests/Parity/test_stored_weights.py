"""Models whose weights are stored in fewer bits: GGUF files against transformers (`gguf_file=`), which
dequantises them, and `--quantize` against `gguf.quants` and QLoRA's table."""

import json

import gguf
import numpy
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import decoders
import gguf_files
import harness
from plain_text import base, text

FORMATS = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "BF16"]
# Their rows are blocks of 256, and `gguf.quants` only reads them.
READ_ONLY = ["Q4_K", "Q5_K", "Q6_K"]
SIZES = dict(gguf_files.SIZES, head=16, ff=96)
SEQUENCES = harness.sequences([13, 3, 7], vocabulary=SIZES["vocabulary"], seed=3)
METHODS = ["lora", "dora", "hira", "dual-lora", "vera", "loreft"]


def kind(name):
    return gguf.GGMLQuantizationType[name]


def opened(path, **options):
    return AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, **options).eval()


def compare(place, path, model, sequences, **options):
    logits, _, mask = decoders.logits(model, sequences, "left")
    found = harness.forward(place, path, sequences, padding="left", dtype="float32", **options)
    harness.assert_close({"logits": found["logits"][mask]}, {"logits": logits[mask]})


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gpt2"])
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("tied", [True, False])
def test_logits_of_every_type_are_those_of_transformers(tmp_path, architecture, name, tied):
    path = tmp_path / "tiny.gguf"
    sizes = SIZES
    if architecture == "gpt2":
        sizes = dict(SIZES, vocabulary=50257)
    gguf_files.write(
        path, architecture, tied=tied, sizes=sizes, types={".weight": kind(name)}
        if name in ("F16", "BF16") else {
            end: kind(name) for end in (
                "attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_qkv.weight",
                "attn_output.weight", "ffn_up.weight", "ffn_gate.weight", "ffn_down.weight",
                "token_embd.weight", "output.weight")})
    compare(tmp_path, path, opened(path), SEQUENCES)


@pytest.mark.parametrize("name", READ_ONLY)
def test_logits_of_super_blocks_are_those_of_transformers(tmp_path, name):
    sizes = dict(SIZES, hidden=256, heads=4, kv_heads=2, head=64, ff=512)
    plain, path = tmp_path / "plain" / "tiny.gguf", tmp_path / "tiny.gguf"
    plain.parent.mkdir()
    gguf_files.write(plain, "llama", sizes=sizes)
    dice = numpy.random.default_rng(5)
    reader = gguf.GGUFReader(plain)
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        writer.add_key_value(field.name, field.contents(), field.types[0])
    # Scales of 6 bits, of 6 bits, of 8 bits.
    places, scales = {"Q4_K": ([0, 2], (2e-4, 6e-4)), "Q5_K": ([0, 2], (1e-4, 3e-4)),
                      "Q6_K": ([208], (2e-5, 6e-5))}[name]
    size, count = gguf.GGML_QUANT_SIZES[kind(name)]
    for tensor in reader.tensors:
        shape = tensor.shape[::-1]
        if len(shape) < 2:
            writer.add_tensor(tensor.name, tensor.data)
            continue
        blocks = dice.integers(0, 256, (shape.prod() // size, count), dtype=numpy.uint8)
        for place in places:
            halves = dice.uniform(*scales, len(blocks)).astype(numpy.float16)
            blocks[:, place:place + 2] = halves.view(numpy.uint8).reshape(-1, 2)
        writer.add_tensor(tensor.name, blocks.reshape(shape[0], -1), raw_dtype=kind(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    compare(tmp_path, path, opened(path), SEQUENCES)


def test_logits_of_a_real_model_are_those_of_transformers(tmp_path, smollm2):
    model = opened(smollm2)
    compare(tmp_path, smollm2, model, harness.sequences([40, 9, 1], vocabulary=49152, seed=2))


QUESTIONS = ["What is the capital of France?", "Name three colours.", "Why is the sky blue?"]


def test_greedy_answers_of_a_real_model_are_those_of_transformers(tmp_path, smollm2):
    tokenizer = AutoTokenizer.from_pretrained(smollm2.parent, gguf_file=smollm2.name)
    model = opened(smollm2)
    talks = [[{"role": "user", "content": question}] for question in QUESTIONS]
    (tmp_path / "talks.jsonl").write_text("".join(json.dumps(talk) + "\n" for talk in talks))
    found = harness.succeed(
        "generate", "--json", model=smollm2, messages=tmp_path / "talks.jsonl", dtype="float32",
        max_tokens=24)
    for talk, line in zip(talks, found.splitlines(), strict=True):
        ids = tokenizer.apply_chat_template(
            talk, add_generation_prompt=True, return_tensors="pt", return_dict=False)
        with torch.no_grad():
            answer = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False)
        expected = [token for token in answer[0, ids.shape[1]:].tolist()]
        assert json.loads(line)["ids"] == expected


# --- training -------------------------------------------------------------------------------------

LINEARS = ["attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight",
           "ffn_up.weight", "ffn_gate.weight", "ffn_down.weight"]


def with_tokenizer(path, architecture="llama"):
    """A small model in Q4_1 with a vocabulary of its text, and its dequantised copy as a folder."""
    _, tokens, merges = gguf_files.byte_pairs(text(200, 1).splitlines(), 300, None)
    pre = {"llama": "gpt-2", "qwen2": "qwen2"}[architecture]
    gguf_files.write(
        path, architecture, sizes=dict(SIZES, vocabulary=len(tokens)),
        types={end: kind("Q4_1") for end in LINEARS},
        tokenizer=lambda writer: gguf_files.add_byte_pairs(writer, tokens, merges, pre))
    folder = path.parent / "plain"
    model = opened(path)
    # transformers keeps that the file was quantised, and saves no such model.
    del model.hf_quantizer, model.config.quantization_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_training_on_blocks_is_training_on_their_numbers(tmp_path, method):
    path = tmp_path / "tiny.gguf"
    folder = with_tokenizer(path)
    (tmp_path / "train.txt").write_text(text(200, 1))
    losses = {}
    for name, model in (("blocks", path), ("numbers", folder)):
        output = tmp_path / name
        harness.train(
            model, tmp_path / "train.txt", output, task="text", method=method, dtype="float32",
            steps=12, batch_size=8, max_length=32, learning_rate=1e-2, seed=3, logging_steps=1)
        steps, _ = harness.log_of(output)
        losses[name] = [step["loss"] for step in steps]
    assert losses["blocks"][-1] < losses["blocks"][0]
    for found, expected in zip(losses["blocks"], losses["numbers"], strict=True):
        assert abs(found - expected) < 1e-4
    found, expected = (
        load_file(tmp_path / name / "adapter_model.safetensors") for name in ("blocks", "numbers"))
    harness.assert_close(found, expected, 1e-2)


# --- quantised while it is read -------------------------------------------------------------------

# Dettmers et al. 2023, QLoRA, appendix E.
NORMAL_FLOATS = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1.0])


def rounded(weight, name):
    """The numbers of a weight's blocks."""
    weight = weight.float().contiguous()
    if name == "nf4":
        blocks = weight.reshape(-1, 64)
        scale = blocks.abs().amax(dim=1, keepdim=True)
        nearest = ((blocks / scale).unsqueeze(2) - NORMAL_FLOATS).abs().argmin(dim=2)
        return (NORMAL_FLOATS[nearest] * scale).reshape(weight.shape)
    quants = gguf.quants.quantize(weight.numpy(), kind(name.upper()))
    return torch.from_numpy(gguf.quants.dequantize(quants, kind(name.upper())))


def quantised_copy(folder, copy, name):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    body = model.transformer if hasattr(model, "transformer") else model.model
    with torch.no_grad():
        for path, module in body.named_modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.copy_(rounded(module.weight, name))
            elif type(module).__name__ == "Conv1D":
                module.weight.copy_(rounded(module.weight.T, name).T)
    model.save_pretrained(copy)
    return model.eval()


@pytest.mark.parametrize("name", ["q8_0", "q4_0", "nf4"])
@pytest.mark.parametrize("architecture", ["llama-grouped", "gpt2"])
def test_a_model_that_is_quantised_says_what_its_dequantised_copy_says(
        tmp_path, architecture, name):
    sizes = dict(n_embd=64) if architecture == "gpt2" else dict(
        hidden_size=64, intermediate_size=128, head_dim=16)
    decoders.make(architecture, tmp_path / "model", **sizes)
    model = quantised_copy(tmp_path / "model", tmp_path / "copy", name)
    sequences = harness.sequences([13, 3, 7], vocabulary=decoders.VOCABULARY, seed=3)
    logits, _, mask = decoders.logits(model, sequences, "left")
    plain = harness.forward(
        tmp_path, tmp_path / "model", sequences, padding="left", dtype="float32")["logits"]
    found = harness.forward(
        tmp_path, tmp_path / "model", sequences, padding="left", dtype="float32", quantize=name)
    harness.assert_close({"logits": found["logits"][mask]}, {"logits": logits[mask]})
    assert not torch.allclose(found["logits"][mask], plain[mask], atol=1e-4)


@pytest.mark.parametrize("name", ["q8_0", "nf4"])
def test_a_merge_into_a_quantised_base_says_what_the_adapted_one_says(tmp_path, name):
    base(tmp_path / "model", "llama-grouped", hidden_size=64, intermediate_size=128)
    (tmp_path / "train.txt").write_text(text(200, 1))
    harness.train(
        tmp_path / "model", tmp_path / "train.txt", tmp_path / "out", task="text", method="lora",
        dtype="float32", steps=10, batch_size=8, max_length=32, learning_rate=1e-2, quantize=name)
    said = json.loads(harness.succeed(
        "merge", "--json", model=tmp_path / "model", adapter=tmp_path / "out",
        output=tmp_path / "merged", quantize=name, dtype="float32"))
    assert said["dtype"] == "float32" and said["largest_difference"] < 1e-4
    narrow = json.loads(harness.succeed(
        "merge", "--json", model=tmp_path / "model", adapter=tmp_path / "out",
        output=tmp_path / "narrow", quantize=name))
    assert narrow["dtype"] == "bfloat16"


# --- written as GGUF ------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["f32", "f16", "bf16", "q8_0", "q4_0"])
@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_a_merged_file_opens_in_transformers_and_in_ggufs_reader(tmp_path, architecture, name):
    path = tmp_path / "tiny.gguf"
    with_tokenizer(path, architecture)
    (tmp_path / "train.txt").write_text(text(200, 1))
    harness.train(
        path, tmp_path / "train.txt", tmp_path / "out", task="text", method="dual-lora",
        dtype="float32", steps=10, batch_size=8, max_length=32, learning_rate=1e-2)
    said = json.loads(harness.succeed(
        "merge", "--json", model=path, adapter=tmp_path / "out", output=tmp_path / "merged.gguf",
        format="gguf", type=name))
    assert said["dtype"] == name and (said["lost"] < 1e-6) == (name == "f32")
    harness.succeed(
        "merge", model=path, adapter=tmp_path / "out", output=tmp_path / "merged", dtype="float32")
    merged = tmp_path / "merged.gguf"
    kinds = {str(tensor.name): tensor.tensor_type for tensor in gguf.GGUFReader(merged).tensors}
    assert kinds["blk.0.ffn_down.weight"] == kind(name.upper())
    assert kinds["output_norm.weight"] == kind("F32")
    model = opened(merged)
    compare(tmp_path, merged, model, SEQUENCES)
    logits, _, mask = decoders.logits(model, SEQUENCES, "left")
    exact = harness.forward(
        tmp_path, tmp_path / "merged", SEQUENCES, padding="left", dtype="float32")["logits"]
    limit = {"f32": 1e-5, "f16": 2e-3, "bf16": 2e-2, "q8_0": 3e-2, "q4_0": 0.5}[name]
    assert harness.relative_error(logits[mask], exact[mask]) < limit
    here = harness.succeed("tokenize", "dogs do sleep .", model=merged)
    assert here == harness.succeed("tokenize", "dogs do sleep .", model=tmp_path / "merged")
    done = harness.run(
        "merge", model=path, adapter=tmp_path / "out", output=merged, format="gguf", type=name)
    harness.assert_refused(done, "merged.gguf", "--overwrite")


def test_a_type_goes_with_its_format(tmp_path):
    done = harness.run("merge", model=tmp_path, adapter=tmp_path, output=tmp_path, type="q8_0")
    harness.assert_refused(done, "--type", "gguf")


@pytest.mark.parametrize("method", ["full", "galore"])
def test_a_method_that_trains_the_weights_refuses_blocks_by_name(tmp_path, method):
    base(tmp_path / "model", "llama-grouped", hidden_size=64, intermediate_size=128)
    (tmp_path / "train.txt").write_text(text(200, 1))
    done = harness.run(
        "train", model=tmp_path / "model", data=tmp_path / "train.txt", output=tmp_path / "out",
        task="text", method=method, quantize="q8_0", max_length=32)
    harness.assert_refused(done, method, "q8_0", "frozen", running=True)
    assert not (tmp_path / "out" / "result.json").exists()


def test_a_weight_whose_rows_are_no_whole_blocks_stays_and_is_named(tmp_path):
    decoders.make("llama-grouped", tmp_path / "model", hidden_size=64, intermediate_size=96)
    done = harness.run(
        "forward", "--ids", "1 2 3", model=tmp_path / "model", output=tmp_path / "logits.safetensors",
        quantize="nf4")
    assert done.returncode == 0
    assert "blocks of 64 numbers: " in done.stderr and "down_proj.weight" in done.stderr


def test_a_format_that_numbers_are_not_quantised_to_is_refused(tmp_path):
    done = harness.run("generate", model=tmp_path, prompt="x", quantize="q4_K")
    harness.assert_refused(done, "q4_K", usage=True)
