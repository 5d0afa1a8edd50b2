"""The command for a machine without Swift, in a folder that can be copied there."""

import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys

import setup

PORTABLE = "portable"


def build(folder, version):
    """Builds `folder/portable`: the command, stripped, with Swift's libraries in it, and what it needs.

    LibTorch stays outside. It has to be of the version that the other machine has: LIBTORCH's, the named
    one, which is fetched, or set-up's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration, torch = _libtorch(folder, version)
    found, _ = setup.version_of(torch)
    scratch = folder / "swift"
    words = ["-c", "release", "--static-swift-stdlib", "--product", "duallora", "--scratch-path", str(scratch),
             "-Xlinker", f"-L{_without_network(folder)}"]
    environment = {**os.environ, "PKG_CONFIG_PATH": str(configuration)}
    done = subprocess.run(["swift", "build", *words], cwd=setup.ROOT, env=environment)
    if done.returncode:
        sys.exit("try_gpu: the build failed")
    portable = folder / PORTABLE
    aside = folder / f"{PORTABLE}.new"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    binary = folder / "duallora"
    shutil.copy2(scratch / "release" / "duallora", binary)
    subprocess.run(["strip", str(binary)], check=True)
    _refuse_swift_libraries(binary)
    packed = aside / "duallora.xz"
    with open(binary, "rb") as source, lzma.open(packed, "wb", preset=6) as target:
        shutil.copyfileobj(source, target)
    binary.unlink()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=setup.ROOT, capture_output=True, text=True)
    (aside / "build.json").write_text(json.dumps(
        {"libtorch": found, "commit": commit.stdout.strip() or "of no commit"}) + "\n")
    shutil.rmtree(portable, ignore_errors=True)
    aside.rename(portable)
    size = (portable / packed.name).stat().st_size / 2**20
    print(f"try_gpu: {portable} has the command for LibTorch {found}, {size:.0f} MiB packed")


def _libtorch(folder, version):
    """The folder of libtorch.pc, and the torch that it names."""
    if version is None or os.environ.get("LIBTORCH"):
        setup.libtorch()
        return setup.LIBTORCH, (setup.LIBTORCH / "torch").resolve()
    place = folder / f"torch-{version}"
    torch = place / "site" / "torch"
    if not (place / "libtorch.pc").exists():
        place.mkdir(parents=True, exist_ok=True)
        setup.fetch_torch(place / "site", version, loads=False)
        setup.write_package(place, torch)
    return place, torch


def _without_network(folder):
    """A folder with a libcurl that ends the process with a line: Foundation calls it when something is
    downloaded, and the other machine may have none of its own."""
    swift = pathlib.Path(shutil.which("swift")).resolve().parent
    library = next(swift.parent.glob("lib/swift_static/*/lib_CFURLSessionInterface.a"))
    listed = subprocess.run(["nm", "-u", str(library)], capture_output=True, text=True, check=True)
    names = sorted({line.split()[-1] for line in listed.stdout.splitlines() if " curl_" in line})
    place = folder / "without-network"
    place.mkdir(exist_ok=True)
    lines = ["#include <stdio.h>", "#include <unistd.h>", "static void end(void) {",
             '    fputs("Error: this build of the command has no network\\n", stderr);', "    _exit(1);", "}",
             *(f"void {name}(void) {{ end(); }}" for name in names)]
    source = place / "curl.c"
    source.write_text("\n".join(lines) + "\n")
    compiled = place / "curl.o"
    subprocess.run([str(swift / "clang"), "-O1", "-w", "-fno-builtin", "-c", str(source), "-o", str(compiled)],
                   check=True)
    (place / "libcurl.a").unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", str(place / "libcurl.a"), str(compiled)], check=True)
    return place


def _refuse_swift_libraries(binary):
    needed = subprocess.run(["readelf", "-d", str(binary)], capture_output=True, text=True, check=True)
    strange = [line for line in needed.stdout.splitlines() if "NEEDED" in line and (
        "swift" in line or "Foundation" in line or "dispatch" in line)]
    if strange:
        sys.exit(f"try_gpu: the command still needs Swift's libraries: {strange[0].strip()}")
