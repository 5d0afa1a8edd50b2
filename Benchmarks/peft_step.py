"""One training step of transformers and PEFT: the other side of `duallora bench`.

Makes a decoder of random weights from a config.json, takes optimizer steps on one batch of random
tokens, two of which are not timed, and prints one line of JSON with the fields of `duallora bench`.
`dual-naive` is Dual LoRA by the paper's equations as one writes them in PyTorch, for autograd to
differentiate.

    python3 Benchmarks/peft_step.py --config config.json --method lora [--compile]

Needs torch, transformers and peft; training_step.py finds those that set-up has fetched.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from torch.nn.functional import linear  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

WARM_UP_STEPS = 2


class Sign(torch.autograd.Function):
    """1 above 0, else -1; the gradient passes straight through, clipped."""

    @staticmethod
    def forward(context, x):
        return torch.where(x > 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(context, gradient):
        return gradient.clamp(-1, 1)


class DualNaive(torch.nn.Module):
    def __init__(self, base, rank):
        super().__init__()
        self.base = base
        for name in "AC":
            setattr(self, name, torch.nn.Parameter(torch.randn(rank, base.in_features) * 0.02))
        for name in "BD":
            setattr(self, name, torch.nn.Parameter(torch.randn(base.out_features, rank) * 0.02))

    def forward(self, x):
        update = torch.relu(self.B @ self.A) * Sign.apply(self.D @ self.C)
        return linear(x, (self.base.weight + update).to(x.dtype), self.base.bias)


def adapt(model, options):
    targets = options.targets.split(",")
    if options.method == "lora":
        import peft
        return peft.get_peft_model(model, peft.LoraConfig(
            r=options.rank, lora_alpha=2 * options.rank, target_modules=targets))
    if options.method == "dual-naive":
        model.requires_grad_(False)
        for path, module in list(model.named_modules()):
            if isinstance(module, torch.nn.Linear) and path.split(".")[-1] in targets:
                # Half of the rank for each group: as many numbers as LoRA's.
                model.set_submodule(path, DualNaive(module, options.rank // 2))
    return model


def measure(model, ids, options):
    """Milliseconds of each step."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    times = []
    for _ in range(WARM_UP_STEPS + options.steps):
        start = time.perf_counter()
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=options.dtype == "bfloat16"):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if ids.device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return times[WARM_UP_STEPS:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--method", default="lora", choices=["full", "lora", "dual-naive"])
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--targets", default="q_proj,k_proj,v_proj,up_proj,down_proj")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        **json.loads(pathlib.Path(options.config).read_text()), use_cache=False)
    model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, options.dtype))
    model = adapt(model, options).train().to(options.device)
    trainable = sum(part.numel() for part in model.parameters() if part.requires_grad)
    ids = torch.randint(config.vocab_size, (options.batch, options.length)).to(options.device)
    times = measure(torch.compile(model) if options.compile else model, ids, options)
    median = statistics.median(times)
    print(json.dumps({
        "tool": "peft+compile" if options.compile else "peft",
        "method": options.method,
        "config": os.path.basename(options.config),
        "batch": options.batch,
        "length": options.length,
        "dtype": options.dtype,
        "threads": options.threads,
        "median_ms": round(median, 1),
        "min_ms": round(min(times), 1),
        "max_ms": round(max(times), 1),
        "tokens_per_s": round(options.batch * options.length / median * 1000, 1),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "trainable": trainable,
    }))


if __name__ == "__main__":
    main()
