"""Instructions and conversations: their tokens and what of them is learnt, beside transformers' own
templates and masks; training on them; data that is refused."""

import csv
import json
import random
import re
import shutil

import pytest
import torch
from peft import PeftModel
from tokenizers import Tokenizer, decoders as spellings, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer

import decoders
import harness

SHARED = harness.ROOT.parent / "shared" / "data"

# A conversation in ChatML's words, what the assistant says marked as transformers wants it.
CHATML = """{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{ message['content'] + '<|im_end|>\\n' }}{% endgeneration %}
{%- else %}
{{- message['content'] + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}"""

# Answers are trimmed, and all but the last lose what stands before </think>, as Qwen3's do.
THINKING = """{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- set content = message['content'] | trim %}
{%- if message['role'] == 'assistant' and not loop.last and '</think>' in content %}
{%- set content = content.split('</think>')[-1] %}
{%- endif %}
{{- content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}"""

WORDS = ["the", "sea", "Ärger", "naïve", "東京", "🦊", "3.14", "don't", "  two  spaces", "\n\nnew line", "a",
         "</", "{{x}}", "end.", "?", "\ttab"]


def write_tokenizer(folder, template, texts=(" ".join(WORDS), "assistant user system")):
    """A byte-level BPE of a few hundred tokens, of some texts, with a template."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = spellings.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    made.train_from_iterator([*texts] * 20, trainer)
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "bos_token": "<s>", "eos_token": "<|im_end|>",
        "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template}))
    return folder


def write_model(folder, template, *texts):
    decoders.make("llama-grouped", folder, vocab_size=400, eos_token_id=4)
    return write_tokenizer(folder, template, *texts)


@pytest.fixture(scope="module")
def chatml(folder_of):
    return folder_of("chatml", lambda folder: write_model(folder, CHATML))


@pytest.fixture(scope="module")
def thinking(folder_of):
    return folder_of("thinking", lambda folder: write_model(folder, THINKING))


def speech(dice):
    return "".join(dice.choice(["", " "]) + dice.choice(WORDS) for _ in range(dice.randrange(1, 9)))


def conversation(dice, thoughts=False):
    turns = [{"role": "system", "content": speech(dice)}] if dice.random() < 0.4 else []
    for _ in range(dice.randrange(1, 4)):
        thought = f"<think>{speech(dice)}</think>" if thoughts and dice.random() < 0.7 else ""
        turns += [{"role": "user", "content": speech(dice)},
                  {"role": "assistant", "content": thought + "x" + speech(dice)}]
    return turns


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def inspected(model, data, **options):
    """Ids and masks of all examples, and the summary."""
    lines = harness.succeed(
        "inspect-data", "--json", model=model, task="instruct", data=data, **options).splitlines()
    rows = [json.loads(line) for line in lines]
    return rows[:-1], rows[-1]["summary"]


def test_tokens_and_masks_are_those_of_transformers(chatml, tmp_path):
    dice = random.Random(1)
    talks = [conversation(dice) for _ in range(300)]
    reference = AutoTokenizer.from_pretrained(chatml)
    found, summary = inspected(chatml, write_lines(
        tmp_path / "talks.jsonl", [{"messages": talk} for talk in talks]))
    assert len(found) == len(talks) == summary["examples"] == summary["examples_with_stop"]
    for talk, row in zip(talks, found):
        wanted = reference.apply_chat_template(
            talk, return_dict=True, return_assistant_tokens_mask=True)
        assert row["ids"] == wanted["input_ids"], talk
        assert row["trained"] == wanted["assistant_masks"], talk
    assert summary["tokens"] == sum(len(row["ids"]) for row in found)
    assert summary["trained_tokens"] == sum(sum(row["trained"]) for row in found)


def test_openai_and_sharegpt_keys_say_the_same(chatml, tmp_path):
    dice = random.Random(2)
    talks = [conversation(dice) for _ in range(20)]
    names = {"user": "human", "assistant": "gpt", "system": "system"}
    there = [{"conversations": [{"from": names[turn["role"]], "value": turn["content"]} for turn in talk]}
             for talk in talks]
    (tmp_path / "list.json").write_text(json.dumps(there))
    here = write_lines(tmp_path / "a.jsonl", [{"messages": talk} for talk in talks])
    found, _ = inspected(chatml, [here, tmp_path / "list.json"])
    assert len(found) == 40 and found[:20] == found[20:]


def test_the_last_answer_alone_or_everything_can_be_learnt(chatml, tmp_path):
    dice = random.Random(3)
    talks = [conversation(dice) for _ in range(40)]
    data = write_lines(tmp_path / "a.jsonl", [{"messages": talk} for talk in talks])
    every, _ = inspected(chatml, data)
    last, _ = inspected(chatml, data, train_on="last-response")
    whole, _ = inspected(chatml, data, train_on="everything")
    for a, b, c in zip(every, last, whole):
        assert a["ids"] == b["ids"] == c["ids"]
        assert c["trained"] == [0] + [1] * (len(c["ids"]) - 1)
        starts = [i for i in range(1, len(a["ids"])) if a["trained"][i] and not a["trained"][i - 1]]
        assert b["trained"] == [int(i >= starts[-1] and a["trained"][i]) for i in range(len(a["ids"]))]


def test_a_template_that_drops_earlier_thoughts_gives_an_example_for_each_answer(thinking, tmp_path):
    dice = random.Random(4)
    talks = [conversation(dice, thoughts=True) for _ in range(100)]
    reference = AutoTokenizer.from_pretrained(thinking)
    found, _ = inspected(thinking, write_lines(
        tmp_path / "a.jsonl", [{"messages": talk} for talk in talks]))
    wanted = []
    for talk in talks:
        # Where no thought is dropped, the conversation stays whole.
        answers = [i for i, turn in enumerate(talk) if turn["role"] == "assistant"]
        whole = reference.apply_chat_template(talk, tokenize=False)
        ends = [reference.apply_chat_template(talk[:i + 1], tokenize=False) for i in answers]
        if all(whole.startswith(end) for end in ends):
            wanted.append(whole)
        else:
            wanted += ends
    assert [reference(text, add_special_tokens=False).input_ids for text in wanted] \
        == [row["ids"] for row in found]
    for text, row in zip(wanted, found):
        encoded = reference(text, add_special_tokens=False, return_offsets_mapping=True)
        last = text.rindex("<|im_start|>assistant\n") + len("<|im_start|>assistant\n")
        for (_, end), is_learnt in zip(encoded.offset_mapping, row["trained"]):
            if end > last:
                assert is_learnt, text


def test_prompt_and_completion_stand_as_they_are_and_end(chatml, tmp_path):
    """In files of every form."""
    dice = random.Random(5)
    rows = [{"prompt": speech(dice), "completion": "x" + speech(dice)} for _ in range(180)]
    files = [tmp_path / name for name in ("data.jsonl", "data.json", "data.csv")]
    write_lines(files[0], rows[:60])
    files[1].write_text(json.dumps(rows[60:120], indent=1))
    with open(files[2], "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["prompt", "completion"])
        writer.writeheader()
        writer.writerows(rows[120:])
    reference = AutoTokenizer.from_pretrained(chatml)
    found, _ = inspected(chatml, files)
    for row, given in zip(found, rows, strict=True):
        encoded = reference(
            given["prompt"] + given["completion"], return_offsets_mapping=True,
            add_special_tokens=False)
        assert row["ids"] == encoded.input_ids + [reference.eos_token_id]
        edge = len(given["prompt"])
        learnt = [int(end > edge) for _, end in encoded.offset_mapping] + [1]
        assert row["trained"] == [0] + learnt[1:], given


# Ends that a tokenizer joins to what follows, or splits otherwise where something follows.
ENDS = ["\n\n", "\n\n\n", " ", "  ", "\n\n###\n\n", "    ", "?\n", "\t\t", "\n \n", "1", "don'", "....", " ->", ":"]
ANSWERS = ["Yes.", "  Yes", "\nYes", " Yes", "5", "t", ".", "é", "🦊"]


def test_no_token_of_the_prompt_alone_is_learnt(tmp_path):
    """By a tokenizer as GPT-2's, which takes the white space at a text's end together."""
    model = write_model(tmp_path / "model", None, [
        "x\n\n", "x    ", "yes ->", "don't", "x....", "\t\t", "\n \n"])
    reference = AutoTokenizer.from_pretrained(model)
    assert len(reference("x\n\n", add_special_tokens=False).input_ids) == 2
    rows = [{"prompt": "Is it so?" + end, "completion": answer} for end in ENDS for answer in ANSWERS]
    found, _ = inspected(model, write_lines(tmp_path / "a.jsonl", rows))
    for row, given in zip(found, rows, strict=True):
        encoded = reference(given["prompt"] + given["completion"], return_offsets_mapping=True,
                            add_special_tokens=False)
        assert row["ids"] == encoded.input_ids + [reference.eos_token_id]
        edge = len(given["prompt"])
        assert row["trained"] == [int(end > edge) for _, end in encoded.offset_mapping] + [1], given


def test_a_prompt_may_end_within_a_word_of_sentencepiece(tmp_path):
    if not (SHARED / "tokenizers").is_dir():
        pytest.skip("there is no ../shared/data/tokenizers")
    model = tmp_path / "model"
    decoders.make("llama-grouped", model, vocab_size=32000, eos_token_id=2)
    shutil.copy(SHARED / "tokenizers" / "llama.spm.model", model / "tokenizer.model")
    (model / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "LlamaTokenizer", "add_bos_token": False, "add_eos_token": False,
        "eos_token": "</s>", "unk_token": "<unk>"}))
    dice = random.Random(11)
    text = "The sea is deep, and unfathomable creatures swim in it: jellyfish, anglerfish and others."
    cuts = [dice.randrange(2, len(text) - 2) for _ in range(60)]
    rows = [{"prompt": text[:cut], "completion": text[cut:]} for cut in cuts if text[cut:].strip()]
    found, _ = inspected(model, write_lines(tmp_path / "a.jsonl", rows))
    for row, given in zip(found, rows, strict=True):
        # One character a scalar but for the space before the text; this text is not rewritten.
        ends, place = [], -1
        for token in row["tokens"]:
            place += 0 if token == "</s>" else len(token)
            ends.append(place)
        wanted = [int(end > len(given["prompt"]) or token == "</s>")
                  for end, token in zip(ends, row["tokens"])]
        assert row["trained"][1:] == wanted[1:], (given, row["tokens"])


def test_too_long_examples_are_cut_or_left_out_as_the_user_says(chatml, tmp_path):
    dice = random.Random(6)
    data = write_lines(tmp_path / "a.jsonl", [{"messages": conversation(dice)} for _ in range(60)])
    whole, _ = inspected(chatml, data)
    limit = sorted(len(row["ids"]) for row in whole)[30]
    tails = [row["ids"][-limit:] for row in whole if any(row["trained"][-limit:])]
    assert [row["ids"] for row in inspected(chatml, data, max_length=limit, truncation="start")[0]] == tails
    heads = [row["ids"][:limit] for row in whole if any(row["trained"][:limit])]
    found, summary = inspected(chatml, data, max_length=limit)
    assert [row["ids"] for row in found] == heads
    assert summary["cut_examples"] == sum(row["uncut"] > limit for row in found) > 0
    short = [row["ids"] for row in whole if len(row["ids"]) <= limit]
    assert [row["ids"] for row in inspected(chatml, data, max_length=limit, truncation="drop")[0]] == short


def test_what_is_padding_is_told_and_packing_has_less(chatml, tmp_path):
    dice = random.Random(7)
    data = write_lines(tmp_path / "a.jsonl", [{"messages": conversation(dice)} for _ in range(64)])
    rows, padded = inspected(chatml, data, batch_size=64)
    lengths = [len(row["ids"]) for row in rows]
    assert abs(padded["padding_share"] - (1 - sum(lengths) / (64 * max(lengths)))) < 1e-9
    assert padded["lengths"]["min"] == min(lengths) and padded["lengths"]["max"] == max(lengths)
    assert sum(bar["examples"] for bar in padded["histogram"]) == 64
    room = max(lengths)
    same, packed = inspected(chatml, data, batch_size=2, packing=True, max_length=room)
    assert same == rows
    # Rows are full but for the last example that found no room.
    assert 0 < packed["padding_share"] < min(0.3, padded["padding_share"])


def learn(model, data, output, **options):
    settings = dict(task="instruct", method="lora", rank=8, steps=40, batch_size=8, max_length=256,
                    learning_rate=1e-2, dtype="float32", threads=2)
    harness.succeed("train", model=model, data=data, output=output, **{**settings, **options})
    return harness.read_json(output / "result.json")


def test_an_adapter_learns_the_answers_and_keeps_the_template(chatml, tmp_path):
    dice = random.Random(8)
    talks = [[{"role": "user", "content": dice.choice(WORDS)}, {"role": "assistant", "content": "the sea."}]
             for _ in range(120)]
    data = write_lines(tmp_path / "a.jsonl", [{"messages": talk} for talk in talks])
    result = learn(chatml, data, tmp_path / "out")
    assert result["task"] == "instruct" and result["value"] < 0.2 * result["before"]["metrics"]["perplexity"]
    reference = AutoTokenizer.from_pretrained(chatml)
    assert (tmp_path / "out" / "chat_template.jinja").read_text() == CHATML
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(chatml, dtype=torch.float32), tmp_path / "out").eval()
    # The loss is the mean over the learnt tokens of the examples that were held out.
    total, count = 0.0, 0
    for talk in talks[-6:]:
        row = reference.apply_chat_template(talk, return_dict=True, return_assistant_tokens_mask=True)
        ids = torch.tensor([row["input_ids"]])
        labels = ids.masked_fill(torch.tensor([row["assistant_masks"]]) == 0, -100)
        learnt = int((labels[:, 1:] != -100).sum())
        with torch.no_grad():
            total += model(ids, labels=labels).loss.item() * learnt
        count += learnt
    assert abs(total / count - result["loss"]) < 1e-4


def test_instructions_for_a_model_without_a_template_are_put_into_alpacas_words(tmp_path):
    model = write_model(tmp_path / "model", None)
    rows = [{"instruction": "Say it.", "input": "", "output": "sea"},
            {"instruction": "Say it.", "input": "the", "output": "sea"},
            {"instruction": "Say it.", "output": "sea", "system": "You are the sea."}]
    data = write_lines(tmp_path / "a.jsonl", rows * 20)
    found, _ = inspected(model, data)
    preamble = "Below is an instruction that describes a task"
    wanted = [
        f"<s>{preamble}. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nSay it.\n\n### Response:\nsea<|im_end|>",
        f"<s>{preamble}, paired with an input that provides further context. Write a response that "
        "appropriately completes the request.\n\n### Instruction:\nSay it.\n\n### Input:\nthe\n\n"
        "### Response:\nsea<|im_end|>",
        "<s>You are the sea.\n\n### Instruction:\nSay it.\n\n### Response:\nsea<|im_end|>"]
    assert [row["text"] for row in found[:3]] == wanted
    learn(model, data, tmp_path / "out", steps=2)
    # transformers renders the prompt with the template that came with the adapter.
    reference = AutoTokenizer.from_pretrained(model)
    reference.chat_template = (tmp_path / "out" / "chat_template.jinja").read_text()
    prompt = reference.apply_chat_template(
        [{"role": "user", "content": "Say it."}], add_generation_prompt=True, tokenize=False)
    assert wanted[0].startswith(prompt) and wanted[0][len(prompt):] == "sea<|im_end|>"


TALK = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
BAD = {
    "a line that is no JSON": (json.dumps(TALK) + "\n{\"messages\": [\n", "a.jsonl:2: "),
    "a role out of order": (
        json.dumps(TALK) + "\n" + json.dumps({"messages": TALK["messages"][::-1]}) + "\n",
        "a.jsonl:2: message 1 is of the assistant"),
    "an unknown role": (
        json.dumps({"messages": [{"role": "robot", "content": "x"}]}), "a.jsonl:1: message 1 has the role 'robot'"),
    "a wrong type": (json.dumps({"prompt": 1, "completion": "x"}), "a.jsonl:1: 'prompt' is a number"),
    "a wrong key": (json.dumps({"question": "x"}), "a.jsonl:1: the keys 'question'"),
    "an empty file": ("", "a.jsonl: "),
    "a tool call": (json.dumps({"messages": [TALK["messages"][0], {
        "role": "assistant", "content": "", "tool_calls": [{"id": "c"}]}]}),
        "a.jsonl:1: 'messages[1].tool_calls' is not read"),
    "a role of two lines": (
        json.dumps({"messages": [{"role": "a\nb\033[31m" + "c" * 100_000, "content": "x"}]}),
        "a.jsonl:1: message 1 has the role 'a\\nb\\u{1B}[31mccc"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_named_with_file_and_line(chatml, tmp_path, name):
    text, message = BAD[name]
    (tmp_path / "a.jsonl").write_text(text)
    data = dict(task="instruct", data=tmp_path / "a.jsonl")
    harness.assert_refused(
        harness.run("train", model=chatml, method="lora", output=tmp_path / "out", **data), message)
    assert not (tmp_path / "out").exists()
    harness.assert_refused(harness.run("inspect-data", model=chatml, **data), message)


def test_bad_rows_are_left_out_and_counted_where_the_user_says_so(chatml, tmp_path):
    rows = [json.dumps(TALK)] * 30
    rows[3], rows[7], rows[9] = "{", json.dumps({"messages": []}), json.dumps({"other": 1})
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    done = harness.run(
        "train", "--skip-bad-rows", model=chatml, task="instruct", data=tmp_path / "a.jsonl", method="lora",
        output=tmp_path / "out", steps=1)
    assert done.returncode == 0
    assert "3 rows cannot be used and are left out; the first: " in done.stderr
    assert "a.jsonl:4:" in done.stderr
    printed = harness.succeed("inspect-data", "--json", "--skip-bad-rows", model=chatml, task="instruct",
                              data=tmp_path / "a.jsonl")
    summary = json.loads(printed.splitlines()[-1])["summary"]
    assert summary["skipped_rows"] == 3 and summary["examples"] == 27


# The system text comes before the last question, so it is gone once an answer follows, as in Mistral's.
LATE_SYSTEM = """{%- set system = messages[0].content if messages[0].role == 'system' else '' %}
{%- for message in messages %}
{%- if message.role == 'user' %}{{- '<s>' + (system if loop.last else '') + message.content }}
{%- elif message.role == 'assistant' %}{{- message.content + '<|im_end|>' }}{% endif %}
{%- endfor %}"""


def test_a_row_whose_answer_the_template_has_no_place_for_is_a_bad_row(tmp_path):
    model = write_model(tmp_path / "model", LATE_SYSTEM)
    late = {"messages": [{"role": "system", "content": "s"}, *TALK["messages"]]}
    options = dict(model=model, task="instruct")
    data = write_lines(tmp_path / "a.jsonl", [TALK, late, TALK])
    done = harness.run("inspect-data", data=data, **options)
    harness.assert_refused(done, "a.jsonl:2: the chat template writes what comes before message 3 otherwise",
                           "--skip-bad-rows")
    assert "--train-on" not in done.stderr
    printed = harness.succeed("inspect-data", "--json", "--skip-bad-rows", data=data, **options)
    summary = json.loads(printed.splitlines()[-1])["summary"]
    assert (summary["examples"], summary["skipped_rows"]) == (2, 1)
    done = harness.run("inspect-data", "--skip-bad-rows",
                       data=write_lines(tmp_path / "b.jsonl", [late, late]), **options)
    harness.assert_refused(done, "none of 2 rows can be used; the first: ", "b.jsonl:1: ")
    assert "--max-length" not in done.stderr


def test_data_that_never_teaches_to_stop_is_refused(tmp_path):
    model = write_model(tmp_path / "model", CHATML.replace("<|im_end|>", "<|end|>"))
    data = write_lines(tmp_path / "a.jsonl", [TALK] * 30)
    options = dict(model=model, task="instruct", data=data, method="lora", output=tmp_path / "out", steps=1)
    done = harness.run("train", **options)
    harness.assert_refused(done, "no example teaches the model to stop: <|im_end|> is never learnt", "--allow-no-stop",
                           "the answers end with ordinary tokens", "<|end|>")
    cut = harness.run("train", max_length=18, **options)
    harness.assert_refused(cut, "<|im_end|> is never learnt", "a greater --max-length")
    assert not (tmp_path / "out").exists()
    harness.succeed("train", "--allow-no-stop", **options)


def test_a_conversation_without_a_template_is_refused(tmp_path):
    model = write_model(tmp_path / "model", None)
    data = write_lines(tmp_path / "a.jsonl", [TALK] * 30)
    done = harness.run("inspect-data", model=model, task="instruct", data=data)
    harness.assert_refused(done, "a.jsonl:1", "--chat-template")
    found, _ = inspected(model, data, chat_template="chatml")
    assert found[0]["text"] == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"


def test_packed_conversations_have_the_loss_of_padded_ones(chatml, tmp_path):
    dice = random.Random(9)
    data = write_lines(tmp_path / "a.jsonl", [{"messages": conversation(dice)} for _ in range(40)])
    losses = [json.loads(harness.succeed(
        "evaluate", "--json", model=chatml, task="instruct", data=data, dtype="float32",
        **options))["loss"] for options in [{}, {"packing": True}]]
    assert abs(losses[0] - losses[1]) < 1e-5


def test_a_packed_run_that_is_resumed_ends_as_one_that_was_not(chatml, tmp_path):
    """In another process, in which Swift hashes otherwise; with several fields, dropout and a warm-up."""
    dice = random.Random(10)
    data = write_lines(tmp_path / "a.jsonl", [
        {"question": speech(dice), "facts": speech(dice), "said": "x" + speech(dice)} for _ in range(60)])
    options = dict(
        task="instruct", method="lora", dropout=0.2, field=["instruction=question", "input=facts", "output=said"],
        packing=True, max_length=128, batch_size=2, gradient_accumulation=2, steps=8, warmup_steps=3,
        learning_rate=1e-2, checkpoint_steps=3, logging_steps=1)
    harness.train(chatml, data, tmp_path / "whole", **options)
    stopped = tmp_path / "stopped"
    shutil.copytree(tmp_path / "whole/checkpoints/step-00000003", stopped / "checkpoints/step-00000003")
    harness.train(chatml, data, stopped, resume=True, **options)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (stopped / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_run_on_other_data_is_not_resumed(chatml, tmp_path):
    """As many examples of other lengths, the same in the words of another template, and other words of
    the same length."""
    data = write_lines(tmp_path / "a.jsonl", [TALK] * 30)
    options = dict(task="instruct", method="lora", steps=4, checkpoint_steps=2, output=tmp_path / "out")
    harness.succeed("train", model=chatml, data=data, **options)
    template = tmp_path / "other.jinja"
    template.write_text(CHATML.replace("<|im_end|>\\n", "<|im_end|>"))
    other = write_lines(tmp_path / "b.jsonl", [{"messages": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "the sea"}]}] + [TALK] * 29)
    for changes in (dict(data=other), dict(data=data, chat_template=template)):
        done = harness.run("train", model=chatml, resume=True, **options, **changes)
        harness.assert_refused(done, "is of a run on ", " tokens, not ")
    turned = write_lines(tmp_path / "c.jsonl", [{"messages": [
        {"role": "user", "content": "b"}, {"role": "assistant", "content": "a"}]}] + [TALK] * 29)
    done = harness.run("train", model=chatml, resume=True, data=turned, **options)
    harness.assert_refused(done, "is of a run on another set of examples")


# As Llama 3.2's: today's date, if nothing else is said.
DATED = """{%- if date_string is not defined %}{% set date_string = strftime_now("%d %b %Y") %}{% endif -%}
{{- "Today: " + date_string + "\\n" -}}""" + CHATML


def dated_run(tmp_path, name, **options):
    """The adapter of a run in the words of that template."""
    model = tmp_path / "dated"
    if not model.exists():
        write_model(model, DATED)
    data = write_lines(tmp_path / "a.jsonl", [TALK] * 30)
    harness.train(model, data, tmp_path / name, task="instruct", method="lora", steps=3, **options)
    return (tmp_path / name / "adapter_model.safetensors").read_bytes()


def told(tmp_path, **options):
    """What a model learns of the first row."""
    return inspected(tmp_path / "dated", tmp_path / "a.jsonl", **options)[0][0]["text"]


def test_a_template_that_asks_for_the_date_is_told_the_one_that_the_user_says(tmp_path):
    first = dated_run(tmp_path, "first", template_date="2024-07-26")
    assert told(tmp_path, template_date="2024-07-26").startswith("Today: 26 Jul 2024\n")
    assert told(tmp_path, template_variables='{"date_string": "noon"}').startswith("Today: noon\n")
    assert dated_run(tmp_path, "again", template_date="2024-07-26T11:22:33") == first
    pinned = json.dumps({"date_string": "26 Jul 2024"})
    assert dated_run(tmp_path, "variable", template_variables=pinned) == first
    assert dated_run(tmp_path, "other", template_date="2024-07-27") != first


def test_a_recipe_records_the_date_that_a_template_was_told(tmp_path):
    first = dated_run(tmp_path, "first")
    recipe = (tmp_path / "first/recipe.yaml").read_text()
    day = re.search(r'template-date: "(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"', recipe).group(1)
    (tmp_path / "later.yaml").write_text(recipe.replace(day, "2001-02-03T04:05:06"))
    for name, path, same in (("again", "first/recipe.yaml", True), ("later", "later.yaml", False)):
        harness.succeed("train", tmp_path / path, output=tmp_path / name)
        made = (tmp_path / name / "adapter_model.safetensors").read_bytes()
        assert (made == first) == same


def test_a_resumed_run_keeps_the_date_that_it_began_with(tmp_path):
    options = dict(checkpoint_steps=2, template_variables='{"x": 1}')
    whole = dated_run(tmp_path, "whole", template_date="2024-07-26", **options)
    stopped = tmp_path / "stopped"
    shutil.copytree(
        tmp_path / "whole/checkpoints/step-00000002", stopped / "checkpoints/step-00000002")
    assert dated_run(tmp_path, "stopped", resume=True, **options) == whole
    assert "2024-07-26T00:00:00" in (stopped / "recipe.yaml").read_text()
    shutil.rmtree(stopped)
    shutil.copytree(
        tmp_path / "whole/checkpoints/step-00000002", stopped / "checkpoints/step-00000002")
    common = dict(model=tmp_path / "dated", data=tmp_path / "a.jsonl", output=stopped, task="instruct",
                  method="lora", steps=3, resume=True, checkpoint_steps=2)
    for words, changes in (
            ("with --template-date 2024-07-26T00:00:00, not 2024-07-27T00:00:00",
             dict(template_date="2024-07-27", template_variables='{"x": 1}')),
            ('with --template-variables {"x": 1}, not {"x": 2}', dict(template_variables='{"x": 2}'))):
        harness.assert_refused(harness.run("train", **common, **changes), words)


def test_what_no_template_can_be_told_is_refused(chatml, tmp_path):
    data = write_lines(tmp_path / "a.jsonl", [TALK] * 30)
    for changes, word in ((dict(template_date="yesterday"), "--template-date: 'yesterday'"),
                          (dict(template_variables="[]"), "--template-variables: '[]'")):
        for command, options in (("inspect-data", {}), ("evaluate", {}),
                                 ("train", dict(method="lora", output=tmp_path / "out"))):
            done = harness.run(
                command, model=chatml, task="instruct", data=data, **options, **changes)
            harness.assert_refused(done, word)


def test_an_adapter_is_scored_in_the_words_that_it_was_trained_on(tmp_path):
    """Its template comes before the model's, and stands for one where the model has none."""
    dice = random.Random(12)
    data = write_lines(tmp_path / "a.jsonl", [{"messages": conversation(dice)} for _ in range(40)])
    other = tmp_path / "other.jinja"
    other.write_text(CHATML.replace("user", "USER").replace("<|im_start|>", "<|im_start|>: "))
    for name, own in (("bare", None), ("with", CHATML)):
        model = write_model(tmp_path / name, own)
        adapter = tmp_path / f"{name} adapter"
        learn(model, data, adapter, steps=2, chat_template=other)
        scores = [json.loads(harness.succeed(
            "evaluate", "--json", model=model, adapter=adapter, task="instruct", data=data,
            dtype="float32", **options)) for options in ({}, dict(chat_template=other))]
        assert scores[0] == scores[1]


REFUSED = {
    "a negative length": (dict(max_length=-5), "--max-length: -5 is not from 4"),
    "data to score on": (
        dict(dev_data="a.jsonl"),
        "--dev-data: evaluate has no such flag; it is one of train, pretrain and inspect-data"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_evaluate_refuses_what_says_nothing_to_it(chatml, tmp_path, name):
    options, message = REFUSED[name]
    data = write_lines(tmp_path / "a.jsonl", [TALK])
    harness.assert_refused(
        harness.run("evaluate", model=chatml, task="instruct", data=data, **options), message)
