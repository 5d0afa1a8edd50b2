"""Writes the goldens of whole models: small checkpoints, and what transformers makes of them.

    python3 Tests/Parity/make_model_goldens.py Tests/ModelsTests/Goldens

Each folder is a checkpoint as transformers saves it (float32, random weights, norms and biases too)
beside `case.json`, the sequences, and `expected.safetensors`, which transformers computes in float64 and
which is kept in float32:

- `hidden`, `logits`: of sequences in a batch, padded on one side;
- `loss`: the mean of -log p of each sequence's tokens but the first, or of its class;
- `gradient.NAME`: of that loss at some weights.

The outputs at padding are written as zeros: no one reads them. Needs torch and transformers.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel, LlamaConfig,
    LlamaForCausalLM)

VOCABULARY = 40
LENGTHS = [6, 2, 4]
LABELS = [2, 0, 1]


def llama():
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=32,
        initializer_range=0.3, bos_token_id=1, eos_token_id=2))


def gpt2():
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=4, n_positions=32, n_inner=24,
        initializer_range=0.3, bos_token_id=1, eos_token_id=2))


def bert():
    return BertForSequenceClassification(BertConfig(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=32, initializer_range=0.3, num_labels=3))


# The model, the side that is padded, and the weights whose gradients are kept.
MODELS = {
    "llama": (llama, "left", [
        "model.embed_tokens.weight", "model.layers.0.input_layernorm.weight",
        "model.layers.0.self_attn.k_proj.weight", "model.layers.0.mlp.gate_proj.weight",
        "model.layers.1.self_attn.o_proj.weight", "model.layers.1.mlp.down_proj.weight",
        "model.norm.weight"]),
    "gpt2": (gpt2, "left", [
        "transformer.wte.weight", "transformer.wpe.weight", "transformer.h.0.attn.c_attn.weight",
        "transformer.h.0.attn.c_attn.bias", "transformer.h.1.mlp.c_proj.weight",
        "transformer.ln_f.bias"]),
    "bert": (bert, "right", [
        "bert.embeddings.word_embeddings.weight", "bert.embeddings.token_type_embeddings.weight",
        "bert.encoder.layer.0.attention.self.query.weight",
        "bert.encoder.layer.1.output.dense.weight", "bert.encoder.layer.1.output.LayerNorm.weight",
        "bert.pooler.dense.weight", "classifier.weight"]),
}


def make(name):
    """A random model; norms and biases are random too."""
    build, _, _ = MODELS[name]
    torch.manual_seed(sum(map(ord, name)))
    model = build().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def padded(rows, side, filler=0):
    length = max(map(len, rows))
    more = [[filler] * (length - len(row)) for row in rows]
    return torch.tensor([row + m if side == "right" else m + row for row, m in zip(rows, more)])


def outputs(model, rows, side):
    """Hidden states and logits of padded rows, by transformers."""
    is_encoder = model.config.model_type == "bert"
    mask = padded([[1] * len(row) for row in rows], side)
    inputs = dict(input_ids=padded(rows, side), attention_mask=mask)
    if is_encoder:
        inputs["token_type_ids"] = padded([types(row) for row in rows], side)
    else:
        inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    out = model(**inputs, output_hidden_states=True)
    tokens = mask[..., None].double()
    return {"hidden": out.hidden_states[-1] * tokens,
            "logits": out.logits if is_encoder else out.logits * tokens}


def types(row):
    """The second half of each sequence is of the second type."""
    return [int(place >= len(row) // 2) for place in range(len(row))]


def loss(model, rows):
    """The mean of -log p of each sequence's tokens but the first, or of its class."""
    if model.config.model_type == "bert":
        logits = torch.cat([model(
            input_ids=torch.tensor([row]), token_type_ids=torch.tensor([types(row)])).logits
            for row in rows])
        return torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS))
    logits = torch.cat([model(input_ids=torch.tensor([row])).logits[0, :-1] for row in rows])
    labels = torch.tensor([token for row in rows for token in row[1:]])
    return torch.nn.functional.cross_entropy(logits, labels)


def expected(model, name):
    _, side, weights = MODELS[name]
    torch.manual_seed(7)
    rows = [torch.randint(1, VOCABULARY, (length,)).tolist() for length in LENGTHS]
    model = model.double()
    with torch.no_grad():
        tensors = outputs(model, rows, side)
    value = loss(model, rows)
    value.backward()
    parameters = dict(model.named_parameters())
    tensors["loss"] = value.detach()
    tensors |= {f"gradient.{weight}": parameters[weight].grad for weight in weights}
    tensors = {key: tensor.float().contiguous() for key, tensor in tensors.items()}
    return tensors, dict(
        rows=rows, types=[types(row) for row in rows], labels=LABELS, side=side)


def write(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = make(name)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    tensors, case = expected(model, name)
    save_file(tensors, folder / "expected.safetensors", dict(format="pt"))
    (folder / "case.json").write_text(json.dumps(case) + "\n")


if __name__ == "__main__":
    for name in MODELS:
        write(name, pathlib.Path(sys.argv[1]) / name)
