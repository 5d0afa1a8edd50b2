"""Runs commands as copies of one process that has loaded LibTorch: `duallora fork-server`.

Loading takes longer than most of the commands that tests give. A copy is a process like any other:
it has the arguments, the environment, the folder and the standard streams that it is given, and what
it does to itself, or how it dies, nobody else sees.
"""

import atexit
import functools
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = pathlib.Path(os.environ.get("DUALLORA") or ROOT / ".build/release/duallora").absolute()


class ForkServer:
    def __init__(self):
        self.process = subprocess.Popen(
            [str(COMMAND), "fork-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.kept = tempfile.TemporaryDirectory()
        self.streams = {name: pathlib.Path(self.kept.name, name)
                        for name in ("input", "output", "error")}
        self.unread = b""
        atexit.register(self.close)

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def run(self, words, input=None, timeout=None):
        """What `subprocess.run` returns, or raises, for these words and this text as input."""
        for name, path in self.streams.items():
            path.write_text(input or "" if name == "input" else "", encoding="utf-8", newline="")
        self._ask(arguments=words, environment=dict(os.environ), folder=os.getcwd(),
                  **{name: str(path) for name, path in self.streams.items()})
        process, end = self._answer(), timeout and time.monotonic() + timeout
        status = self._answer(end)
        words = [str(COMMAND), *words]
        if status is None:
            os.kill(process, signal.SIGKILL)
            self._answer()
            raise subprocess.TimeoutExpired(words, timeout)
        output, error = (self.streams[name].read_text(encoding="utf-8")
                         for name in ("output", "error"))
        return subprocess.CompletedProcess(words, status, output, error)

    def _ask(self, **request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def _answer(self, end=None):
        """The number in the next line; None if none has come at the end."""
        while b"\n" not in self.unread:
            left = end and max(0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                return None
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                raise RuntimeError(f"duallora fork-server ended with {self.process.wait()}")
            self.unread += more
        line, self.unread = self.unread.split(b"\n", 1)
        return int(line)


@functools.cache
def of_tests():
    """One for all tests that run in this process."""
    return ForkServer()
