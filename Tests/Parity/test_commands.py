"""What holds for every command: its help, what a shell completes, what other programs' names are
answered with, and the numbers that `duallora methods` counts."""

import fcntl
import json
import os
import pty
import shlex
import shutil
import struct
import subprocess
import termios

import pytest

import decoders
import harness
import plain_text

COMMANDS = ["train", "evaluate", "merge", "convert", "generate", "pretrain", "inspect", "inspect-data",
            "forward", "tokenize", "score", "chat-template", "methods", "bench", "demo"]
METHODS = [
    "full", "lora", "lora-plus", "dora", "hira", "mora", "flora", "randlora", "vera", "corda",
    "delta-lora", "galore", "garare", "adapter-l", "adapter-p", "prefix", "prompt", "p-tuning",
    "loreft", "dual-lora"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    text = harness.succeed(command, help=True)
    assert "Example:" in text and f"duallora {command}" in text


def test_the_help_of_the_program_lists_every_command():
    text = harness.succeed("--help")
    assert all(f"\n  {command} " in text for command in COMMANDS)


def longest_prose(text):
    """The longest line of a help but for its examples, which are never broken."""
    begin, end = text.index("Example:"), text.index("USAGE:")
    return max(map(len, (text[:begin] + text[end:]).splitlines()))


@pytest.mark.parametrize("columns", [60, 100, 132])
def test_help_is_as_wide_as_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert columns - 8 < longest_prose(harness.succeed("train", "--help")) <= columns
    monkeypatch.delenv("COLUMNS")
    screen, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([str(harness.COMMAND), "train", "--help"], stdout=end)
    os.close(end)
    text = b""
    try:
        while piece := os.read(screen, 4096):
            text += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    assert process.wait() == 0 and columns - 8 < longest_prose(text.decode()) <= columns


def test_examples_can_be_pasted(monkeypatch):
    """In a narrow terminal too; a line that goes on ends with a backslash."""
    monkeypatch.setenv("COLUMNS", "50")
    text = harness.succeed("merge", "--help")
    examples = text[text.index("Example:"):text.index("USAGE:")]
    words = shlex.split(examples.replace("\\\n", "").removeprefix("Example:"), comments=False)
    assert words.count("duallora") == 3 and "--adapter-weights" in words


def test_methods_fit_a_hundred_columns():
    text = harness.succeed("methods", rank=32, output_size=11008, input_size=4096)
    assert max(map(len, text.splitlines())) <= 100
    assert all(f"\n{method} " in text for method in METHODS)


# --- completion -----------------------------------------------------------------------------------

# A line that is typed, and some of what a shell offers at its end.
COMPLETIONS = {
    "tr": ["train"],
    "train --ta": ["--task", "--targets", "--target-pattern", "--target-blocks"],
    "train --task s": ["stsb", "siqa"],
    "train --method lo": ["lora", "lora-plus", "loreft"],
    "methods do": ["dora"],
    "train --dtype ": ["auto", "bfloat16", "float32", "float64"],
    "evaluate --dtype b": ["bfloat16"],
    "train --schedule co": ["cosine", "constant"],
    "generate --early-stopping n": ["never"],
    "train --device cu": ["cuda"],
    "train --data n": ["notes.txt", "nested"],
    "train --model n": ["nested"],
    "pretrain --config ": ["config.json", "nested"],
    "train ": ["run.yaml", "nested"],
    "train --chat-template ": ["alpaca", "chatml", "notes.txt"],
    "train --method vera --method-option d": ["d-initial=", "dropout="],
}


@pytest.fixture(scope="module")
def completing(folder_of):
    """A folder with files, and the script that bash reads."""

    def make(folder):
        for name in ("notes.txt", "config.json", "run.yaml"):
            (folder / name).write_text("")
        (folder / "nested").mkdir()
        (folder / "script").write_text(
            harness.succeed("--generate-completion-script", "bash"))

    return folder_of("completing", make)


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize("line", COMPLETIONS)
def test_bash_completes(completing, line):
    words = [str(harness.COMMAND), *line.split(" ")]
    line = " ".join(words)
    done = subprocess.run(
        ["bash", "-c", f"""
            source ./script
            COMP_WORDS=({" ".join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}
            COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}
            _duallora duallora {shlex.quote(words[-1])} {shlex.quote(words[-2])}
            printf '%s\\n' "${{COMPREPLY[@]}}"
            """], cwd=completing, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr
    offered = done.stdout.split("\n")
    expected = COMPLETIONS[line.removeprefix(words[0] + " ")]
    assert set(expected) <= set(offered), offered
    typed = words[-1]
    assert all(word.startswith(typed) for word in offered if word)
    if typed:
        assert not set(offered) - {""} - set(expected), offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_the_same(shell):
    script = harness.succeed("--generate-completion-script", shell)
    for word in ("stsb", "dual-lora", "bfloat16", "cosine", "likelihood"):
        assert word in script, word


def test_a_shell_without_a_script_is_refused():
    for words in ([], ["powershell"]):
        done = harness.run("--generate-completion-script", *words)
        harness.assert_refused(done, "zsh, bash, fish")


# --- names of other programs ----------------------------------------------------------------------

# As PEFT, transformers' Trainer, TRL and LLaMA-Factory have them.
NAMES = {
    "lr": "learning-rate", "r": "rank", "lora_r": "rank", "lora_rank": "rank",
    "lora_alpha": "alpha", "lora_dropout": "dropout", "lora_target": "targets",
    "target_modules": "targets", "additional_target": "modules-to-save",
    "layers_to_transform": "target-blocks", "exclude_modules": "exclude-targets",
    "finetuning_type": "method", "peft_type": "method", "num_virtual_tokens": "virtual-tokens",
    "init_lora_weights": "init-weights",
    "per_device_train_batch_size": "batch-size", "micro_batch_size": "batch-size",
    "gradient_accumulation_steps": "gradient-accumulation", "num_train_epochs": "epochs",
    "num_epochs": "epochs", "max_steps": "steps", "max_seq_length": "max-length",
    "cutoff_len": "max-length", "block_size": "max-length", "lr_scheduler_type": "schedule",
    "num_warmup_steps": "warmup-steps", "max_grad_norm": "gradient-limit",
    "output_dir": "output", "model_name_or_path": "model", "base_model": "model",
    "dataset": "data", "train_file": "data", "validation_file": "dev-data", "val_size": "dev-share",
    "eval_steps": "evaluation-steps", "save_steps": "checkpoint-steps",
    "load_best_model_at_end": "keep-best", "early_stopping_patience": "patience",
    "resume_from_checkpoint": "resume", "data_seed": "seed", "torch_dtype": "dtype",
    "gradient_checkpointing": "activation-checkpointing", "template": "chat-template",
    "completion_only_loss": "train-on", "dataset_text_field": "field", "use_rs_lora": "use-rslora",
    "label_smoothing_factor": "label-smoothing",
}
# With a value that the name alone says, as a flag has it.
VALUES = {"bf16": "dtype bfloat16", "fp32": "dtype float32", "use_dora": "method dora",
          "use_galore": "method galore"}
# Of what is no setting here, and a word of the reason.
REASONS = {
    "fp16": "--dtype bfloat16", "report_to": "train.jsonl", "optim": "AdamW",
    "eval_strategy": "--evaluation-steps", "save_total_limit": "--checkpoint-steps",
    "metric_for_best_model": "dev loss", "per_device_eval_batch_size": "no number",
    "do_train": "duallora train", "do_eval": "duallora evaluate", "load_in_4bit": "not quantized",
    "trust_remote_code": "no code", "push_to_hub": "nothing is uploaded",
    "deepspeed": "one process", "dataloader_num_workers": "--threads", "stage": "--task instruct"}
# Names that are ours too, written with underscores.
SAME = {"learning_rate": "0.5", "weight_decay": "0.5", "warmup_steps": "5", "logging_steps": "5",
        "seed": "5", "adam_beta1": "0.5", "adam_epsilon": "0.5", "modules_to_save": "lm_head",
        "max_length": "64", "use_rslora": "true"}
# Of other commands.
OTHERS = {"max_new_tokens": "max-tokens", "num_beams": "beams", "num_return_sequences": "return",
          "no_repeat_ngram_size": "no-repeat-ngram", "stop_strings": "stop"}


def settings_of_train():
    dump = json.loads(harness.succeed("train", "--experimental-dump-help"))["command"]
    names = {argument["preferredName"]["name"] for argument in dump["arguments"]
             if "preferredName" in argument}
    return names | {option["name"] for method in METHODS for option in
                    json.loads(harness.succeed("methods", method, json=True))["options"]}


def test_the_answers_name_flags_that_there_are():
    known = settings_of_train()
    assert set(NAMES.values()) | {value.split()[0] for value in VALUES.values()} <= known
    assert {name.replace("_", "-") for name in SAME} <= known


@pytest.mark.parametrize("name", [*NAMES, *VALUES])
def test_another_programs_name_is_answered_with_ours(tmp_path, name):
    ours = (NAMES | VALUES)[name]
    for flag in (f"--{name}", f"--{name.replace('_', '-')}"):
        harness.assert_refused(harness.run("train", flag, 1), f"Error: {flag} is --{ours} here")
    recipe = tmp_path / "run.yaml"
    recipe.write_text(f"model: base\ntraining:\n  {name}: 1\n")
    harness.assert_refused(
        harness.run("train", recipe), f"run.yaml:3: '{name}' is {ours.replace(' ', ': ')} here")


@pytest.mark.parametrize("name", REASONS)
def test_what_is_no_setting_here_is_answered_with_a_reason(tmp_path, name):
    harness.assert_refused(harness.run("train", f"--{name}=1"), f"--{name}: ", REASONS[name])
    (tmp_path / "run.yaml").write_text(f"{name}: 1\n")
    harness.assert_refused(
        harness.run("train", tmp_path / "run.yaml"), f"run.yaml:1: '{name}': ", REASONS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_a_name_that_another_command_has_is_answered_with_the_command(name):
    harness.assert_refused(
        harness.run("train", f"--{name}", 1), f"--{name} is --{OTHERS[name]} of ", "generate")
    harness.assert_refused(
        harness.run("generate", f"--{name}", 1), f"--{name} is --{OTHERS[name]} here")


def test_flags_may_have_underscores():
    words = [word for name, value in SAME.items() for word in (f"--{name}", value)]
    recipe = harness.succeed("train", "--print-recipe", *words, model="m", data="d", task="stsb",
                             method="lora", output="o")
    for name, value in SAME.items():
        assert f"  {name.replace('_', '-')}: {value}\n" in recipe
    done = harness.run("generate", "--max_tokens", "x", model="m", prompt="a")
    harness.assert_refused(done, "--max-tokens", "'x'")


@pytest.mark.parametrize("name", ["bf16", "bfloat16", "fp32", "float", "float64", "torch.float32"])
def test_types_have_their_usual_names(tmp_path, name):
    recipe = tmp_path / "run.yaml"
    recipe.write_text(f"model: m\ndata: d\ntask: stsb\nmethod: lora\noutput: o\ndtype: {name}\n")
    dtype = {"bf16": "bfloat16", "fp32": "float32", "float": "float32"}.get(
        name, name.removeprefix("torch."))
    assert f"dtype: {dtype}\n" in harness.succeed("train", recipe, print_recipe=True)
    done = harness.run("evaluate", model="m", data="d", task="stsb", dtype=name)
    harness.assert_refused(done, "d: there is no such folder")


@pytest.mark.parametrize("name", ["fp16", "half", "float16"])
def test_float16_is_refused_by_its_reason(name):
    done = harness.run("evaluate", model="m", data="d", task="stsb", dtype=name)
    harness.assert_refused(done, "--dtype: float16 has too small a range")


# --- what methods count ---------------------------------------------------------------------------


@pytest.mark.parametrize("rank, outputs, inputs", [(8, 30, 20), (32, 4096, 11008), (2, 1, 1)])
def test_methods_counts_by_the_formulas(rank, outputs, inputs):
    """Dual LoRA has half the rank in each group, so that it trains as much as LoRA."""
    found = json.loads(harness.succeed(
        "methods", json=True, rank=rank, output_size=outputs, input_size=inputs))
    counts = {method["name"]: method["count"] for method in found["methods"]}
    lora = rank * (outputs + inputs)
    assert counts == counts | {"full": outputs * inputs, "lora": lora, "dual-lora": lora}


def test_methods_counts_what_the_paper_counts_for_llama():
    """LLaMA-7B, the q, k, v, up and down projections of 32 blocks, rank 32: 0.83 % of the model."""
    total = 0
    for outputs, inputs, times in ((4096, 4096, 3), (11008, 4096, 1), (4096, 11008, 1)):
        found = json.loads(harness.succeed(
            "methods", json=True, rank=32, output_size=outputs, input_size=inputs))
        counts = {method["name"]: method["count"] for method in found["methods"]}
        total += 32 * times * counts["dual-lora"]
    assert total == 56_098_816


def test_methods_has_every_method_of_the_paper():
    found = json.loads(harness.succeed("methods", json=True))["methods"]
    assert sorted(row["name"] for row in found) == sorted(METHODS)
    assert all(row["equation"] and row["source"] and row["step_products"] in (2, 3)
               for row in found)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_tells_its_options(method):
    found = json.loads(harness.succeed("methods", method, json=True))
    text = harness.succeed("methods", method)
    assert all(len(line) <= 80 for line in text.partition("OPTIONS:")[2].splitlines())
    unwrapped = " ".join(text.split())
    assert all(f"--{option['name']} <value> {option['help']}" in unwrapped
               for option in found["options"])
    assert found["options"]
    assert f"rate: {found['default_learning_rate']}, found on encoders" in text
    large = found["large_model_learning_rate"]
    assert (large is not None) == ("at LLaMA's size" in text)
    assert not large or f"--learning-rate {large}" in text
    assert all(f"--{name} {value}" in text for name, value in found["sizes"].items())


@pytest.mark.parametrize("method, rate, sizes", [
    ("dual-lora", 1e-3, {"magnitude-rank": "8", "direction-rank": "8"}),
    ("hira", 1e-3, {"rank": "32"}), ("lora", 3e-4, {"rank": "16"}),
    ("prefix", None, {"virtual-tokens": "20"}), ("full", None, {})])
def test_a_method_tells_its_rate_at_llamas_size_and_its_ranks(method, rate, sizes):
    found = json.loads(harness.succeed("methods", method, json=True))
    assert (found["large_model_learning_rate"], found["sizes"]) == (rate, sizes)


def test_no_option_of_a_method_is_one_of_a_command():
    """They share one line of words."""
    own = {option["name"] for method in METHODS
           for option in json.loads(harness.succeed("methods", method, json=True))["options"]}
    for command in ("train", "bench"):
        text = harness.succeed(command, help=True)
        assert not [name for name in own if f"  --{name} " in text], command


# --- standard output ------------------------------------------------------------------------------


def sent(place, *words, **options):
    """A command whose standard output is a file."""
    with open(place, "w") as output:
        return subprocess.run(
            [str(harness.COMMAND), *map(str, words), *harness.flags(**options)], stdout=output,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", timeout=120, input="a\n")


@pytest.fixture(scope="module")
def talker(folder_of):
    """A decoder with a tokenizer, a template and data."""

    def make(folder):
        decoders.make("gpt2", folder, vocab_size=200)
        plain_text.tokenizer(folder)
        (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
        (folder / "talk.jsonl").write_text('[{"role": "user", "content": "a"}]\n' * 2)
        (folder / "text.txt").write_text("the sea is old\n" * 40)

    return folder_of("talker", make)


def printing(folder):
    """A call of every command that prints, by a name."""
    text = dict(task="text", data=folder / "text.txt", documents="line")
    talk = dict(model=folder, messages=folder / "talk.jsonl")
    lines = folder / "text.txt"
    run = dict(model=folder, method="lora", steps=1, batch_size=2, **text)
    return {
        "a stream": (("generate",), dict(model=folder, prompt="the", max_tokens=2)),
        "ids": (("generate",), dict(model=folder, ids="5 6", max_tokens=2)),
        "answers": (("generate", "--json"), dict(max_tokens=2, **talk)),
        "a conversation": (("generate", "--chat"), dict(model=folder, max_tokens=2)),
        "examples": (("inspect-data", "--json"), dict(model=folder, **text)),
        "a template": (("chat-template",), talk),
        "a score": (("evaluate",), dict(model=folder, **text)),
        "scores of texts": (("score",), dict(hypotheses=lines, references=lines)),
        "a recipe": (("train", "--print-recipe"), dict(output=folder / "out", **run)),
        "a result": (("train",), dict(output=folder / "out", overwrite=True, **run)),
        "a result as JSON": (
            ("train", "--json"), dict(output=folder / "out", overwrite=True, **run)),
        "tokens": (("tokenize", "the"), dict(model=folder)),
        "tensors": (("inspect", folder), {}),
        "methods": (("methods",), {}),
        "help": (("train", "--help"), {}),
        "a version": (("--version",), {}),
    }


@pytest.mark.parametrize("name", printing(harness.ROOT))
def test_a_full_disk_behind_standard_output_is_told(talker, name):
    words, options = printing(talker)[name]
    done = sent(os.devnull, *words, **options)
    assert done.returncode == 0, done.stderr
    done = sent("/dev/full", *words, **options)
    error = "Error: standard output cannot be written: No space left on device"
    assert done.returncode > 0 and done.stderr.splitlines()[-1] == error
    assert done.stderr.count("Error: ") == 1 and "Fatal" not in done.stderr


@pytest.mark.parametrize("name", ["a stream", "examples", "methods", "help"])
@pytest.mark.parametrize("is_ignored", [False, True])
def test_a_reader_that_has_enough_ends_a_command_quietly(talker, name, is_ignored):
    """As `head -1` does; whoever started the command may have it ignore the signal."""
    words, options = printing(talker)[name]
    reader, writer = os.pipe()
    os.close(reader)
    line = [str(harness.COMMAND), *map(str, words), *harness.flags(**options)]
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120,
                          restore_signals=not is_ignored)
    os.close(writer)
    assert done.returncode != 0 and "Error" not in done.stderr and "Fatal" not in done.stderr


def test_a_full_disk_behind_standard_error_does_not_end_a_command(talker):
    words, options = printing(talker)["a result"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(harness.COMMAND), *words, *harness.flags(**options)], stdout=subprocess.PIPE,
            stderr=full, text=True, timeout=120)
    assert done.returncode == 0 and "perplexity" in done.stdout
