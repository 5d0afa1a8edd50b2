"""`--task commonsense` against its protocols, written down here anew after what LLM-Adapters' and HiRA's
code does, with Google's `sentencepiece` and transformers' `generate`.

Needs the public data and LLaMA's SentencePiece model in ../shared/data. The tokenizer that transformers 5
makes of such a model joins runs of spaces otherwise than the model says ("a  b"): it only decodes here.
"""

import json
import re
import shutil

import pytest
import sentencepiece
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, LlamaTokenizer

import harness

SHARED = harness.ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not (SHARED / "commonsense").is_dir(), reason="there is no ../shared/data/commonsense")

# The sets at hand: folder, name, the expression that LLM-Adapters searches for.
ANSWERS = "answer1|answer2|answer3|answer4|answer5"
SETS = {"boolq": ("boolq", "true|false"), "ARC-Easy": ("arc-easy", ANSWERS),
        "ARC-Challenge": ("arc-challenge", ANSWERS), "openbookqa": ("obqa", ANSWERS)}
PREAMBLE = ("Below is an instruction that describes a task. "
            "Write a response that appropriately completes the request.")
INDENT = " " * 16


def rows(name, part):
    return json.loads((SHARED / "commonsense" / name / f"{part}.json").read_text())


def write(folder, **parts):
    """A data folder: `write(folder, boolq=dict(train=[...], test=[...]))`."""
    for name, files in parts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for part, examples in files.items():
            (folder / name / f"{part}.json").write_text(json.dumps(examples, indent=4))
    return folder


@pytest.fixture(scope="module")
def few(folder_of):
    """The first examples of every set."""
    return folder_of("few", lambda folder: write(folder, **{
        name: dict(train=rows(name, "train")[:60], test=rows(name, "test")[:4]) for name in SETS}))


def small_llama(folder):
    """A LLaMA-shaped model of random weights, with LLaMA's own tokenizer."""
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(
        vocab_size=32000, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
        bos_token_id=1, eos_token_id=2)).save_pretrained(folder)
    shutil.copy(SHARED / "tokenizers" / "llama.spm.model", folder / "tokenizer.model")
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(
        tokenizer_class="LlamaTokenizer", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        add_bos_token=True, add_eos_token=False, legacy=True)))


@pytest.fixture(scope="module")
def llama(folder_of):
    return folder_of("llama", small_llama)


@pytest.fixture(scope="module")
def pieces(llama):
    """LLaMA's pieces: `pieces(text)` gives ids, without tokens that begin or end a text."""
    return sentencepiece.SentencePieceProcessor(model_file=str(llama / "tokenizer.model")).encode


# --- the protocols --------------------------------------------------------------------------------

BEGINNING, END = 1, 2


def plain_prompt(example):
    return f"{PREAMBLE}  \n\n### Instruction:\n{example['instruction']}\n\n### Response:\n"


def hira_example(pieces, example):
    """Ids, and which of them are learnt: `format_causal_input` cuts context and target at their ends,
    pads the one on the left and the other on the right, and learns the target."""
    context, target = pieces(plain_prompt(example))[:256], pieces(example["output"].strip())[:16]
    return context + target, [False] * len(context) + [True] * len(target)


def hira_prompt(pieces, example):
    """The token that begins a text is spelled out before the prompt, and counts when it is cut."""
    return [BEGINNING, *pieces(plain_prompt(example))][:256]


def llm_adapters_example(pieces, example):
    text = (f"{PREAMBLE}  \n\n{INDENT}### Instruction:\n{INDENT}{example['instruction']}\n{INDENT}\n"
            f"{INDENT}### Response:\n{INDENT}{example['output']}")
    ids = [BEGINNING, *pieces(text)][:256]
    if ids[-1] != END and len(ids) < 256:
        ids.append(END)
    return ids, [place > 0 for place in range(len(ids))]  # nothing stands before the first


def llm_adapters_prompt(pieces, example):
    text = (f"{PREAMBLE} \n\n{INDENT}### Instruction:\n{INDENT}{example['instruction']}\n\n"
            f"{INDENT}### Response:\n{INDENT}")
    return [BEGINNING, *pieces(text)]


def hira_text(tokenizer, prompt, new):
    text = tokenizer.decode(new).replace("<unk>", "")
    for mark in ("</s>", "Q:", "R:"):
        text = text[:text.index(mark)] if mark in text else text
    return text


def llm_adapters_text(tokenizer, prompt, new):
    whole = tokenizer.decode(prompt + new, skip_special_tokens=True)
    return whole.split("### Response:")[-1].strip()


# Examples, prompts, texts, new tokens, and the tokens that end a text.
PROTOCOLS = {
    "hira": (hira_example, hira_prompt, hira_text, 16, END),
    "llm-adapters": (llm_adapters_example, llm_adapters_prompt, llm_adapters_text, 32, None),
}


def predictions(folder, model, data, **options):
    """The scores of `duallora evaluate`, and what it writes of every question."""
    file = folder / "predictions.jsonl"
    scores = json.loads(harness.succeed(
        "evaluate", model=model, data=data, predictions=file, json=True, timeout=500,
        **{"task": "commonsense", "dtype": "float32", **options}))
    return scores, [json.loads(line) for line in file.read_text().splitlines()]


def questions(data, limit=None):
    """Every test example with its set, in the order of the paper's table."""
    return [(name, example) for name in SETS
            for example in json.loads((data / name / "test.json").read_text())[:limit]]


# --- prompts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_training_examples_are_the_protocols(tmp_path, llama, pieces, protocol):
    """Tokens and masks of every thirtieth example, and of those that are cut. Each comes three times in a
    row, for some are held out."""
    make, expected = PROTOCOLS[protocol][0], []
    for name in SETS:
        every = rows(name, "train") + rows(name, "test")
        longest = sorted(every, key=lambda row: len(row["instruction"]))[-8:]
        chosen = [row for row in every[::30] + longest for _ in range(3)]
        write(tmp_path, **{name: dict(train=chosen, test=every[:1])})
        expected += [make(pieces, row) for row in chosen]
    printed = harness.succeed("inspect-data", model=llama, data=tmp_path, task="commonsense",
                              protocol=protocol, json=True).splitlines()
    made = [json.loads(line) for line in printed]
    found = [(row["ids"], [bool(mark) for mark in row["trained"]]) for row in made[:-1]]
    held_out = 120
    assert len(found) == len(expected) - held_out
    assert made[-1]["summary"]["cut_examples"] > 0
    rest = iter(found)
    here, left, missing = next(rest), len(found), []
    for one in expected:
        if one == here:
            here, left = next(rest, None), left - 1
        else:
            missing.append(one)
    assert left == 0 and len(missing) == held_out
    assert all(one in found for one in missing)


@pytest.mark.parametrize("protocol, limit", [("likelihood", 150), ("llm-adapters", 10)])
def test_test_prompts_are_the_protocols(tmp_path, llama, pieces, protocol, limit):
    """`likelihood` has HiRA's, and no text needs to be generated for them."""
    data = SHARED / "commonsense"
    scores, made = predictions(tmp_path, llama, data, protocol=protocol, limit=limit)
    expected = questions(data, limit)
    assert scores["examples"] == len(made) == len(expected)
    prompt = PROTOCOLS["hira" if protocol == "likelihood" else protocol][1]
    for (name, example), found in zip(expected, made):
        assert found["task"] == SETS[name][0] and found["gold"] == example["answer"]
        assert found["prompt_ids"] == prompt(pieces, example)


# --- answers --------------------------------------------------------------------------------------


LESSONS = {"hira": dict(steps=80, batch_size=8, learning_rate=2e-2),
           "llm-adapters": dict(steps=150, batch_size=2, learning_rate=1e-2)}


@pytest.fixture(scope="module")
def taught(folder_of, llama, few):
    """Folders of models that learnt to answer, if not to be right, under each protocol."""
    def get(protocol):
        return folder_of(("taught", protocol), lambda folder: harness.train(
            llama, few, folder, task="commonsense", protocol=protocol, method="full",
            dtype="float32", limit=1, timeout=300, **LESSONS[protocol]))
    return get


def by_set(values):
    """The mean of each set."""
    sets = {}
    for name, value in values:
        sets.setdefault(SETS[name][0], []).append(value)
    return {name: sum(own) / len(own) for name, own in sets.items()}


def assert_scores(scores, expected, suffix=""):
    """The accuracies of the sets and their plain mean."""
    expected = {**expected, "average": sum(expected.values()) / len(expected)}
    for name, value in expected.items():
        assert scores["metrics"][name + suffix] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_answers_are_those_of_transformers(tmp_path, taught, few, pieces, protocol):
    _, prompt_of, text_of, count, end = PROTOCOLS[protocol]
    folder = taught(protocol)
    scores, made = predictions(tmp_path, folder, few, protocol=protocol)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = LlamaTokenizer.from_pretrained(folder)
    expected, named = [], 0
    for (name, example), found in zip(questions(few), made, strict=True):
        prompt = prompt_of(pieces, example)
        with torch.no_grad():
            ids = model.generate(
                torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)).long(),
                num_beams=4, do_sample=False, max_new_tokens=count, eos_token_id=end, pad_token_id=0)
        text = text_of(tokenizer, prompt, ids[0, len(prompt):].tolist())
        answers = re.findall(SETS[name][1], text.strip())
        answer = answers[0] if answers else ""
        assert (found["text"], found["answer"]) == (text, answer)
        expected.append((name, float(answer == example["answer"])))
        named += answer != ""
    assert named > 3  # else nothing was learnt, and no answer read
    assert_scores(scores, by_set(expected))


def choices(example):
    return re.search(r"Answer format: (\S+)$", example["instruction"])[1].split("/")


def test_likelihoods_are_those_of_transformers(tmp_path, taught, few, pieces):
    folder = taught("hira")
    scores, made = predictions(tmp_path, folder, few, protocol="likelihood")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    sums, means = [], []
    for (name, example), found in zip(questions(few), made, strict=True):
        prompt = hira_prompt(pieces, example)
        values = {}
        for choice in choices(example):
            answer = pieces(f"the correct answer is {choice}")
            with torch.no_grad():
                rows = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
            values[choice] = [rows[len(prompt) - 1 + place, token].item()
                              for place, token in enumerate(answer)]
        best = max(values, key=lambda choice: sum(values[choice]))
        assert found["answer"] == best
        byte_token = max(values, key=lambda choice: sum(values[choice]) / len(values[choice]))
        sums.append((name, float(best == example["answer"])))
        means.append((name, float(byte_token == example["answer"])))
    assert_scores(scores, by_set(sums))
    assert_scores(scores, by_set(means), suffix="-normalized")


# --- runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["lora", "dual-lora", "full"])
def test_a_run_goes_through_to_the_table(tmp_path, folder_of, few, method):
    """Pretrain, train, evaluate: every column, and the same from the saved folder."""
    def pretrain(folder):
        small_llama(folder / "tokens")
        text = "\n\n".join(f"{plain_prompt(row)}{row['output']}" for row in rows("ARC-Easy", "train"))
        (folder / "train.txt").write_text(text[:60_000])
        config = harness.read_json(folder / "tokens" / "config.json")
        (folder / "config.json").write_text(json.dumps(config))
        harness.succeed("pretrain", config=folder / "config.json", tokenizer=folder / "tokens",
                        data=folder / "train.txt", steps=3, batch_size=2, max_length=128,
                        output=folder / "base", timeout=300)

    base = folder_of("pretrained", pretrain) / "base"
    result = harness.train(base, few, tmp_path / "out", task="commonsense", method=method, steps=3,
                           batch_size=4, limit=3, timeout=300)
    assert result["metric"] == "average" and result["task"] == "commonsense"
    names = {name for name, _ in SETS.values()}
    assert set(result["metrics"]) == names | {"average"}
    options = dict(task="commonsense", data=few, limit=3)
    where = (dict(model=tmp_path / "out") if method == "full"
             else dict(model=base, adapter=tmp_path / "out"))
    again = json.loads(harness.succeed("evaluate", json=True, **where, **options))
    assert again["examples"] == 3 * len(SETS)
    assert again["metrics"] == result["metrics"]
    done = harness.run("evaluate", **where, **options)
    header, _, line = done.stdout.splitlines()[:3]
    assert header.split() == "BoolQ PIQA SIQA HellaS WinoG ARC-e ARC-c OBQA Avg.".split()
    assert line.split() == ["accuracy,", "%"] + [
        f"{100 * result['metrics'][name]:.1f}" if name in result["metrics"] else "-"
        for name in "boolq piqa siqa hellaswag winogrande arc-easy arc-challenge obqa average".split()]
    assert "4 of 8 sets" in done.stderr and "PIQA, SIQA, HellaS, WinoG" in done.stderr


def test_one_set_alone_is_scored_by_its_accuracy(tmp_path, llama, few):
    merged, _ = predictions(tmp_path, llama, few, protocol="likelihood")
    for name, data in (("boolq", few), ("arc-easy", few / "ARC-Easy")):
        alone, made = predictions(tmp_path, llama, data, task=name, protocol="likelihood")
        assert alone["metric"] == "accuracy" and len(made) == 4
        assert alone["value"] == sum(row["answer"] == row["gold"] for row in made) / 4
        assert alone["value"] == merged["metrics"][name]


def test_a_merged_training_file_is_taken_in_place_of_the_sets_own(tmp_path, llama, few):
    data = shutil.copytree(few, tmp_path / "data")
    (data / "commonsense_15k.json").write_text(json.dumps(
        [example for name in SETS for example in rows(name, "train")[:30]]))
    done = harness.run("train", model=llama, data=data, output=tmp_path / "out",
                       task="commonsense", method="lora", steps=1, batch_size=2, limit=1)
    assert done.returncode == 0, done.stderr
    assert "12 of 120 training examples of commonsense_15k.json are held out" in done.stderr


# --- faults ---------------------------------------------------------------------------------------


def faulty(folder, text):
    (folder / "boolq").mkdir(parents=True)
    (folder / "boolq" / "test.json").write_text(text)
    return folder


GOOD = dict(instruction="Is it?", input="", output="the correct answer is true", answer="true")
FAULTS = {
    "another label": (
        json.dumps([GOOD, {**GOOD, "answer": "yes"}], indent=1),
        ["boolq/test.json:8", "'answer' is 'yes'", "'true' or 'false'"]),
    "a missing key": (
        json.dumps([{"instruction": "Is it?", "answer": "true"}]),
        ["boolq/test.json:1", "no 'output'"]),
    "another kind": (
        json.dumps([{**GOOD, "output": 3}]), ["boolq/test.json:1", "'output' is a number", "a text"]),
    "a broken list": (
        json.dumps([GOOD, GOOD], indent=1)[:-20], ["boolq/test.json:12", "closing quote"]),
    "nothing": ("[]", ["boolq/test.json", "no examples"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_data_is_named_with_file_and_line(tmp_path, llama, fault):
    text, words = FAULTS[fault]
    data = faulty(tmp_path / "data", text)
    done = harness.run("evaluate", model=llama, data=data, task="commonsense")
    harness.assert_refused(done, *words)


OPTIONS = {
    "no examples": (dict(limit=0), ["--limit", "0"]),
    "no folder for the file": (dict(predictions="nowhere/a.jsonl"), ["--predictions", "nowhere"]),
    "another task's option": (dict(task="cola", protocol="hira"), ["--protocol", "cola"]),
    "an option of text": (dict(packing=True), ["--packing", "commonsense"]),
    "a task that is nearly one": (dict(task="arc-eazy"), ["arc-eazy", "did you mean 'arc-easy'?"]),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_does_not_go_is_named(llama, few, option):
    options, words = OPTIONS[option]
    done = harness.run("evaluate", **{"model": llama, "data": few, "task": "commonsense", **options})
    harness.assert_refused(done, *words)


def test_a_folder_without_any_set_is_refused(tmp_path, llama):
    done = harness.run("evaluate", model=llama, data=tmp_path, task="commonsense")
    harness.assert_refused(done, "boolq/test.json", "openbookqa/test.json")
