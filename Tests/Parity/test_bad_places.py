"""Every command with each of its files and folders missing, empty, or of the other kind, and with each
of its flags given what it hardly takes: one clear line, an exit code that is not 0, nothing written."""

import json
import shutil

import pytest

import decoders
import harness
import plain_text

# What few flags take.
ODD = "a\nb\u001b[31m\u00a7" + "x" * 70_000


@pytest.fixture(scope="module")
def places(folder_of):
    """A model, an adapter, data and texts, by the names that the calls have for them."""

    def make(folder):
        model = folder / "model"
        decoders.make("gpt2", model, vocab_size=200)
        plain_text.tokenizer(model)
        (model / "chat_template.jinja").write_text(
            "{% for m in messages %}{{ m.content }}{% endfor %}")
        (folder / "text.txt").write_text("the sea is old\n" * 40)
        (folder / "talk.jsonl").write_text('[{"role": "user", "content": "a"}]\n')
        (folder / "restaurants.csv").write_text('mr,ref\n"name[A], food[B]",A is B.\n')
        harness.succeed("train", model=model, data=folder / "text.txt", output=folder / "adapter",
                        **RUN)
        (folder / "run.yaml").write_text("seed: 1\n")

    return folder_of("places", make)


RUN = dict(task="text", method="lora", steps=1, batch_size=2, documents="line", dtype="float32")

# A call of every command that reads something, and which of its values are files or folders to read.
CALLS = {
    "train": (("run.yaml",), dict(model="model", data="text.txt", output="out", **RUN)),
    "evaluate": ((), dict(model="model", adapter="adapter", data="text.txt", task="text")),
    "merge": ((), dict(model="model", adapter="adapter", output="out")),
    "convert": ((), dict(model="model", adapter="adapter", output="out", rank=2)),
    "generate": ((), dict(model="model", adapter="adapter", prompts="text.txt", max_tokens=2)),
    "pretrain": ((), dict(config="model/config.json", tokenizer="model", data="text.txt",
                          output="out", steps=0)),
    "inspect": (("model",), {}),
    "inspect-data": ((), dict(model="model", data="text.txt", task="text")),
    "forward": ((), dict(model="model", adapter="adapter", ids="1 2", output="out")),
    "tokenize": (("the",), dict(model="model")),
    "score": ((), dict(hypotheses="text.txt", references="text.txt")),
    "chat-template": ((), dict(model="model", messages="talk.jsonl")),
    "bench": ((), dict(config="model/config.json", steps=1, batch=1, length=4)),
}
# Values that a call reads, by their flag; "" is the word behind the command.
READ = [(command, flag) for command, (words, options) in CALLS.items()
        for flag, value in [("", word) for word in words if word != "the"] + list(options.items())
        if str(value) in ("model", "adapter", "text.txt", "talk.jsonl", "run.yaml",
                          "model/config.json")]


def call(places, command, changes=(), **more):
    """Runs the command in its folder; what it reads may be replaced, and flags added."""
    changes = dict(changes)
    words, options = CALLS[command]
    words = [changes.get("", word) for word in words]
    options = {name: changes.get(name, value) for name, value in options.items()}
    return harness.run(command, *words, **{**options, **more}, timeout=60)


@pytest.fixture
def work(places, tmp_path, monkeypatch):
    """A copy of the places to work in."""
    shutil.copytree(places, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize("command", CALLS)
def test_the_calls_are_right(work, command):
    done = call(work, command)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["missing", "the other kind", "empty"])
@pytest.mark.parametrize("command, flag", READ, ids=[" ".join(row).strip() for row in READ])
def test_a_bad_place_is_refused_by_name(work, command, flag, kind):
    words, options = CALLS[command]
    place = work / str(options.get(flag) or words[0])
    is_folder = place.is_dir()
    wrong = work / ("wrong" + place.suffix)
    if kind == "the other kind":
        wrong.write_text("{}") if is_folder else wrong.mkdir()
    if kind == "empty":
        wrong.mkdir() if is_folder else wrong.write_text("")
    before = sorted(path for path in work.rglob("*"))
    done = call(work, command, {flag: wrong.name})
    harness.assert_refused(done, "wrong")
    assert sorted(path for path in work.rglob("*")) == before


@pytest.mark.parametrize("command", CALLS)
def test_a_call_without_flags_says_what_is_missing(command):
    harness.assert_refused(harness.run(command))


@pytest.mark.parametrize("value", [ODD, ""], ids=["odd", "empty"])
@pytest.mark.parametrize("command", CALLS)
def test_an_odd_value_of_any_flag_is_taken_or_refused_in_one_short_line(work, command, value):
    """Where a flag takes any text, the call goes on and may end well."""
    dump = json.loads(harness.succeed(command, "--experimental-dump-help"))["command"]
    flags = [argument["preferredName"]["name"] for argument in dump["arguments"]
             if argument["kind"] == "option"]
    # It would otherwise train each time a text is taken.
    extra = dict(print_recipe=True) if command == "train" else {}
    for flag in flags:
        words, options = CALLS[command]
        given = {name: text for name, text in options.items() if name.replace("_", "-") != flag}
        done = harness.run(command, *words, f"--{flag}={value}", **{**given, **extra}, timeout=60)
        if done.returncode != 0:
            harness.assert_refused(done)
            assert len(done.stderr) < 1500, f"--{flag}: {done.stderr[:2000]}"
            assert "\u001b" not in done.stderr
