"""What a run of the suite needs; the fixtures stand in suite_fixtures.py."""

import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Threads that wait must not take the cores from the command under test, nor it from them.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# The tests use the torch that the package is built against; other packages come before it.
TORCH = pathlib.Path(__file__).resolve().parents[2] / ".libtorch" / "torch"
sys.path.append(str(TORCH.resolve().parent))

import pytest

import fork_server

pytest.register_assert_rewrite("harness", "training_loop")


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "ignore:.*gradient_checkpointing.*:FutureWarning")
    config.addinivalue_line("filterwarnings", "ignore::peft.utils.warning.PeftWarning")
    if not fork_server.COMMAND.exists():
        raise pytest.UsageError(
            f"there is no command at {fork_server.COMMAND}: build it, or name one in DUALLORA")
    # The process that only hands tests out to others needs none, nor transformers, which is slow.
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", 0):
        config.pluginmanager.import_plugin("suite_fixtures")
