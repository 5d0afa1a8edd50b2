"""Repositories of the hub: what this package downloads is what huggingface_hub downloads, and each
finds what the other did. All hubs are on 127.0.0.1."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

import harness
import loopback_hub
import make_hub_goldens

ORACLES = os.pathsep.join(path for path in sys.path if path)


@pytest.fixture
def hub():
    made = loopback_hub.Hub()
    yield made
    made.close()


@pytest.fixture
def user(tmp_path, hub, monkeypatch):
    """The environment of someone whose hub this is, for the command and for Python: the cache."""
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING", "TRANSFORMERS_OFFLINE", "XDG_CACHE")):
            monkeypatch.delenv(name)
    cache = tmp_path / "cache"
    for name, value in dict(HF_HUB_CACHE=cache, HF_ENDPOINT=hub.hub.address, HOME=tmp_path,
                            HF_HUB_DISABLE_XET="1", no_proxy="127.0.0.1").items():
        monkeypatch.setenv(name, str(value))
    return cache


def python(code, **environment):
    """Runs Python with huggingface_hub in a process of its own; what it prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": ORACLES, **environment})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


DOWNLOAD = """
import json, huggingface_hub
print(json.dumps(huggingface_hub.snapshot_download("org/name")))
"""

TAG = "CACHEDIR.TAG"
SHARDS = dict(max_shard_size="20KB")


@pytest.fixture
def repository(tmp_path, hub):
    """A model as `org/name`, with files that nobody needs; its folder."""
    folder = harness.save(harness.bert(num_labels=2), tmp_path / "served", **SHARDS)
    (folder / "README.md").write_text("read me")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "special_tokens_map.json").write_text("{}")
    hub.commit = hub.add("org/name", folder, tag="v1")
    return folder


def layout(cache, *without):
    """Every path of a cache: a link's target, or a file's digest."""
    found = {}
    for path in sorted(cache.rglob("*")):
        name = str(path.relative_to(cache))
        if not any(part in without for part in path.relative_to(cache).parts):
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file():
                found[name] = harness.digest(path)
    return found


def test_a_cache_is_the_one_that_huggingface_hub_makes(repository, user, tmp_path):
    harness.succeed("inspect", "org/name")
    needed = sorted(os.listdir(next(user.glob("models--org--name/snapshots/*"))))
    assert "README.md" not in needed and "pytorch_model.bin" not in needed
    theirs = tmp_path / "theirs"
    python(f"""
import json, huggingface_hub
print(json.dumps(huggingface_hub.snapshot_download("org/name", allow_patterns={needed})))
""", HF_HUB_CACHE=str(theirs))
    # They keep the list of all files, by which a snapshot of some counts as incomplete.
    assert layout(user, ".no_exist", TAG) == layout(theirs, "trees", ".no_exist", TAG)
    signatures = {(cache / TAG).read_text().splitlines()[0] for cache in (user, theirs)}
    assert len(signatures) == 1


def test_python_finds_what_the_command_downloaded(repository, user, hub):
    harness.succeed("tokenize", "Hello", model="org/name")
    harness.succeed("inspect", "org/name", revision="v1")
    hub.close()
    found = python("""
import json, huggingface_hub as hub
from transformers import AutoModelForSequenceClassification, AutoTokenizer
snapshot = hub.snapshot_download("org/name", local_files_only=True)
scan = hub.scan_cache_dir()
[repository] = scan.repos
[revision] = repository.revisions
model = AutoModelForSequenceClassification.from_pretrained("org/name")
print(json.dumps(dict(
    snapshot=snapshot, tag=hub.snapshot_download("org/name", revision="v1"),
    config=hub.hf_hub_download("org/name", "config.json"), warnings=len(scan.warnings),
    name=repository.repo_id, refs=sorted(revision.refs), commit=revision.commit_hash,
    bytes=repository.size_on_disk, files=sorted(file.file_name for file in revision.files),
    absent=hub.try_to_load_from_cache("org/name", "merges.txt") is hub._CACHED_NO_EXIST,
    ids=AutoTokenizer.from_pretrained("org/name")("the old man").input_ids,
    parameters=sum(p.numel() for p in model.parameters()))))
""", HF_HUB_OFFLINE="1")
    snapshot = user / "models--org--name/snapshots" / hub.commit
    assert found["snapshot"] == found["tag"] == str(snapshot)
    assert found["config"] == str(snapshot / "config.json")
    assert (found["warnings"], found["name"], found["commit"]) == (0, "org/name", hub.commit)
    assert found["refs"] == ["main", "v1"] and found["absent"]
    assert found["files"] == sorted(os.listdir(snapshot))
    assert found["bytes"] == sum((repository / name).stat().st_size for name in found["files"])
    here = json.loads(harness.succeed("tokenize", "the old man", model="org/name", json=True))
    assert found["ids"] == here["ids"]
    assert found["parameters"] == json.loads(
        harness.succeed("inspect", "org/name", json=True))["parameters"]


@pytest.mark.parametrize("way", ["snapshot", "files", "shared blobs"])
def test_the_command_finds_what_python_downloaded(repository, user, hub, way):
    if way == "files":
        names = [path.name for path in repository.iterdir() if path.suffix != ".bin"]
        python(f"""
import json, huggingface_hub
for name in {names}: huggingface_hub.hf_hub_download("org/name", name)
print(json.dumps(None))
""")
    else:
        python(DOWNLOAD)
    if way == "shared blobs":
        # Where hf_xet has put a file since release 2.3: the blob is a link itself.
        shards = {harness.digest(path): path.stat().st_size
                  for path in repository.glob("*.safetensors")}
        assert python(f"""
import json
from huggingface_hub.utils._shared_blobs import publish_blob_to_shared_store
print(json.dumps([publish_blob_to_shared_store(
    blob_path="{user}/models--org--name/blobs/" + name, xet_hash=name, cache_dir="{user}",
    expected_size=size) for name, size in {shards}.items()]))
""") == [True] * len(shards)
    before = layout(user)
    hub.forget()
    expected = harness.succeed("inspect", repository, json=True)
    assert harness.succeed("inspect", "org/name", json=True) == expected
    hub.close()
    assert harness.succeed("inspect", "org/name", json=True) == expected
    assert hub.requests == []
    assert layout(user) == before


def test_training_by_name_records_the_name(repository, user, hub, task_data, tmp_path):
    data, out = task_data("rte"), tmp_path / "out"
    done = harness.run("train", model="org/name", revision="v1", data=data, output=out, task="rte",
                       method="lora", **harness.BRIEF)
    assert done.returncode == 0, done.stderr
    assert "org/name: " in done.stderr and " to download" in done.stderr
    config = harness.read_json(out / "adapter_config.json")
    assert (config["base_model_name_or_path"], config["revision"]) == ("org/name", "v1")
    assert harness.read_json(out / "result.json")["model"] == "org/name"
    hub.add("org/adapter", out)
    scores = [
        harness.succeed("evaluate", model=model, adapter=adapter, data=data, task="rte", json=True)
        for model in ("org/name", repository, user / "models--org--name/snapshots" / hub.commit)
        for adapter in ("org/adapter", out)]
    assert len(set(scores)) == 1
    merged = tmp_path / "merged"
    harness.succeed("merge", model="org/name@v1", adapter="org/adapter", output=merged)
    assert not any(path.is_symlink() for path in merged.iterdir())
    hub.close()
    opened = python(f"""
import json
from peft import AutoPeftModelForSequenceClassification
model = AutoPeftModelForSequenceClassification.from_pretrained("{out}", num_labels=2)
print(json.dumps(model.base_model.model.config._name_or_path))
""", HF_HUB_OFFLINE="1", USE_TF="0")
    assert opened == "org/name"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_download_that_is_killed_is_gone_on_from(repository, user, hub, how):
    shard = max(repository.glob("*.safetensors"), key=lambda path: path.stat().st_size)
    half = shard.stat().st_size // 2
    stop = threading.Event()

    def stall(handler, body):
        if handler.path.endswith(shard.name):
            handler.wfile.write(body[:half])
            handler.wfile.flush()
            stop.wait(20)
        else:
            handler.wfile.write(body)

    hub.storage.send_body = stall
    incomplete = user / "models--org--name/blobs" / f"{harness.digest(shard)}.incomplete"
    # Who runs the tests in the background ignores Ctrl-C, and what they start would inherit that.
    running = subprocess.Popen([harness.COMMAND, "inspect", "org/name"], stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    deadline = time.monotonic() + 20
    while not (incomplete.exists() and incomplete.stat().st_size == half):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.02)
    running.send_signal(how)
    running.communicate(timeout=20)
    assert running.returncode in (-how, 128 + how)
    stop.set()
    assert not list(user.glob("models--org--name/refs/*"))
    hub.storage.send_body = lambda handler, body: handler.wfile.write(body)
    hub.forget()
    harness.succeed("inspect", "org/name")
    ranges = [headers.get("Range") for _, path, headers in hub.storage.log
              if path.endswith(shard.name)]
    assert ranges == [f"bytes={half}-{2 * half + shard.stat().st_size % 2 - 1}"]
    for path in (user / "models--org--name/snapshots" / hub.commit).iterdir():
        assert path.read_bytes() == (repository / path.name).read_bytes()
    assert not list(user.rglob("*.incomplete"))


def test_the_lock_is_the_one_of_huggingface_hub(repository, user, hub):
    name = f"{loopback_hub.git_hash((repository / 'vocab.txt').read_bytes())}.lock"
    lock = user / ".locks/models--org--name" / name
    lock.parent.mkdir(parents=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", f"""
from huggingface_hub.utils import WeakFileLock
with WeakFileLock({str(lock)!r}):
    print("held", flush=True)
    input()
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": ORACLES})
    assert holder.stdout.readline() == "held\n"
    waiting = subprocess.Popen([harness.COMMAND, "tokenize", "--model", "org/name", "the"],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    noted = next(line for line in waiting.stderr if "waiting" in line)
    assert noted == "note: vocab.txt: waiting for another process that downloads it\n"
    assert waiting.poll() is None
    holder.communicate("\n", timeout=20)
    assert "the" in waiting.communicate(timeout=20)[0]
    assert waiting.returncode == 0


def test_two_commands_at_once_download_each_file_once(repository, user, hub):
    hub.storage.send_body = lambda handler, body: (time.sleep(0.2), handler.wfile.write(body))
    running = [subprocess.Popen([harness.COMMAND, "inspect", "org/name", "--json"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
               for _ in range(2)]
    printed = [one.communicate(timeout=60)[0] for one in running]
    assert [one.returncode for one in running] == [0, 0] and printed[0] == printed[1]
    fetched = [path for method, path, _ in hub.storage.log if method == "GET"]
    assert len(fetched) == len(set(fetched)) > 1


def test_the_bar_of_a_download_stays_on_one_line(repository, user):
    """However narrow the terminal is: it must not go on in the next line."""
    terminal, other = pty.openpty()
    done = subprocess.run([harness.COMMAND, "inspect", "org/name"], stderr=other,
                          stdout=subprocess.DEVNULL, timeout=60)
    os.close(other)
    shown = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert done.returncode == 0
    bars = [line for line in shown.replace("\n", "\r").split("\r") if "B/s" in line]
    assert bars
    for line in bars:
        assert line.startswith("\x1b[K\x1b[?7l") and line.endswith("\x1b[?7h"), repr(line)


REFUSED = {
    "no such repository": (dict(model="org/other"), ["org/other", "no such folder", "HF_TOKEN"]),
    "no such revision": (dict(model="org/name", revision="v9"), ["org/name", "'v9'"]),
    "two revisions": (dict(model="org/name@v1", revision="main"), ["@v1", "--revision main"]),
    "a revision that is a path": (dict(model="org/name@../x"), ["'../x'", "branch"]),
    "a revision of a folder": (dict(model="served", revision="v1"), ["served", "org/name"]),
    "an adapter that is a model": (
        dict(model="served", adapter="org/name"), ["adapter_config.json", "--model"]),
}


@pytest.mark.parametrize("options, words", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_had_is_refused_in_a_line(
        repository, user, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    done = harness.run("forward", ids="1 2", output=tmp_path / "x", **options)
    harness.assert_refused(done, *words)
    assert not (tmp_path / "x").exists()


def test_a_folder_that_looks_like_a_repository_wins(repository, user, hub, tmp_path, monkeypatch):
    shutil.copytree(repository, tmp_path / "org/name")
    monkeypatch.chdir(tmp_path)
    harness.succeed("inspect", "org/name")
    assert hub.requests == []


def test_the_goldens_are_what_huggingface_hub_says():
    """Of the environment and of names: what the Swift tests hold this package to."""
    assert make_hub_goldens.GOLDENS.read_text() == make_hub_goldens.text(make_hub_goldens.goldens())


def test_the_cache_of_the_environment_is_looked_into(user, hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_HUB_CACHE")
    for variables, words in (
            (dict(HF_HOME="~/h", HF_HUB_OFFLINE="1"), [f" is not in {tmp_path}/h/hub; "]),
            (dict(XDG_CACHE_HOME="$HOME/x", TRANSFORMERS_OFFLINE="YES"),
             [f" is not in {tmp_path}/x/huggingface/hub; ", "HF_HUB_OFFLINE forbids"]),
            (dict(HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="no"), ["cannot be reached"])):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            harness.assert_refused(harness.run("tokenize", "x", model="no/such"), *words)
    assert hub.requests == []
