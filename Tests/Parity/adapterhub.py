"""Training with AdapterHub's `adapters`, in a process of its own: it needs an older transformers.

A line of JSON on standard input is a run: a model's folder, the class and the fields of an adapter's
configuration, where each tensor that trains is to be found, what it starts from, and the batch. The
answer is a line with a record for every step; the trained tensors are written under the names that they
have here.
"""

import json
import os
import pathlib
import sys
import traceback

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.append(str(
    (pathlib.Path(__file__).resolve().parents[2] / ".libtorch" / "torch").resolve().parent))

import adapters
import torch
import transformers
from adapters.methods.modeling import ParallelAdapter
from adapters.methods.reft import ReftUnit
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

import training_loop

transformers.logging.set_verbosity_error()
NAME = "it"


class Beside(torch.nn.Module):
    """A square layer with a parallel adapter, which the package itself has beside whole branches."""

    def __init__(self, layer, size, config):
        super().__init__()
        self.layer = layer
        width = layer.weight.shape[0]
        assert layer.weight.shape == (width, width)
        self.adapter = ParallelAdapter(NAME, width, size, config)

    def forward(self, x):
        return self.layer(x) + self.adapter(x, None)[0]


def with_adapter(job):
    kind = AutoModelForCausalLM if job["is_decoder"] else AutoModelForSequenceClassification
    # With masks of true and false, as the fused attention has them, `adapters` hides prefixes.
    model = kind.from_pretrained(
        job["base"], dtype=torch.float32, attn_implementation="eager").eval()
    config = getattr(adapters, job["class"])(**job["config"])
    if beside := job.get("beside"):
        for path in beside["paths"]:
            parent, name = path.rsplit(".", 1)
            parent = model.get_submodule(parent)
            setattr(parent, name, Beside(getattr(parent, name), beside["size"], config))
    else:
        adapters.init(model)
        model.add_adapter(NAME, config=config)
        model.set_active_adapters(NAME)
    for module in list(model.modules()):
        if isinstance(module, ReftUnit):
            rank, size = module.projection.weight.shape
            module.projection = torch.nn.Linear(size, rank, bias=False)
            kind = training_loop.Orthonormal if module.orthogonal else training_loop.Turned
            torch.nn.utils.parametrize.register_parametrization(
                module.projection, "weight", kind(), unsafe=True)
    return model.double().eval()


def train(job):
    """Trains the tensors that the job names; the records."""
    model = with_adapter(job)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    start, trained = load_file(job["start"]), {}
    for here, there in job["names"].items():
        trained[here] = model.get_parameter(there)
        trained[here].requires_grad_(True)
        with torch.no_grad():
            trained[here].copy_(start[here].reshape(trained[here].shape))
    assert start.keys() == trained.keys()
    batch = load_file(job["batch"])
    labels = batch.pop("labels")
    records = training_loop.plain_loop(model, batch, labels, **job["loop"])
    save_file({name: value.detach().reshape(start[name].shape).contiguous()
               for name, value in trained.items()}, job["output"])
    return records


if __name__ == "__main__":
    for line in sys.stdin:
        try:
            answer = {"records": train(json.loads(line))}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
