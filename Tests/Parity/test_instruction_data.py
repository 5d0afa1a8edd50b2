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
import test_chat_templates as templates

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


MARKED = {name: text for name, text in templates.TEMPLATES.items()
          if re.search(r"\{%-?\s*generation", text)}
# The content alone is marked, so that its last token may have letters of what follows, and an answer may be empty;
# two marks in a message, thoughts apart; a mark that another answer of a conversation takes away.
MARKED |= {
    "content alone": "{% for m in messages %}{% if m.role == 'assistant' %}a{% generation %}{{ m.content }}"
                     "{% endgeneration %}b{% else %}{{ m.content }}{% endif %}{% endfor %}",
    "two marks": "{% for m in messages %}{{ '<|im_start|>' + m.role }}{% if m.role == 'assistant' %}"
                 "{% generation %}{{ m.reasoning_content or '' }}{% endgeneration %}|{% generation %}"
                 "{{ m.content | trim }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}<|im_end|>"
                 "{% endif %}{% endfor %}",
    "the last answer alone": "{% for m in messages %}{{ '<|im_start|>' + m.role }}{% if m.role == 'assistant' "
                             "and loop.last %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
                             "{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}",
}


@pytest.mark.parametrize("name", sorted(MARKED))
def test_what_a_template_marks_is_what_is_learnt(chatml, tmp_path, name):
    """As `return_assistant_tokens_mask` has it, in conversations of several turns, with thoughts and calls."""
    template = MARKED[name]
    (tmp_path / "t.jinja").write_text(template)
    reference = AutoTokenizer.from_pretrained(chatml)
    dice = random.Random(13)
    rows = [{"messages": conversation(dice, thoughts=n % 3 == 0)} for n in range(60)]
    for row in rows[::4]:
        for turn in row["messages"]:
            if turn["role"] == "assistant":
                turn["reasoning_content"] = speech(dice)
    if "tool_calls" in template and "tools" in template:
        rows += [{"messages": messages, "tools": templates.TOOLS} for messages in templates.TOOL_TALKS
                 if messages[-1]["role"] == "assistant"]
    wanted = []
    for row in rows:
        try:
            wanted.append(reference.apply_chat_template(
                row["messages"], tools=row.get("tools"), chat_template=template, return_dict=True,
                return_assistant_tokens_mask=True))
        except Exception:  # whatever the template raises
            continue
    wanted = [(row["input_ids"], [0] + row["assistant_masks"][1:]) for row in wanted]
    options = dict(chat_template=tmp_path / "t.jinja", max_length=100_000)
    printed = harness.succeed(
        "inspect-data", "--json", "--skip-bad-rows", model=chatml, task="instruct",
        data=write_lines(tmp_path / "a.jsonl", rows), **options)
    found = [json.loads(line) for line in printed.splitlines()][:-1]
    assert [(row["ids"], row["trained"]) for row in found] == [row for row in wanted if any(row[1])]
    assert len(found) > 20


def test_of_what_is_marked_the_last_answer_alone_or_those_with_a_weight_can_be_learnt(chatml, tmp_path):
    dice = random.Random(14)
    (tmp_path / "t.jinja").write_text(MARKED["two marks"])
    rows = [{"messages": conversation(dice)} for _ in range(40)]
    every, _ = inspected(chatml, write_lines(tmp_path / "a.jsonl", rows), chat_template=tmp_path / "t.jinja")
    last, _ = inspected(chatml, tmp_path / "a.jsonl", chat_template=tmp_path / "t.jinja", train_on="last-response")
    for row in rows:
        answers = [turn for turn in row["messages"] if turn["role"] == "assistant"]
        for turn in answers[:-1]:
            turn["weight"] = 0
    weighted, _ = inspected(chatml, write_lines(tmp_path / "b.jsonl", rows), chat_template=tmp_path / "t.jinja")
    assert last == weighted
    for row, one in zip(every, last, strict=True):
        start = len(row["ids"]) - row["ids"][::-1].index(3)
        assert one["ids"] == row["ids"]
        assert one["trained"] == [int(n >= start and is_learnt) for n, is_learnt in enumerate(row["trained"])]


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


@pytest.mark.parametrize("name", sorted(templates.TEMPLATES))
def test_a_row_with_tools_is_what_transformers_makes_of_it(chatml, tmp_path, name):
    """In the words of every public template: messages with calls, answers of tools and thoughts."""
    template = templates.TEMPLATES[name]
    (tmp_path / "t.jinja").write_text(template)
    reference = AutoTokenizer.from_pretrained(chatml)
    rows, wanted = [], []
    for messages in templates.TOOL_TALKS:
        if messages[-1]["role"] == "tool":
            messages = messages + [{"role": "assistant", "content": "So."}]
        for tools in (None, templates.TOOLS):
            row = {"messages": messages, **({"tools": json.dumps(tools) if len(rows) % 2 else tools} if tools else {})}
            try:
                text = reference.apply_chat_template(
                    messages, tools=tools, chat_template=template, tokenize=False)
            except Exception:  # whatever the template raises
                text = None
            calls = any(turn.get("tool_calls") for turn in messages)
            lost = [word for word, there in (("tools", tools), ("tool_calls", calls))
                    if there and not re.search(rf"\b{word}\b", template)]
            rows.append(row)
            if text is not None and not lost:
                wanted.append(reference(text, add_special_tokens=False).input_ids)
    options = dict(chat_template=tmp_path / "t.jinja", train_on="everything", max_length=100_000)
    lines = harness.run(
        "inspect-data", "--json", "--skip-bad-rows", model=chatml, task="instruct",
        data=write_lines(tmp_path / "a.jsonl", rows), **options)
    if not wanted:
        return harness.assert_refused(lines, "none of ")
    found = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [row["ids"] for row in found[:-1]] == [ids for ids in wanted if ids]
    assert found[-1]["summary"]["skipped_rows"] == len(rows) - len(wanted)


def test_the_history_of_an_instruction_stands_before_its_question(chatml, tmp_path):
    """LLaMA-Factory's form of Alpaca's rows; the answers of the history are learnt too."""
    rows = [{"system": "s", "history": [["How many?", "Nine."], ["Sure?", "Yes."]], "instruction": "And", "input":
             "now?", "output": "Ten."}, {"instruction": "a", "input": "", "output": "b", "history": []}]
    reference = AutoTokenizer.from_pretrained(chatml)
    said = [("system", "s"), ("user", "How many?"), ("assistant", "Nine."), ("user", "Sure?"),
            ("assistant", "Yes."), ("user", "And\nnow?"), ("assistant", "Ten.")]
    talks = [[{"role": role, "content": text} for role, text in said], TALK["messages"]]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    with open(tmp_path / "table.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["system", "history", "instruction", "input", "output"])
        writer.writeheader()
        writer.writerows([{**row, "history": json.dumps(row["history"])} for row in rows])
    for data in (write_lines(tmp_path / "a.jsonl", rows), tmp_path / "list.json", tmp_path / "table.csv"):
        found, _ = inspected(chatml, data)
        for row, talk in zip(found, talks, strict=True):
            wanted = reference.apply_chat_template(talk, return_dict=True, return_assistant_tokens_mask=True)
            assert (row["ids"], row["trained"]) == (wanted["input_ids"], wanted["assistant_masks"])


def test_sharegpt_s_calls_and_openai_s_functions_are_calls_of_tools(chatml, tmp_path):
    template = "{{ tools | tojson }}{% for m in messages %}<{{ m.role }}>{{ m.content }}" \
        "{% for c in m.tool_calls or [] %}{{ c | tojson }}{% endfor %}{% endfor %}"
    (tmp_path / "t.jinja").write_text(template)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    called = {"name": "f", "arguments": {"a": 1}}
    turns = [("human", "q"), ("function_call", json.dumps(called)), ("observation", "1"), ("gpt", "x")]
    openai = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "function_call": called},
              {"role": "function", "content": "1"}, {"role": "assistant", "content": "x"}]
    data = write_lines(tmp_path / "a.jsonl", [
        {"conversations": [{"from": role, "value": text} for role, text in turns],
         "tools": json.dumps([{"type": "function", "function": function}])}])
    other = write_lines(tmp_path / "b.jsonl", [{"messages": openai, "functions": [function]}])
    found, _ = inspected(chatml, [data, other], chat_template=tmp_path / "t.jinja", train_on="everything",
                         max_length=400)
    tools = json.dumps([{"type": "function", "function": function}])
    call = json.dumps({"type": "function", "function": called})
    wanted = f"{tools}<user>q<assistant>{call}<tool>1<assistant>x"
    assert [row["text"] for row in found] == [wanted, wanted]


def test_every_key_that_is_not_used_is_named_once(chatml, tmp_path):
    rows = [{"id": n, "instruction": "a", "output": "b", "source": "web" if n % 2 else None} for n in range(6)]
    talks = [{"messages": [{"role": "user", "content": "a", "name": "me"}, {
        "role": "assistant", "content": "b", "weight": 1, "reasoning_content": "hm"}], "images": ["x.png"]}]
    done = harness.run("inspect-data", model=chatml, task="instruct", data=[
        write_lines(tmp_path / "a.jsonl", rows), write_lines(tmp_path / "b.jsonl", talks)])
    notes = [line for line in done.stderr.splitlines() if "the key" in line] or [
        line for line in done.stdout.splitlines() if "the key" in line]
    assert notes == [
        "note: the key 'id' is not used, in 6 rows", "note: the key 'source' is not used, in 3 rows",
        "note: the key 'images' is not used, in 1 row",
        "note: the chat template does not use the key 'name' of messages, in 1 row",
        "note: the chat template does not use the key 'reasoning_content' of messages, in 1 row"]


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


def shares(source_len, target_len, cutoff_len):
    """LLaMA-Factory's `infer_seqlen` (src/llamafactory/data/processor/processor_utils.py), but for an answer
    of which it would leave nothing to learn."""
    if target_len * 2 < cutoff_len:
        max_target_len = cutoff_len
    elif source_len * 2 < cutoff_len:
        max_target_len = cutoff_len - source_len
    else:
        max_target_len = int(cutoff_len * (target_len / (source_len + target_len)))
    new_target_len = min(max(1, max_target_len), target_len)
    return min(max(cutoff_len - new_target_len, 0), source_len), new_target_len


def cut_at_end(row, limit):
    """The first tokens; where no answer is among them, the end of the question and the answer behind it."""
    answer = row["trained"].index(1)
    start, end = 0, limit
    if answer >= limit:
        source, target = shares(answer, len(row["ids"]) - answer, limit)
        start, end = answer - source, answer + target
    return row["ids"][start:end], [0] + row["trained"][start + 1:end]


def test_a_question_that_fills_the_length_leaves_room_for_its_answer(chatml, tmp_path):
    long = "the sea " * 200
    rows = [{"messages": [{"role": "user", "content": long}, {"role": "assistant", "content": "end."}]},
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": long}]},
            {"messages": [{"role": "user", "content": long}, {"role": "assistant", "content": long}]}] + [TALK]
    data = write_lines(tmp_path / "a.jsonl", rows)
    whole, _ = inspected(chatml, data, max_length=100_000)
    for limit in (8, 40, 41):
        found, summary = inspected(chatml, data, max_length=limit)
        assert [(row["ids"], row["trained"]) for row in found] == [cut_at_end(row, limit) for row in whole]
    # The question's end, with the marks before the answer, is what stands before the answer.
    assert found[0]["ids"] == whole[0]["ids"][-41:] and found[0]["trained"][-4:] == whole[0]["trained"][-4:]
    done = harness.run("inspect-data", model=chatml, task="instruct", data=data, max_length=40)
    assert done.returncode == 0 and "3 are cut" in done.stdout
    assert ("note: 3 examples of more than 40 tokens are cut at their end, 2 of them at the beginning of the "
            "question, so that the answer has room") in done.stdout + done.stderr


# Rows as a table has them, and what may stand between its fields.
SEPARATED = {"semicolon": ";", "tab": "\t", "comma": ",", "bar": "|"}


@pytest.mark.parametrize("name", SEPARATED)
def test_what_separates_the_fields_of_a_table_is_found_or_given(chatml, tmp_path, name):
    """As Python's csv.Sniffer finds it in the header."""
    rows = [{"instruction": "a, b; c|d\te", "input": "x\ny", "output": '"q"'}, {
        "instruction": "i", "input": "", "output": "o"}]
    want, _ = inspected(chatml, write_lines(tmp_path / "a.jsonl", rows))
    file = tmp_path / ("a.tsv" if name == "tab" else "a.csv")
    with open(file, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["instruction", "input", "output"], delimiter=SEPARATED[name])
        writer.writeheader()
        writer.writerows(rows)
    assert csv.Sniffer().sniff(file.read_text().splitlines()[0], ",;\t|").delimiter == SEPARATED[name]
    assert inspected(chatml, file)[0] == want
    for spelled in (name, SEPARATED[name]):
        assert inspected(chatml, file, separator=spelled)[0] == want
    odd = tmp_path / "odd.csv"
    odd.write_text("prompt,more;completion\na,b;c\n")
    done = harness.run("inspect-data", model=chatml, task="instruct", data=odd)
    harness.assert_refused(done, "the keys ", "'prompt'", "'more;completion'")
    found, _ = inspected(chatml, odd, separator=";", field="prompt=prompt,more")
    assert found[0]["text"].startswith("a,bc")


def test_a_field_that_no_file_has_is_named_with_the_columns(chatml, tmp_path):
    data = write_lines(tmp_path / "a.jsonl", [{"question": "a", "answer": "b"}] * 3)
    options = dict(model=chatml, task="instruct", data=data)
    done = harness.run("inspect-data", field=["instruction=questoin", "output=answer"], **options)
    harness.assert_refused(done, "--field instruction=questoin names a key that is not there (did you mean "
                           "'question'?); there are 'answer', 'question'")
    # Also where the rows are of another form without it.
    other = write_lines(tmp_path / "b.jsonl", [{"text": "a", "question": "b"}])
    done = harness.run("inspect-data", **{**options, "data": other}, field="prompt=quest")
    harness.assert_refused(done, "--field prompt=quest names a key that is not there")
    found, _ = inspected(chatml, data, field=["instruction=question", "output=answer"])
    assert len(found) == 3
    empty = write_lines(tmp_path / "c.jsonl", [{"prompt": "a", "completion": " "}])
    harness.assert_refused(harness.run("inspect-data", **{**options, "data": empty}),
                           "'completion' is empty", "--skip-bad-rows leaves such rows out")


def test_rows_to_score_on_are_drawn_by_the_seed_or_the_last_or_none(chatml, tmp_path):
    dice = random.Random(15)
    rows = [{"messages": conversation(dice)} for _ in range(60)]
    options = dict(model=chatml, task="instruct", method="lora", steps=1, batch_size=2,
                   data=write_lines(tmp_path / "a.jsonl", rows))
    def train(name, **more):
        done = harness.run("train", output=tmp_path / name, **{**options, **more})
        assert done.returncode == 0, done.stderr
        return harness.read_json(tmp_path / name / "result.json"), done.stderr
    drawn, said = train("drawn")
    assert "3 of 60 examples score the model, drawn by the seed" in said
    again, _ = train("again")
    other, _ = train("other", seed=1)
    assert again["before"] == drawn["before"] != other["before"]
    last, said = train("last", dev_rows="last")
    assert "3 of 60 examples score the model, the last ones" in said
    score = json.loads(harness.succeed("evaluate", "--json", model=chatml, task="instruct", data=write_lines(
        tmp_path / "tail.jsonl", rows[-3:])))
    assert abs(last["before"]["evaluation_loss"] - score["loss"]) < 1e-6
    none, said = train("none", dev_share=0)
    assert "no example is held out to score on" in said
    assert none["value"] is None and none["loss"] is None
    done = harness.run("train", "--keep-best", output=tmp_path / "best", dev_share=0, **options)
    harness.assert_refused(done, "--dev-share: 0 leaves nothing to score on, which --keep-best needs")


def test_a_run_of_before_rows_were_drawn_is_not_resumed_as_another(chatml, tmp_path):
    data = write_lines(tmp_path / "a.jsonl", [TALK] * 30)
    options = dict(model=chatml, data=data, task="instruct", method="lora", steps=4, checkpoint_steps=2)
    harness.succeed("train", output=tmp_path / "out", dev_rows="last", **options)
    done = harness.run("train", output=tmp_path / "out", resume=True, **options)
    harness.assert_refused(done, "without --dev-rows, not with drawn")
    harness.succeed("train", output=tmp_path / "out", resume=True, dev_rows="last", **options)
    # A recipe that a run wrote before there was a choice means the last rows.
    recipe = (tmp_path / "out" / "recipe.yaml").read_text()
    assert "dev-rows: last" in recipe
    old = tmp_path / "old.yaml"
    old.write_text("".join(line + "\n" for line in recipe.splitlines() if "dev-rows" not in line))
    harness.succeed("train", old, output=tmp_path / "again")
    assert "dev-rows: last" in (tmp_path / "again" / "recipe.yaml").read_text()
    harness.succeed("train", output=tmp_path / "new", **options)
    assert "dev-rows: drawn" in (tmp_path / "new" / "recipe.yaml").read_text()


def test_too_long_examples_are_cut_or_left_out_as_the_user_says(chatml, tmp_path):
    dice = random.Random(6)
    data = write_lines(tmp_path / "a.jsonl", [{"messages": conversation(dice)} for _ in range(60)])
    whole, _ = inspected(chatml, data)
    limit = sorted(len(row["ids"]) for row in whole)[30]
    tails = [row["ids"][-limit:] for row in whole if any(row["trained"][-limit:])]
    assert [row["ids"] for row in inspected(chatml, data, max_length=limit, truncation="start")[0]] == tails
    heads = [cut_at_end(row, limit) for row in whole]
    found, summary = inspected(chatml, data, max_length=limit)
    assert [(row["ids"], row["trained"]) for row in found] == heads
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
    result = learn(chatml, data, tmp_path / "out", dev_rows="last")
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
    "a tool call that the template would lose": (json.dumps({"messages": [TALK["messages"][0], {
        "role": "assistant", "content": "", "tool_calls": [{"id": "c"}]}]}),
        "a.jsonl:1: 'tool_calls' would be lost, as the chat template "),
    "tools that the template would lose": (
        json.dumps({**TALK, "tools": [{"type": "function"}]}), "a.jsonl:1: 'tools' would be lost"),
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


# --- what a base lacks, and whose fault it is -------------------------------------------------------

SEA = ["the sea is deep . " * 4] * 40


def bare_tokenizer(form, folder):
    """A tokenizer's files without tokenizer_config.json."""
    folder.mkdir(parents=True)
    if form == "tokenizer.model":
        if not (SHARED / "tokenizers").is_dir():
            pytest.skip("there is no ../shared/data/tokenizers")
        shutil.copy(SHARED / "tokenizers" / "llama.spm.model", folder / "tokenizer.model")
        return 32000
    if form == "vocab.txt":
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"the sea is deep a b . # : un ##known".split()]
        words += [chr(code) for code in range(97, 123)] + [f"##{chr(code)}" for code in range(97, 123)]
        (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(words)) + "\n")
        return len(words)
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = spellings.ByteLevel()
    made.train_from_iterator(SEA, trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    if form == "tokenizer.json":
        made.save(str(folder / "tokenizer.json"))
    else:
        made.model.save(str(folder))
    return 300


@pytest.mark.parametrize("shape", ["llama-grouped", "gpt2"])
@pytest.mark.parametrize("form", ["tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model"])
def test_transformers_opens_what_pretrain_and_merge_write(tmp_path, form, shape):
    """Of a tokenizer that comes without tokenizer_config.json, in each form; and the chat goes on."""
    tokenizer = tmp_path / "tokenizer"
    size = bare_tokenizer(form, tokenizer)
    more = dict(n_positions=512) if shape == "gpt2" else {}
    decoders.make(shape, tmp_path / "made", vocab_size=size + 8, eos_token_id=0, bos_token_id=0, **more)
    (tmp_path / "text.txt").write_text("".join(SEA))
    harness.succeed("pretrain", config=tmp_path / "made" / "config.json", tokenizer=tokenizer,
                    data=tmp_path / "text.txt", steps=0, max_length=32, output=tmp_path / "base")
    rows = write_lines(tmp_path / "a.jsonl", [{"instruction": "the", "output": "sea"}] * 30)
    options = dict(task="instruct", data=rows, dtype="float32")
    harness.succeed("train", model=tmp_path / "base", method="lora", output=tmp_path / "out", steps=1,
                    chat_template="alpaca", allow_no_stop=True, **options)
    harness.succeed("evaluate", model=tmp_path / "base", adapter=tmp_path / "out", **options)
    done = harness.run("generate", "--chat", model=tmp_path / "base", adapter=tmp_path / "out", max_tokens=2,
                       input="the\nsea\n")
    assert done.returncode == 0 and len(done.stdout.splitlines()) >= 2, done.stderr
    harness.succeed("merge", model=tmp_path / "base", adapter=tmp_path / "out", output=tmp_path / "merged")
    harness.succeed("evaluate", model=tmp_path / "merged", **options)
    texts = ["the sea is deep.", " a  b\nthe", "the<|endoftext|>sea", "unknown: the #sea", "[CLS]the"]
    (tmp_path / "lines.txt").write_text("")
    for folder in (tmp_path / "base", tmp_path / "merged"):
        opened = AutoTokenizer.from_pretrained(folder)
        for text in texts:
            ours = [json.loads(harness.succeed("tokenize", text, "--json", model=place))["ids"]
                    for place in (tokenizer, folder)]
            assert ours[0] == ours[1], (folder.name, text)
            if form != "tokenizer.model":  # without sentencepiece, transformers reads these otherwise
                assert opened(text).input_ids == ours[1], (folder.name, text)
        AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize("template, words", [
    ("{% for m in messages %}{{ m.content + cls_token }}{% endfor %}", "needs 'cls_token', which is undefined"),
    ("{% for m in messages %}{{ m.content + style }}{% endfor %}", "needs 'style', which is undefined"),
    ("{% for m in messages %}{% if m.role == 'assistant' %}{{ messages.pop() }}{% endif %}{% endfor %}",
     "which is not supported"),
])
def test_a_fault_of_the_template_is_no_bad_row(chatml, tmp_path, template, words):
    (tmp_path / "t.jinja").write_text(template)
    data = write_lines(tmp_path / "a.jsonl", [TALK] * 4)
    for more in ((), ("--skip-bad-rows",)):
        done = harness.run("inspect-data", *more, model=chatml, task="instruct", data=data,
                           chat_template=tmp_path / "t.jinja")
        harness.assert_refused(done, words)
        assert "a.jsonl" not in done.stderr and "rows" not in done.stderr


def test_a_prompt_is_a_user_s_turn_where_the_adapter_was_trained_on_a_template_s_words(chatml, tmp_path):
    talks = write_lines(tmp_path / "a.jsonl", [TALK] * 20)
    pairs = write_lines(tmp_path / "b.jsonl", [{"prompt": "a", "completion": "b"}] * 20)
    (tmp_path / "t.txt").write_text("the sea is deep . " * 200)
    options = dict(model=chatml, method="lora", steps=1, learning_rate=1e-2)
    harness.succeed("train", task="instruct", data=talks, output=tmp_path / "talks", **options)
    harness.succeed("train", task="instruct", data=pairs, output=tmp_path / "pairs", **options)
    harness.succeed("train", task="text", data=tmp_path / "t.txt", output=tmp_path / "text", **options)
    harness.succeed("train", task="instruct", data=talks, output=tmp_path / "whole", **{
        **options, "method": "full", "learning_rate": 1e-3})
    question = "the sea"
    (tmp_path / "m.json").write_text(json.dumps([{"role": "user", "content": question}]))
    (tmp_path / "p.txt").write_text(question + "\n")
    common = dict(max_tokens=6, dtype="float32", json=True)

    def made(**given):
        done = harness.run("generate", **common, **given)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), "is a user's turn" in done.stderr

    tokenizer = AutoTokenizer.from_pretrained(chatml)
    ids = " ".join(map(str, tokenizer(question).input_ids))
    for name in ("talks", "whole"):
        place = dict(model=chatml, adapter=tmp_path / name) if name == "talks" else dict(model=tmp_path / name)
        asked, _ = made(messages=tmp_path / "m.json", **place)
        for given in (dict(prompt=question), dict(prompts=tmp_path / "p.txt")):
            assert made(**given, **place) == (asked, True)
            raw, said = made(raw=True, **given, **place)
            assert raw["ids"] == made(ids=ids, **place)[0]["ids"] and raw["prompt"] == question and not said
    for place in (dict(model=chatml), dict(model=chatml, adapter=tmp_path / "text"),
                  dict(model=chatml, adapter=tmp_path / "pairs")):
        found, said = made(prompt=question, **place)
        assert not said and found["prompt"] == question
        assert found["ids"] == made(ids=ids, **place)[0]["ids"]
    # An adapter of another package says by its template that it answers in its words.
    (tmp_path / "talks" / "result.json").unlink()
    assert made(prompt=question, model=chatml, adapter=tmp_path / "talks")[1]
    harness.assert_refused(harness.run("generate", model=chatml, ids="1", raw=True, max_tokens=1),
                           "--raw goes with --prompt", usage=True)
