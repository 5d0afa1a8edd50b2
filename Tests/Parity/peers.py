"""Methods as other authors published them: packages in .oracles/peers, which setup.py lays there."""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import subprocess
import sys
import types

from fork_server import ROOT

FOLDER = ROOT / ".oracles" / "peers"
# What they import for other ends: pictures, data sets, moments of 8 bits.
UNUSED = {"bitsandbytes", "datasets", "matplotlib", "plotnine", "seaborn"}


class EmptyModule(types.ModuleType):
    """A module in which every name is a class that nothing uses."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class EmptyModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds an empty module in place of one that is not installed."""

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in UNUSED:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return EmptyModule(spec.name)

    def exec_module(self, module):
        pass


@contextlib.contextmanager
def without_what_is_unused():
    finder, before = EmptyModules(), set(sys.modules)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - before:
            if name.split(".")[0] in UNUSED and isinstance(sys.modules[name], EmptyModule):
                del sys.modules[name]


def load(name):
    """A package, beside the transformers that all tests use."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    with without_what_is_unused():
        return importlib.import_module(name)


class AdapterHub:
    """A process with `adapters` and the transformers that it needs: adapterhub.py."""

    def __init__(self):
        path = os.pathsep.join([str(FOLDER), str(FOLDER.parent)])
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "Tests" / "Parity" / "adapterhub.py")], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})

    def train(self, **job):
        """(loss, learning rate, gradient norm) of every step; the tensors lie in job["output"]."""
        print(json.dumps(job), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        assert answer, f"adapters ended with {self.process.wait()}"
        answer = json.loads(answer)
        assert "error" not in answer, answer["error"]
        return answer["records"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
