"""The same seed gives the same bytes, and a run that was stopped ends as one that was not."""

import shutil
import signal
import subprocess

import pytest

import harness

STEPS = 90  # 24 examples, 8 a step: 30 epochs of 3 steps
WEIGHTS = "adapter_model.safetensors"


def options(method="dual-lora", **changes):
    """Dropout and several epochs, so that the random state and the order matter."""
    dropout = {} if method == "full" else {"dropout": 0.1}
    return {**dict(task="rte", method=method, steps=STEPS, batch_size=8, learning_rate=5e-3,
                   logging_steps=3, seed=11), **dropout, **changes}


@pytest.fixture(scope="module")
def run_in(classifier, task_data):
    """Runs a training in a folder; result.json."""
    return lambda folder, **changes: harness.train(
        classifier("rte"), task_data("rte"), folder, **options(**changes))


@pytest.fixture(scope="module")
def whole(folder_of, run_in):
    """Folders of runs that nothing stopped, by method, with a checkpoint every ten steps."""
    return lambda method: folder_of(
        ("whole", method), lambda folder: run_in(folder, method=method, checkpoint_steps=10))


def weights_of(folder):
    files = [folder / name for name in (WEIGHTS, "model.safetensors") if (folder / name).exists()]
    assert len(files) == 1
    return harness.digest(files[0])


def untimed(records):
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


def assert_same_end(stopped, whole):
    """The same weights and scores."""
    assert weights_of(stopped) == weights_of(whole)
    found, expected = (harness.read_json(folder / "result.json") for folder in (stopped, whole))
    for field in ("value", "metrics", "loss", "before", "steps", "trainable_parameters"):
        assert found[field] == expected[field], field


def assert_same_log(stopped, whole):
    """The same lines, but for the seconds."""
    for found, expected in zip(harness.log_of(stopped), harness.log_of(whole)):
        assert untimed(found) == untimed(expected)


# --- the seed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["full", "lora", "dual-lora"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, run_in, method, dtype):
    first, again = (run_in(tmp_path / name, method=method, dtype=dtype, steps=12)
                    for name in ("first", "again"))
    assert weights_of(tmp_path / "first") == weights_of(tmp_path / "again")
    assert first["value"] == again["value"] and first["loss"] == again["loss"]


def test_another_seed_gives_other_bytes(tmp_path, run_in):
    for seed in (1, 2):
        run_in(tmp_path / str(seed), seed=seed, steps=12)
    assert weights_of(tmp_path / "1") != weights_of(tmp_path / "2")


def test_checkpoints_do_not_change_a_run(tmp_path, whole, run_in):
    run_in(tmp_path / "out")
    assert weights_of(tmp_path / "out") == weights_of(whole("dual-lora"))
    assert not (tmp_path / "out" / "checkpoints").exists()


@pytest.mark.parametrize("method", ["full", "dual-lora"])
def test_activation_checkpointing_does_not_change_a_run(tmp_path, whole, run_in, method):
    run_in(tmp_path / "out", method=method, activation_checkpointing=True)
    assert_same_end(tmp_path / "out", whole(method))
    assert_same_log(tmp_path / "out", whole(method))


# --- stopping -------------------------------------------------------------------------------------


def stop(folder, model, data, line, sign, **changes):
    """Starts a run and sends a signal when a line with these words comes; its code and lines."""
    words = harness.flags(model=model, data=data, output=folder, **options(**changes))
    process = subprocess.Popen([str(harness.COMMAND), "train", *words], stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True, encoding="utf-8")
    said = []
    for text in process.stderr:
        said.append(text)
        if line in text:
            process.send_signal(sign)
            break
    said += process.stderr.readlines()
    return process.wait(timeout=60), said


@pytest.mark.parametrize("method", ["full", "lora", "dual-lora"])
def test_a_run_stopped_by_ctrl_c_resumes_to_the_same_bytes(
        tmp_path, classifier, task_data, whole, run_in, method):
    code, said = stop(tmp_path, classifier("rte"), task_data("rte"), "step 12/", signal.SIGINT,
                      method=method)
    assert code == 128 + signal.SIGINT
    assert said[-2].startswith(("stopping after this step", "stopping the score", "checkpoint"))
    assert said[-1].startswith("stopped after step ") and "--resume" in said[-1]
    assert not (tmp_path / "result.json").exists()
    assert not list(tmp_path.glob("*.safetensors"))
    run_in(tmp_path, method=method, resume=True)
    assert_same_end(tmp_path, whole(method))
    assert not (tmp_path / "checkpoints").exists()


def test_a_run_may_be_stopped_more_than_once(tmp_path, classifier, task_data, whole, run_in):
    for line, resume in (("step 6/", None), ("of them done", True), ("step 45/", True)):
        code, said = stop(tmp_path, classifier("rte"), task_data("rte"), line, signal.SIGINT,
                          resume=resume)
        assert code == 128 + signal.SIGINT, said
    run_in(tmp_path, resume=True)
    assert_same_end(tmp_path, whole("dual-lora"))


@pytest.mark.parametrize("method", ["lora", "dual-lora"])
def test_a_killed_run_resumes_from_its_checkpoint_to_the_same_bytes(
        tmp_path, classifier, task_data, whole, run_in, method):
    code, _ = stop(tmp_path, classifier("rte"), task_data("rte"), "checkpoint step-00000020",
                   signal.SIGKILL, method=method, checkpoint_steps=10)
    assert code == -signal.SIGKILL
    assert not (tmp_path / "result.json").exists()
    run_in(tmp_path, method=method, checkpoint_steps=10, resume=True)
    assert_same_end(tmp_path, whole(method))


def killed_after(folder, whole, step, keep_evaluation=True):
    """What a kill leaves behind right after the checkpoint of a step, made from a whole run."""
    shutil.copytree(whole, folder)
    for path in [folder / "result.json", folder / "loss.svg", *folder.glob("adapter_*")]:
        path.unlink()
    for path in (folder / "checkpoints").iterdir():
        if int(path.name.removeprefix("step-")) > step:
            shutil.rmtree(path)
    lines = (folder / "train.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if f'"step":{step}' in line or any(
        f'"step":{earlier}' + end in line for earlier in range(step) for end in ",}")]
    if not keep_evaluation:
        kept = [line for line in kept
                if not ("evaluation_loss" in line and f'"step":{step}' in line)]
    (folder / "train.jsonl").write_text("".join(kept))
    return folder


@pytest.mark.parametrize("leftover", [None, "partial checkpoint", "cut line"])
def test_what_a_kill_leaves_half_written_is_passed_over(tmp_path, whole, run_in, leftover):
    folder = killed_after(tmp_path / "out", whole("dual-lora"), 80)
    if leftover == "partial checkpoint":
        partial = folder / "checkpoints" / ".step-00000090.partial"
        partial.mkdir()
        (partial / "state.safetensors").write_bytes(b"\x10\0\0")
    elif leftover == "cut line":
        with (folder / "train.jsonl").open("a") as log:
            log.write('{"epoch":27.0,"gradient_no')
    run_in(folder, checkpoint_steps=10, resume=True)
    assert_same_end(folder, whole("dual-lora"))
    assert_same_log(folder, whole("dual-lora"))


@pytest.mark.parametrize("method", ["full", "dual-lora"])
@pytest.mark.parametrize("ending", [dict(), dict(patience=3)], ids=["all steps", "patience"])
def test_the_best_step_survives_a_kill(tmp_path, folder_of, run_in, method, ending):
    """At a rate at which the dev loss goes up and down."""
    brief = dict(method=method, steps=30, checkpoint_steps=2, evaluation_steps=2, keep_best=True,
                 learning_rate=0.02, schedule="constant", **ending)
    whole = folder_of(("whole, best", method, *ending), lambda folder: run_in(folder, **brief))
    result = harness.read_json(whole / "result.json")
    losses = {record["step"]: record["evaluation_loss"] for record in harness.log_of(whole)[1]
              if record["step"] and not record.get("final")}
    assert list(losses) == list(range(2, result["steps"] + 1, 2))
    assert result["best_step"] == min(losses, key=losses.get) < result["steps"]
    if ending:
        assert result["steps"] == result["best_step"] + 2 * 3 < 30
    # Scored again, what was saved has the loss of its step.
    assert result["loss"] == losses[result["best_step"]] == harness.log_of(whole)[1][-1][
        "evaluation_loss"]
    kept = result["steps"] - 2
    folder = killed_after(tmp_path / "out", whole, kept)
    run_in(folder, resume=True, **brief)
    assert_same_end(folder, whole)
    assert_same_log(folder, whole)
    assert harness.read_json(folder / "result.json")["best_step"] == result["best_step"]


@pytest.mark.parametrize("every", [1, 2, 4])
def test_a_resumed_log_keeps_every_line_of_the_stopped_run(tmp_path, folder_of, run_in, every):
    """Evaluations come with the epochs, lines about steps by a count of their own."""
    brief = dict(steps=12, checkpoint_steps=4, logging_steps=every)
    whole = folder_of(("whole, logged", every), lambda folder: run_in(folder, **brief))
    folder = killed_after(tmp_path / "out", whole, 8)
    run_in(folder, resume=True, **brief)
    assert_same_end(folder, whole)
    assert_same_log(folder, whole)


@pytest.mark.parametrize("step", [6, 9], ids=["in the middle", "at the end"])
def test_an_evaluation_lost_at_the_end_of_an_epoch_is_made_up(tmp_path, folder_of, run_in, step):
    """The log is not synced as a checkpoint is: its last lines may be gone with the machine."""
    brief = dict(steps=9, checkpoint_steps=3)
    whole = folder_of("whole, a checkpoint an epoch", lambda folder: run_in(folder, **brief))
    folder = killed_after(tmp_path / "out", whole, step, keep_evaluation=False)
    run_in(folder, resume=True, **brief)
    assert_same_end(folder, whole)
    assert_same_log(folder, whole)


def test_resuming_a_run_that_has_ended_changes_nothing(tmp_path, whole, run_in):
    shutil.copytree(whole("dual-lora"), tmp_path / "out")
    run_in(tmp_path / "out", checkpoint_steps=10, resume=True)
    assert_same_end(tmp_path / "out", whole("dual-lora"))


def test_two_checkpoints_are_kept(whole):
    names = sorted(path.name for path in (whole("dual-lora") / "checkpoints").iterdir())
    assert names == ["step-00000080", "step-00000090"]


def test_a_new_run_in_an_old_folder_starts_from_nothing(tmp_path, whole, run_in):
    folder = killed_after(tmp_path / "out", whole("dual-lora"), 80)
    run_in(folder, checkpoint_steps=10, overwrite=True)
    assert_same_end(folder, whole("dual-lora"))


# Runs that are not the one that left the checkpoint, and the word that tells.
OTHERS = {
    "learning rate": (dict(learning_rate=1e-3), "learning-rate"),
    "seed": (dict(seed=12), "seed"),
    "steps": (dict(steps=STEPS + 1), "steps"),
    "batch size": (dict(batch_size=4), "batch-size"),
    "method": (dict(method="lora"), "method"),
    "alpha": (dict(alpha=3), "--alpha"),
    "targets": (dict(targets="key"), "key"),
    "type": (dict(dtype="float64"), "dtype"),
    "weight decay": (dict(weight_decay=0.5), "weight-decay"),
    "gradient limit": (dict(gradient_limit=0.1), "gradient-limit"),
    "length": (dict(max_length=20), "max-length"),
    "schedule": (dict(schedule="cosine"), "schedule"),
    "warm-up in steps": (dict(warmup_steps=9), "warmup-steps"),
    "Adam": (dict(adam_beta2=0.95), "adam-beta2"),
    "best of the run": (dict(keep_best=True), "keep-best"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_run_is_refused(
        tmp_path, classifier, task_data, whole, name):
    changes, word = OTHERS[name]
    folder = killed_after(tmp_path / "out", whole("dual-lora"), 80)
    before = {path: harness.digest(path) for path in folder.rglob("*") if path.is_file()}
    done = harness.run("train", model=classifier("rte"), data=task_data("rte"), output=folder,
                       resume=True, checkpoint_steps=10, **options(**changes))
    harness.assert_refused(done, word)
    assert {path: harness.digest(path) for path in folder.rglob("*") if path.is_file()} == before


DAMAGED = {
    "no checkpoint": lambda state: shutil.rmtree(state.parent),
    "no state.json": lambda state: (state / "state.json").unlink(),
    "state.json cut": lambda state: (state / "state.json").write_text('{"progress": {'),
    "tensors cut": lambda state: (state / "state.safetensors").write_bytes(
        (state / "state.safetensors").read_bytes()[:-100]),
    "no tensors": lambda state: (state / "state.safetensors").unlink(),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_checkpoint_is_refused(tmp_path, classifier, task_data, whole, name):
    folder = killed_after(tmp_path / "out", whole("dual-lora"), 80)
    DAMAGED[name](folder / "checkpoints" / "step-00000080")
    done = harness.run("train", model=classifier("rte"), data=task_data("rte"), output=folder,
                       resume=True, checkpoint_steps=10, **options())
    harness.assert_refused(done, "checkpoint" if name == "no checkpoint" else "step-00000080")
    assert not (folder / "result.json").exists()
