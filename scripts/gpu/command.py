"""The command on the machine that checks, and the LibTorch that it runs with."""

import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys
import time

# Products on the device in float32, not in TF32, which keeps 10 bits of a number.
WITHOUT_TF32 = {"NVIDIA_TF32_OVERRIDE": "0"}


class NotHere(Exception):
    """Why nothing can be checked on this machine."""


class Failed(Exception):
    """Why a command did not give its result, in a line."""


def find_libtorch(root):
    """The folder of a torch: LIBTORCH's, that of this Python, or the one that set-up fetched."""
    named = os.environ.get("LIBTORCH")
    if named:
        return pathlib.Path(named).resolve()
    text = ("import importlib.util as u; s = u.find_spec('torch'); "
            "print(s.submodule_search_locations[0] if s else '')")
    found = subprocess.run(["python3", "-c", text], capture_output=True, text=True).stdout.strip()
    fetched = root / ".libtorch" / "torch"
    if found:
        return pathlib.Path(found)
    if not fetched.exists():
        raise NotHere("there is no LibTorch: name the folder of a torch in LIBTORCH")
    return fetched.resolve()


def libtorch_version(folder):
    """As torch/version.py or LibTorch's build-version has it, without what stands behind a plus."""
    for file in (folder / "version.py", folder / "build-version"):
        if not file.exists():
            continue
        for line in file.read_text().splitlines():
            if line.startswith("__version__"):
                return line.split("'")[1].split("+")[0]
            if file.name == "build-version":
                return line.split("+")[0]
    raise NotHere(f"{folder} is no torch: it has no version.py and no build-version")


class Command:
    """`duallora` with a LibTorch, on one device or another."""

    def __init__(self, built, libtorch, deadline, longest, folder, preload=None):
        if not (built / "build.json").exists():
            raise NotHere(f"{built} has no build: run `scripts/try_gpu build` first")
        self.built = json.loads((built / "build.json").read_text())
        self.version = libtorch_version(libtorch)
        if self.version != self.built["libtorch"]:
            raise NotHere(
                f"the build is for LibTorch {self.built['libtorch']}, and {libtorch} is {self.version}: "
                f"build again with --torch {self.version}")
        self.binary = _unpacked(built, folder)
        self.deadline, self.longest = deadline, longest
        self.ranks = {}
        packages = sorted(libtorch.parent.glob("nvidia/*/lib"))
        paths = [str(path) for path in [libtorch / "lib", *packages]]
        paths += [path for path in [os.environ.get("LD_LIBRARY_PATH")] if path]
        self.environment = {
            **os.environ, **WITHOUT_TF32, "LD_LIBRARY_PATH": os.pathsep.join(paths)}
        if preload:
            self.environment["LD_PRELOAD"] = str(preload)

    def room(self):
        """The seconds that a command may take."""
        limit = min(self.longest, self.deadline - time.monotonic())
        if limit <= 0:
            raise Failed("not run: the time was up")
        return limit

    def run(self, *words):
        """What the command prints; `Failed` with its last line of complaint, or past its time."""
        limit = self.room()
        try:
            done = subprocess.run(
                [str(self.binary), *map(str, words)], capture_output=True, text=True, timeout=limit,
                env=self.environment, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            raise Failed(f"stopped after {limit:.0f} s") from None
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
            raise Failed(lines[-1].removeprefix("Error: "))
        return done.stdout

    def methods(self, names=None):
        """The methods to check, by name, and which of them take a rank."""
        listed = [row["name"] for row in json.loads(self.run("methods", "--json"))["methods"]]
        strange = [name for name in names or [] if name not in listed]
        if strange:
            sys.exit(f"try_gpu: --methods: {strange[0]} is none of {', '.join(listed)}")
        for name in names or listed:
            options = json.loads(self.run("methods", name, "--json"))["options"]
            self.ranks[name] = any(option["name"] == "rank" for option in options)
        return names or listed

    def options(self, method):
        return ["--rank", 4] if self.ranks[method] else []

    def check_device(self, device, model, folder):
        """Says why a device cannot be had, by the command itself."""
        try:
            self.run("--version")
        except Failed as reason:
            raise NotHere(f"the command does not start with this LibTorch: {reason}") from None
        try:
            self.run("forward", "--model", model, "--ids", "1 2 3", "--device", device, "--output",
                     folder / "first.safetensors")
        except Failed as reason:
            raise NotHere(f"no {device} device can be had here: {reason}") from None


def _unpacked(built, folder):
    """The command itself; what was built is packed, for it has to be carried."""
    packed = built / "duallora.xz"
    if not packed.exists():
        return built / "duallora"
    binary = folder / "duallora"
    with lzma.open(packed) as source, open(binary, "wb") as target:
        shutil.copyfileobj(source, target)
    binary.chmod(0o755)
    return binary


def has_peft():
    """Whether PEFT's steps can be measured with this machine's Python."""
    text = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('torch', 'transformers', 'peft'))))"
    return subprocess.run(["python3", "-c", text], stderr=subprocess.DEVNULL).returncode == 0


def say(text):
    print(f"try_gpu: {text}", file=sys.stderr, flush=True)
