#!/usr/bin/env python3
"""Prepares what the build and the tests need, once; a second run changes nothing.

    setup.py libtorch   LibTorch into .libtorch/ (from the `torch` wheel, or LIBTORCH=/path/to/torch)
    setup.py oracles    the Python packages that the parity tests compare with, into .oracles/

Only Python 3 with pip is needed. The version of torch stands in scripts/libtorch-version, those of
the oracles in Tests/Parity/requirements.txt.
"""
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBTORCH = ROOT / ".libtorch"
ORACLES = ROOT / ".oracles"
REQUIREMENTS = ROOT / "Tests" / "Parity" / "requirements.txt"
VERSION = (ROOT / "scripts" / "libtorch-version").read_text().strip()
OLDEST = (2, 11)
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"

PKG_CONFIG = """\
prefix={prefix}
libdir=${{prefix}}/lib
includedir=${{prefix}}/include

Name: libtorch
Description: LibTorch, the C++ library of PyTorch
Version: {version}
Cflags: -I${{includedir}} -I${{includedir}}/torch/csrc/api/include
Libs: -L${{libdir}} -ltorch_cpu -lc10
"""


def fail(message):
    sys.exit(f"setup: {message}")


def pip(*arguments):
    """Runs pip; its last line of complaint on failure, None on success."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    print("setup: pip", " ".join(arguments), flush=True)
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if run.returncode == 0:
        return None
    lines = [line for line in run.stderr.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else run.stderr.strip() or f"pip ended with {run.returncode}"


def install(target, *arguments):
    return pip("install", "--quiet", "--no-compile", "--upgrade", "--root-user-action=ignore",
               "--target", str(target), *arguments)


def fetch_torch(site, version=VERSION, loads=True):
    """Installs a torch into `site`: the CPU build where there is one.

    With `loads` false it is there to be linked with, and need not load.
    """
    attempts = [["--no-deps", f"torch=={version}"]]
    if platform.system() == "Linux":
        cpu = ["--no-deps", f"torch=={version}+cpu"]
        # The plain wheel for Linux is the CUDA build, which needs its own dependencies to load.
        plain = ([] if loads else ["--no-deps"]) + [f"torch=={version}"]
        attempts = [cpu, cpu + ["--index-url", CPU_WHEELS], plain]
    problems = []
    for attempt in attempts:
        shutil.rmtree(site, ignore_errors=True)
        problem = install(site, *attempt)
        if problem is None:
            return
        problems.append(problem)
    fail(f"torch {version} could not be installed: {problems[-1]}. "
         "Set LIBTORCH=/path/to/torch to use an installed one.")


def version_of(torch):
    """The version of an unpacked torch (or LibTorch) folder, as text and as numbers."""
    header = torch / "include" / "torch" / "headeronly" / "version.h"
    if not header.exists():
        header = torch / "include/torch/csrc/api/include/torch/version.h"
    numbers = {}
    if header.exists():
        for line in header.read_text().splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == "#define" and words[2].isdigit():
                numbers[words[1]] = int(words[2])
    parts = tuple(numbers.get(f"TORCH_VERSION_{part}") for part in ("MAJOR", "MINOR", "PATCH"))
    if None in parts:
        fail(f"{torch} is not a LibTorch folder: it has no include/torch/version.h")
    return ".".join(map(str, parts)), parts


def libtorch():
    chosen = os.environ.get("LIBTORCH")
    site = LIBTORCH / "site"
    LIBTORCH.mkdir(exist_ok=True)
    if chosen:
        torch = pathlib.Path(chosen).resolve()
    else:
        torch = site / "torch"
        fetched = LIBTORCH / "fetched"
        if not fetched.exists() or fetched.read_text() != VERSION:
            fetch_torch(site)
            fetched.write_text(VERSION)
    write_package(LIBTORCH, torch)


def write_package(folder, torch):
    """Writes folder/libtorch.pc, by which the build finds a torch, and the link that it names."""
    version, parts = version_of(torch)
    if parts[:2] < OLDEST:
        fail(f"{torch} is torch {version}; {OLDEST[0]}.{OLDEST[1]} or later is needed")
    link = folder / "torch"
    if not link.is_symlink() or link.resolve() != torch.resolve():
        link.unlink(missing_ok=True)
        link.symlink_to(torch, target_is_directory=True)
    text = PKG_CONFIG.format(prefix=link, version=version)
    pc = folder / "libtorch.pc"
    if not pc.exists() or pc.read_text() != text:
        pc.write_text(text)


def oracles():
    for_torch = REQUIREMENTS.with_name("requirements-torch.txt")
    templates = REQUIREMENTS.with_name("requirements-templates.txt")
    peers = REQUIREMENTS.with_name("requirements-peers.txt")
    wanted = hashlib.sha256(b"".join(
        path.read_bytes() for path in (REQUIREMENTS, for_torch, templates, peers))).hexdigest()
    stamp = ORACLES / "stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(ORACLES, ignore_errors=True)
    # torch is there already; packages that require it come without their dependencies.
    problem = install(ORACLES, "-r", str(REQUIREMENTS)) or install(
        ORACLES, "--no-deps", "-r", str(for_torch)) or install(
        ORACLES / "chat-templates", "--no-deps", "--only-binary", ":all:", "-r",
        str(templates)) or install(ORACLES / "peers", "--no-deps", "-r", str(peers))
    if problem:
        fail(f"the parity tests' packages could not be installed: {problem}")
    stamp.write_text(wanted)


if __name__ == "__main__":
    steps = {"libtorch": libtorch, "oracles": oracles}
    if len(sys.argv) != 2 or sys.argv[1] not in steps:
        fail(f"usage: setup.py {'|'.join(steps)}")
    steps[sys.argv[1]]()
