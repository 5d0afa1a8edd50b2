"""Recipes: files of settings, flags over them, and the recipe that a run leaves."""

import itertools
import json

import pytest
import yaml

import harness

RECIPES = harness.ROOT / "recipes"
TABLES = ("table1", "table4")
# About one call of the command, not about the run.
OWN = {"help", "version", "print-recipe"}


@pytest.fixture(scope="module")
def parser():
    """What the command's own parser says of `train`."""
    dump = json.loads(harness.succeed("train", "--experimental-dump-help"))["command"]
    train = next((part for part in dump.get("subcommands", []) if part["commandName"] == "train"),
                 dump)
    return {argument["preferredName"]["name"]: argument for argument in train["arguments"]
            if argument["kind"] != "positional"}


@pytest.fixture
def recipe(tmp_path):
    """Writes a recipe; its path."""
    numbers = itertools.count()

    def write(text):
        path = tmp_path / f"r{next(numbers)}.yaml"
        path.write_text(text)
        return path

    return write


def printed(*recipes, **options):
    """The run as a recipe: its lines without comments, and as PyYAML reads it, flat."""
    text = harness.succeed("train", *recipes, print_recipe=True, **options)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return lines, flat(text)


def flat(text):
    settings = {}
    for key, value in yaml.load(text, yaml.BaseLoader).items():
        if isinstance(value, dict):
            for name, inner in value.items():
                settings[key if name in ("name", "path") else name] = inner
        else:
            settings[key] = value
    return settings


BASE = """
model: nowhere
output: out
task: rte
data: glue/RTE
method: {name: dual-lora, rank: 8}
training:
  steps: 7
  learning_rate: 2e-3
"""


# --- what holds -----------------------------------------------------------------------------------


def test_every_flag_is_a_setting(parser, recipe):
    """And every option of a method; so that the two never part, none is listed by hand."""
    options = {option["name"] for method in ("dual-lora", "lora", "vera", "loreft")
               for option in json.loads(harness.succeed("methods", method, json=True))["options"]}
    names = set(parser) - OWN | options
    assert {"learning-rate", "keep-best", "data", "rank", "gate-steps"} <= names
    lines = [f"{name}: {'false' if parser.get(name, {}).get('kind') == 'flag' else 'null'}"
             for name in sorted(names)]
    done = harness.run("train", recipe("\n".join(lines)))
    harness.assert_refused(done, "--model", "are missing")


def test_defaults_are_filled_in(recipe, monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")  # the machine's type of computing
    lines, settings = printed(recipe(BASE))
    assert settings == settings | {
        "model": "nowhere", "task": "rte", "data": "glue/RTE", "method": "dual-lora",
        "magnitude-rank": "4", "direction-rank": "4", "alpha": "8.0", "sign-grad": "ste_clip",
        "steps": "7", "learning-rate": "2e-3", "batch-size": "32", "max-length": "128",
        "weight-decay": "0.01", "schedule": "linear", "seed": "0", "dtype": "float32",
        "adam-beta2": "0.999", "device": "cpu"}
    assert not {"epochs", "resume", "json", "print-recipe", "method-option"} & settings.keys()
    assert printed(recipe("\n".join(lines)))[0] == lines
    assert printed(recipe(BASE.replace("2e-3", "null")))[1]["learning-rate"] == "0.003"


def test_later_recipes_and_flags_override(recipe):
    text = BASE.replace("task: rte", "task: text")
    base = recipe(text + "packing: true\ndev-data: [a, b]\ntargets: [query, value]\n")
    settings = printed(base)[1]
    assert settings["dev-data"] == ["a", "b"] and settings["targets"] == "query,value"
    settings = printed(
        base, recipe("documents: line\nseed: 5\ndev-data: c"), "--packing=false", "--data", "p", "q",
        steps=9, targets="all-linear")[1]
    assert settings == settings | {
        "documents": "line", "seed": "5", "dev-data": "c", "data": ["p", "q"], "steps": "9",
        "targets": "all-linear"}
    assert settings["packing"] == "false"


def test_another_method_takes_over_what_it_has(recipe):
    base = recipe(BASE + "sign-grad: xnor\n")
    done = harness.run("train", base, "--method", "lora", print_recipe=True)
    assert done.returncode == 0, done.stderr
    settings = flat(done.stdout)
    assert settings["rank"] == "8" and settings["method"] == "lora"
    assert not {"sign-grad", "magnitude-rank"} & settings.keys()
    assert done.stderr == f"note: {base}:10: sign-grad: left out, for lora has no such option\n"
    over = recipe("method: hira\nsign_grad: xnor")
    harness.assert_refused(
        harness.run("train", base, over, print_recipe=True),
        f"{over}:2: sign_grad: ", "--sign-grad", "hira", "no such option")


# --- what is refused ------------------------------------------------------------------------------

# What is added to a recipe that is right, and words of the line that refuses it. What the parser of
# recipes refuses by itself is the Swift tests' (RecipesTests).
REFUSALS = {
    "unknown key": ("learning_rat: 1", [":10: 'learning_rat'", "did you mean learning-rate?"]),
    "a flag of the call": ("print-recipe: true", [":10: 'print-recipe'"]),
    "a word for a number": ("epochs: many", [":10: epochs: ", "'many'", "--epochs"]),
    "a fraction of an epoch": ("epochs: 1.5", [":10: epochs: ", "'1.5'"]),
    "no epochs": ("epochs: 0", [":10: epochs: ", "0 is not from 1"]),
    "a negative rate": ("head-learning-rate: -1", [":10: head-learning-rate: ", "-1"]),
    "an unknown type": ("dtype: int4", [":10: dtype: ", "int4", "bfloat16"]),
    "an unknown device": ("computing: {device: tpu}", [":10: device: ", "tpu"]),
    "no threads": ("threads: 0", [":10: threads: ", "0"]),
    "targets twice": (
        "targets: a\ntarget-pattern: b", [": target-pattern: ", "does not go with"]),
    "an option of another method": ("lora-bias: true", [":10: lora-bias: ", "dual-lora"]),
    "a rank of a half": ("magnitude-rank: x", [":10: magnitude-rank: ", "'x'"]),
    "a tab": ("training:\n\tepochs: 3", [":11: a tab"]),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_bad_recipe_is_refused_by_line_and_key(recipe, name):
    text, words = REFUSALS[name]
    path = recipe(BASE + text)
    harness.assert_refused(harness.run("train", path), str(path), *words)


@pytest.mark.parametrize("value", ["-3", "7.5"])
def test_a_bad_flag_is_not_laid_to_the_recipe(recipe, value):
    path = recipe(BASE)
    done = harness.run("train", path, f"--steps={value}")
    harness.assert_refused(done, "--steps", usage=True)
    assert str(path) not in done.stderr


def test_what_is_no_recipe_is_refused(tmp_path, recipe):
    for path, word in [
            (tmp_path / "none.yaml", "no such recipe"), (tmp_path, "a folder"),
            (recipe(""), "empty"), (recipe("Dear reader"), "key: value"),
            (recipe("\0"), "not YAML")]:
        harness.assert_refused(harness.run("train", path), f"Error: {path}", word)
    for word, hint in [("--rnak", "did you mean --rank?"), ("--nothing=3", "no such flag"),
                       ("--packing=3", "true or false"), ("--steps", "no value")]:
        harness.assert_refused(harness.run("train", recipe(BASE), word), word[:6], hint)


# --- a run makes itself again ---------------------------------------------------------------------

RUNS = {
    "dual-lora": dict(method="dual-lora", magnitude_rank=3, direction_rank=2, dropout=0.1,
                      sign_grad="xnor"),
    "lora": dict(method="lora", rank=4, targets="query,output.dense", bias="lora_only",
                 keep_best=True, evaluation_steps=3, schedule="cosine"),
    "full": dict(method="full", train="bias"),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_recipe_of_a_run_makes_it_again(tmp_path, classifier, task_data, name):
    first, second = tmp_path / "first", tmp_path / "second"
    harness.train(
        classifier("rte"), task_data("rte"), first, task="rte", epochs=2, batch_size=8, seed=7,
        **RUNS[name])
    text = (first / "recipe.yaml").read_text()
    assert f"duallora {harness.read_json(first / 'result.json')['versions']['duallora']}" in text
    assert flat(text)["output"] == str(first)
    harness.succeed("train", first / "recipe.yaml", output=second)
    weights = "model.safetensors" if name == "full" else "adapter_model.safetensors"
    assert harness.digest(second / weights) == harness.digest(first / weights)
    logs = [[{key: value for key, value in record.items() if key != "seconds"}
             for record in itertools.chain(*harness.log_of(place))] for place in (first, second)]
    assert logs[0] == logs[1] and len(logs[0]) > 2
    again = flat((second / "recipe.yaml").read_text())
    assert again == {**flat(text), "output": str(second)}


# --- the paper's recipes --------------------------------------------------------------------------


def files(table):
    """The models' recipes of a table, and those to lay over them."""
    models = sorted(path for path in (RECIPES / table).glob("*.yaml")
                    if "model" in yaml.safe_load(path.read_text()))
    others = sorted(set((RECIPES / table).rglob("*.yaml")) - set(models))
    assert len(models) > 1 and len(others) > 5
    return models, others


# Each model's, and all that is laid over on one of them.
PAIRS = [(model, other) for table in TABLES for models, others in [files(table)]
         for model in models for other in [None, *(others if model == models[-1] else [])]]


def usable(path, tmp_path, parser):
    """A copy without the task, and the settings of tasks, that this command does not have yet."""
    text = path.read_text()
    tasks = parser["task"]["abstract"]
    for line in text.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "task" and value.split("  #")[0] not in tasks:
            text = text.replace(line, "  task: text")
        if key == "protocol" and key not in parser:
            text = text.replace(line + "\n", "")
    copy = tmp_path / path.name
    copy.write_text(text.replace("data:\nmethod", "method"))
    return copy


@pytest.mark.parametrize(
    "model, other", PAIRS, ids=[f"{m.stem}+{o.stem if o else ''}" for m, o in PAIRS])
def test_a_recipe_of_the_paper_is_one(tmp_path, parser, model, other):
    words = [usable(path, tmp_path, parser) for path in (model, other) if path]
    lines, settings = printed(*words)
    given = {}
    for path in words:
        given |= flat(path.read_text())
    # What is said holds; what is null is left to the method.
    for key, value in given.items():
        if value != "null" and key in settings:
            expected = ",".join(value) if isinstance(value, list) else value
            assert settings[key] == expected or float(settings[key]) == float(expected), key
    missing = {key for key, value in given.items() if value != "null"} - settings.keys()
    # The budget of dual-lora is written as two ranks; of another method, what it does not have.
    allowed = {"rank"} if given["method"] in ("dual-lora", "adapter-p", "full", "prefix",
                                              "adapter-l") else set()
    allowed |= ({"dropout", "alpha"} if given["method"] in ("full", "prefix", "adapter-l")
                else set())
    assert missing <= allowed
    assert settings["learning-rate"] and "model" in settings and "output" in settings


def test_the_recipes_of_table_1_train_what_the_table_says():
    """From the layers' sizes; LLaMA-7B's 0.83 % is test_commands'."""
    llama3 = {(4096, 4096): 1, (1024, 4096): 2, (14336, 4096): 1, (4096, 14336): 1}
    feed_forward = {(11008, 4096): 1, (4096, 11008): 1}
    sizes = {"llama-7b": 6_738_415_616, "llama3-8b": 8_030_261_248}
    rank = yaml.safe_load((RECIPES / "table1/llama3-8b.yaml").read_text())["method"]["rank"]
    adapter = yaml.safe_load((RECIPES / "table1/methods/adapter-p.yaml").read_text())["method"]
    rand = yaml.safe_load((RECIPES / "table1/methods/randlora.yaml").read_text())["method"]

    def share(model, method, shapes, **options):
        """Of all numbers, the adapter's among them, in per cent."""
        total = 0
        for (outputs, inputs), times in shapes.items():
            found = json.loads(harness.succeed(
                "methods", json=True, output_size=outputs, input_size=inputs, **options))
            total += 32 * times * next(row["count"] for row in found["methods"] if row["name"] == method)
        return 100 * total / (sizes[model] + total)

    for method, ranks in (("dual-lora", rank), ("randlora", rand["rank"])):
        assert share("llama3-8b", method, llama3, rank=ranks) == pytest.approx(
            0.70, abs=0.005)
    # 256, which is what `methods` counts for it.
    assert adapter["bottleneck"] == 256 and len(adapter["targets"]) == 2
    assert share("llama-7b", "adapter-p", feed_forward) == pytest.approx(3.54, abs=0.005)


@pytest.mark.parametrize("size", ["medium", "large"])
def test_table_4_trains_dual_lora_at_the_scale_of_lora(size):
    base = RECIPES / f"table4/gpt2-{size}.yaml"
    dual = printed(base)[1]
    lora = printed(base, RECIPES / "table4/methods/lora-r4.yaml")[1]
    rank = int(dual["magnitude-rank"])
    assert rank == int(dual["direction-rank"]) == int(lora["rank"]) == 4
    assert float(dual["alpha"]) / rank == float(lora["alpha"]) / 4 == 8


def test_randlora_of_table_1_moves_as_its_authors_move_it():
    """Their scale is alpha / (r sqrt(N)) with alpha = 2 r, their rate 1e-4."""
    settings = printed(RECIPES / "table1/llama3-8b.yaml",
                       RECIPES / "table1/methods/randlora.yaml")[1]
    rank, bases = int(settings["rank"]), -(-4096 // int(settings["rank"]))
    scale = float(settings["alpha"]) / rank
    assert scale * float(settings["learning-rate"]) == pytest.approx(2 / bases ** 0.5 * 1e-4, rel=1e-2)
