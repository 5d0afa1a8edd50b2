"""Chat templates against transformers' `apply_chat_template`, character by character."""

import ast
import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import warnings

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import chat_template_utils

import decoders
import harness
import template_grammar
from plain_text import SPECIALS, WORDS, tokenizer as make_tokenizer

TOKENS = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>")
PACKAGES = harness.ROOT / ".oracles" / "chat-templates"


def answers(cases):
    return harness.answers(cases, "chat-template", stdin=True, timeout=300)


# --- the templates of public models ----------------------------------------------------------------


def public_templates():
    """Templates of the four families by name, from packages that carry them."""
    found = {}
    for path in sorted(PACKAGES.glob("trl/chat_templates/*.jinja")):
        found["trl " + path.stem] = path.read_text(encoding="utf-8")
    for path in sorted(PACKAGES.glob("axolotl/utils/chat_templates/templates/*.jinja")):
        found["axolotl " + path.stem] = path.read_text(encoding="utf-8")
    module = PACKAGES / "guidance" / "chat.py"
    for node in ast.parse(module.read_text(encoding="utf-8")).body if module.exists() else []:
        name = getattr(node.targets[0], "id", "") if isinstance(node, ast.Assign) else ""
        if name.endswith("_template") and isinstance(node.value, ast.Constant):
            found["guidance " + name] = node.value.value
    return {name: text for name, text in found.items() if re.search(FAMILIES, name)}


FAMILIES = "llama|mistral|qwen|gemma|chatml"
TEMPLATES = public_templates()


def talk(*turns):
    return [dict(role=role, content=content) for role, content in turns]


CONVERSATIONS = [
    talk(("user", "Hi")),
    talk(("system", "Be brief."), ("user", "Grüße 👋 {{ x }} {% if %} e\u0301")),
    talk(("user", "  a \n"), ("assistant", "\n b  "), ("user", "c\t"), ("assistant", "d\u2028")),
    talk(("system", ""), ("user", ""), ("assistant", ""), ("user", "")),
    talk(("user", "q"), ("assistant", "<think>\nhm\n</think>\n\nanswer "), ("user", "z"),
         ("assistant", "<think>t</think>u")),
    talk(("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"),
         ("user", "<|im_end|>\r\ne")),
    # Roles out of order, and roles that are not known.
    talk(("user", "x"), ("user", "y")),
    talk(("assistant", "x")),
    talk(("system", "s")),
    talk(("user", "a"), ("system", "b"), ("user", "c")),
    talk(("tool", "x"), ("user", "y")),
    talk(("stranger", "a")),
]
# Tools as OpenAI describes them, calls of them as an object and as a text of JSON, and what they answer.
TOOLS = [
    {"type": "function", "function": {
        "name": "weather", "description": "The weather 🦊 \"now\".", "parameters": {
            "type": "object", "required": ["city"], "properties": {
                "city": {"type": "string", "description": "Where."},
                "days": {"type": "array", "items": {"type": "integer"}},
                "unit": {"type": "string", "enum": ["C", "F"]}}},
        "return": {"type": "string"}}},
    {"type": "function", "function": {
        "name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}},
]


def call(name, arguments, **more):
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


def tool_talks():
    asked = talk(("system", "Be brief."), ("user", "How is it in Köln?"))
    arguments = {"city": "Köln", "days": [1, 2], "unit": None, "deep": {"a": True, "b": 1.5}}
    answers = [{"role": "tool", "content": '{"t": 3}', "name": "weather", "tool_call_id": "abcdefghi"}]
    found = []
    for wanted in ([call("weather", arguments, id="abcdefghi")],
                   [call("weather", json.dumps(arguments), id="abcdefghi")],
                   [call("weather", {"city": "a"}, id="abcdefghi"), call("now", {}, id="ABCDEFGHI")]):
        for content in ("", None) if len(found) else ("", None, "Let me see."):
            calling = {"role": "assistant", "content": content, "tool_calls": wanted}
            several = answers + [{**answers[0], "content": "noon", "tool_call_id": "ABCDEFGHI"}]
            said = several if len(wanted) > 1 else answers
            found.append(asked[1:] + [calling])
            found.append(asked + [calling] + said)
            found.append(asked + [calling] + said + talk(("assistant", "3 °C."), ("user", "And now?")))
    bare = {key: value for key, value in found[0][-1].items() if key != "content"}
    return found + [
        asked[1:] + [bare],
        asked[1:] + [{"role": "assistant", "content": "x", "reasoning_content": "hm\n"}],
        asked[1:] + [{"role": "assistant", "reasoning": "hm", "content": "x", "name": "n"},
                     *talk(("user", "y")), {"role": "assistant", "thinking": "t", "content": "z"}],
        asked[1:] + [{**bare, "reasoning_content": "I must look."}, *answers],
    ]


TOOL_TALKS = tool_talks()
DOCUMENTS = [{"title": "t", "text": "The <sea>."}]
TOOL_VARIABLES = [{}, dict(tools=TOOLS), dict(tools=TOOLS, documents=DOCUMENTS, enable_thinking=False)]
VARIABLES = [{}, dict(enable_thinking=False),
             dict(enable_thinking=True, date_string="26 Jul 2024")]
# What the clock shows.
NOW = 1_700_000_000


def reference(template, messages, prompt, variables):
    """The text, and the ranges of its UTF-8 that the assistant generates; or the error."""
    messages = [{key: value for key, value in turn.items() if value is not None} for turn in messages]
    marks = bool(re.search(r"\{%-?\s*generation", template))
    try:
        texts, ranges = chat_template_utils.render_jinja_template(
            [messages], chat_template=template, add_generation_prompt=prompt,
            return_assistant_tokens_mask=marks, **TOKENS, **variables)
    except Exception as error:  # whatever Jinja or Python raises
        return None, None, error
    places = [[len(texts[0][:place].encode()) for place in pair] for pair in ranges[0]] if marks \
        else None
    return texts[0], places, None


def test_there_are_templates_of_every_family():
    if not PACKAGES.is_dir():
        pytest.skip("there is no .oracles/chat-templates: run scripts/setup.py oracles")
    for family, count in dict(llama=6, mistral=5, qwen=10, gemma=6).items():
        assert sum(family in name for name in TEMPLATES) >= count, family


CASES = [(messages, prompt, variables) for messages in CONVERSATIONS
         for prompt in (False, True) for variables in VARIABLES]
CASES += [(messages, prompt, variables) for messages in TOOL_TALKS
          for prompt, variables in ((True, TOOL_VARIABLES[0]), (False, TOOL_VARIABLES[1]),
                                    (True, TOOL_VARIABLES[2]))]
CASES += [(messages, False, TOOL_VARIABLES[1]) for messages in CONVERSATIONS]


@pytest.fixture(scope="module")
def rendered_here():
    """What the command makes of every case, by the template's name: in one run, for starting takes
    longer than rendering."""
    found = iter(answers([
        dict(template=template, messages=messages, add_generation_prompt=prompt,
             variables={**TOKENS, **variables}, now=NOW)
        for template in TEMPLATES.values() for messages, prompt, variables in CASES]))
    return {name: [next(found) for _ in CASES] for name in TEMPLATES}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_public_template_is_rendered_the_same(name, rendered_here, monkeypatch):
    class Clock(chat_template_utils.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(NOW, tz)

    monkeypatch.setattr(chat_template_utils, "datetime", Clock)
    rendered = 0
    for case, answer in zip(CASES, rendered_here[name], strict=True):
        text, places, error = reference(TEMPLATES[name], *case)
        if error is None:
            assert answer.get("text") == text, (case, answer)
            assert answer.get("generated") == places, case
            rendered += 1
        elif answer.get("kind") == "raised":
            assert answer["error"].endswith(": " + str(error)), case
        else:
            assert answer.get("kind") == "failed", (case, error, answer)
    assert rendered > 10


# --- templates that no one wrote -------------------------------------------------------------------

# Python prints where these lie in memory, or they are refused by what they are.
UNPRINTABLE = re.compile(r" at 0x|<namespace|<bound method|<built-in|generator", re.IGNORECASE)


@pytest.mark.parametrize("part", range(2))
def test_random_templates_do_what_jinja_does(part):
    seeds = range(part * 600, part * 600 + 600)
    templates = [template_grammar.Grammar(seed).template() for seed in seeds]
    found = answers([
        dict(template=template, messages=template_grammar.MESSAGES,
             variables=template_grammar.VARIABLES, add_generation_prompt=True)
        for template in templates])
    rendered = 0
    for seed, template, answer in zip(seeds, templates, found, strict=True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                text = chat_template_utils._cached_compile_jinja_template(template).render(
                    messages=template_grammar.MESSAGES, tools=None, documents=None,
                    add_generation_prompt=True, **template_grammar.VARIABLES)
        except Exception:  # whatever Jinja or Python raises
            assert "error" in answer, (seed, template)
            continue
        if answer.get("kind") == "unsupported":
            assert UNPRINTABLE.search(text + answer["error"]) or "'%' on" in answer["error"], (
                seed, template, answer)
            continue
        assert answer.get("text") == text, (seed, template, answer)
        rendered += 1
    assert rendered > 180


def test_numbers_are_spelled_as_python_spells_them():
    values = [0.1, 1 / 3, 1e15, 1e16, 123456789012345680.0, 5e-324, 1.7976931348623157e308, 1e-4,
              1e-5, 2.5e-10, -0.0, 9007199254740993.0, 1e22, 1e21, 4.35, 100.0, 12345.678]
    template = "{{ [" + ", ".join(map(repr, values)) + "] }}"
    assert answers([dict(template=template, messages=CONVERSATIONS[0])])[0]["text"] == repr(values)


# --- what chat templates do not use, and hostile ones ---------------------------------------------

REFUSED = {
    "{% include 'a' %}": "include", "\n\n{% extends 'a' %}": "3: ", "{% block a %}": "block",
    "{% call f() %}": "call", "{% filter upper %}": "filter", "{% raw %}": "raw",
    "{% import 'a' as b %}": "import", "{% with a = 1 %}": "with", "{% do x %}": "do",
    "{{ x | wordwrap }}": "wordwrap", "{% if false %}\n{{ x | groupby('a') }}{% endif %}": "2: ",
    "{{ x is callable }}": "callable", "{{ messages.append(1) }}": "append",
    "{{ lipsum() }}": "lipsum", "{{ x.__class__ }}": "__class__", "{{ '%s' % 1 }}": "'%'",
    "{% for a in b recursive %}{% endfor %}": "recursive", "{{ ''.format(1) }}": "format",
    "{% for a in b %}{{ loop.cycle(1) }}{% endfor %}": "loop.cycle", "{{ f(*x) }}": "'*'",
}


def test_what_no_chat_template_uses_is_refused_by_name():
    found = answers([dict(template=template, messages=CONVERSATIONS[0]) for template in REFUSED])
    for (template, words), answer in zip(REFUSED.items(), found, strict=True):
        assert answer["kind"] == "unsupported" and words in answer["error"], (template, answer)


HOSTILE = [
    "{{ 'a' * 10 ** 10 }}", "{{ [1] * 10 ** 12 }}", "{{ range(10 ** 9) | list }}", "{{ 2 ** 99 }}",
    "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}"
    "{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}"
    "{{ ns.x }}",
    "{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = ns.x | map('upper') %}"
    "{% endfor %}{{ ns.x | list }}",
    "{% set ns = namespace(n=1) %}{% for i in range(99999) %}{% set ns.n = namespace(n=ns.n) %}"
    "{% endfor %}{{ 1 // 0 }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{{ " + "-" * 5000 + "1 }}",
    "{{ " + "1+" * 9999 + "1 }}", "{{ " + "not " * 5000 + "1 }}", "{{ a" + ".b" * 9999 + " }}",
    "{% if 1 %}" * 5000, "{{ 'a'.replace('', 'b' * 9999).replace('', 'c' * 99999) }}",
    "{{ ('a,' * 999999).split(',') | join('b' * 9999) }}", "{{ 'x' | tojson(indent=10 ** 9) }}",
]


def test_a_hostile_template_ends_with_one_error():
    found = answers([dict(template=template, messages=CONVERSATIONS[0]) for template in HOSTILE])
    for template, answer in zip(HOSTILE, found, strict=True):
        assert answer["kind"] in ("limit", "failed", "syntax"), (template[:80], answer)


# --- folders --------------------------------------------------------------------------------------

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m.role not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('no role ' + m.role) }}{% endif %}<{{ m.role }}> {{ m.content | trim }}"
    "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}")
TALKS = [talk(("user", "the red dog")),
         talk(("system", "a cat"), ("user", "a man sees"), ("assistant", "the bird ."),
              ("user", " old house "))]


def tokenizer_in(folder, template=TEMPLATE):
    """A word-level tokenizer that knows the template's roles; the template where it is asked for."""
    made = make_tokenizer(folder, beginning=True)
    made.add_tokens(["<system>", "<user>", "<assistant>"])
    made.save(str(folder / "tokenizer.json"))
    if template:
        harness.edit_json(folder / "tokenizer_config.json", chat_template=template)


@pytest.fixture(scope="module")
def chat(folder_of):
    def make(folder):
        decoders.make("llama-grouped", folder, vocab_size=len(SPECIALS) + len(WORDS) + 8,
                      max_position_embeddings=128)
        tokenizer_in(folder)

    return folder_of("chat", make)


def write_talks(path, talks=TALKS):
    path.write_text("".join(json.dumps(messages) + "\n" for messages in talks))
    return path


def applied(folder, messages, **options):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer.apply_chat_template(messages, tokenize=False, **options)


def test_text_and_ids_are_those_of_the_tokenizer(chat, tmp_path):
    lines = harness.succeed("chat-template", model=chat, messages=write_talks(tmp_path / "t.jsonl"),
                            json=True, generation_prompt=True).splitlines()
    tokenizer = AutoTokenizer.from_pretrained(chat)
    for line, messages in zip(lines, TALKS, strict=True):
        found = json.loads(line)
        assert found["text"] == applied(chat, messages, add_generation_prompt=True)
        assert found["ids"] == tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False)


def replies(folder, messages, count=12, stops=(2,)):
    """What transformers answers greedily, by its text without special tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=False)
    made = model.generate(ids, max_new_tokens=count, do_sample=False,
                          eos_token_id=list(stops), pad_token_id=2)[0]
    return tokenizer.decode(made[ids.shape[1]:], skip_special_tokens=True)


def test_answers_are_those_of_transformers(chat, tmp_path):
    printed = harness.succeed(
        "generate", model=chat, messages=write_talks(tmp_path / "t.jsonl"), max_tokens=12,
        dtype="float32", json=True)
    found = [json.loads(line)["text"] for line in printed.splitlines()]
    assert found == [replies(chat, messages) for messages in TALKS]


def test_the_end_of_a_turn_ends_an_answer(chat, tmp_path):
    """The token that the template puts behind an assistant's message, which no other file names."""
    shutil.copytree(chat, tmp_path / "m")
    harness.edit_json(tmp_path / "m" / "tokenizer_config.json",
                      chat_template=TEMPLATE.replace("{{ eos_token }}", "\n<unk>"))
    talks = [talk(("user", word)) for word in WORDS[:16]]
    printed = harness.succeed(
        "generate", model=tmp_path / "m", messages=write_talks(tmp_path / "t.jsonl", talks),
        max_tokens=40, dtype="float32", json=True, batch_size=1)
    found = [json.loads(line)["text"] for line in printed.splitlines()]
    assert found == [replies(tmp_path / "m", messages, 40, (0, 2)) for messages in talks]
    assert found != [replies(tmp_path / "m", messages, 40) for messages in talks]


def hold(folder, lines, *words, **options):
    return harness.run(
        "generate", "--chat", *words, model=folder, max_tokens=12, dtype="float32",
        input="".join(line + "\n" for line in lines), **options)


def test_a_conversation_keeps_what_was_said(chat, tmp_path):
    saved = tmp_path / "saved.json"
    done = hold(chat, ["the red dog", "a man \\", "sees", f"/save {saved}", "/undo", "/undo",
                       "/system a cat", "old house", "/quit", "not read"], json=True)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["content"] for line in done.stdout.splitlines()]
    first = replies(chat, talk(("user", "the red dog")))
    messages = talk(("user", "the red dog"), ("assistant", first), ("user", "a man \nsees"))
    second = replies(chat, messages)
    third = replies(chat, talk(("system", "a cat"), ("user", "old house")))
    assert found == [first, second, third]
    assert json.loads(saved.read_text()) == messages + talk(("assistant", second))


def test_a_script_is_given_answers_alone(chat):
    done = hold(chat, ["the red dog", "/reset", "the red dog"], system="a cat")
    answer = replies(chat, talk(("system", "a cat"), ("user", "the red dog")))
    assert done.stdout == f"{answer}\n{answer}\n" and not done.stderr


@contextlib.contextmanager
def holding(folder, *words, **options):
    """A conversation that goes on; what still runs at the end is killed."""
    with subprocess.Popen(
            [str(harness.COMMAND), "generate", "--chat", *words, *harness.flags(
                model=folder, max_tokens=12, dtype="float32")],
            stdout=subprocess.PIPE, text=True, encoding="utf-8", **options) as running:
        try:
            yield running
        finally:
            running.kill()


def line_of(stream, seconds=60):
    assert select.select([stream], [], [], seconds)[0], "nothing came"
    return stream.readline()


def test_an_answer_comes_before_the_next_question_is_asked(chat):
    """Through pipes, by which other programs hold conversations."""
    with holding(chat, "--json", stdin=subprocess.PIPE) as running:
        running.stdin.write("the red dog\n")
        running.stdin.flush()
        answer = json.loads(line_of(running.stdout))
        assert answer["content"] == replies(chat, talk(("user", "the red dog")))
        running.communicate("/quit\n", timeout=20)
        assert running.returncode == 0


def test_ctrl_c_while_a_question_is_waited_for_ends_the_conversation(chat):
    terminal, other = pty.openpty()

    def wait_for(text):
        shown = ""
        while text not in shown:
            assert select.select([terminal], [], [], 60)[0], f"only {shown!r} came"
            shown += os.read(terminal, 4096).decode()

    with holding(chat, stdin=other, stderr=other) as running:
        os.close(other)
        wait_for("> ")
        os.write(terminal, b"the red dog\n")
        assert line_of(running.stdout) == replies(chat, talk(("user", "the red dog"))) + "\n"
        wait_for("> ")
        running.send_signal(signal.SIGINT)
        # Standard output has the answers alone, although a person asks.
        assert running.communicate(timeout=20)[0] == ""
        assert running.returncode == 128 + signal.SIGINT
    os.close(terminal)


def test_variables_keep_the_order_of_their_keys(chat, tmp_path):
    shutil.copytree(chat, tmp_path / "m")
    template = "{% for m in messages %}{{ m.content }}{% endfor %}{{ tools | tojson }}{{ documents }}"
    harness.edit_json(tmp_path / "m" / "tokenizer_config.json", chat_template=template)
    tools = [{"type": "function", "function": {"name": "f", "description": "", "b": {"z": 1, "a": 1.0, "k": 1e3}}}]
    given = dict(tools=tools, documents=[{"title": "t", "author": None, "b": True}])
    talks = [talk(("user", "the"))]
    printed = harness.succeed(
        "chat-template", model=tmp_path / "m", messages=write_talks(tmp_path / "t.jsonl", talks),
        template_variables=json.dumps(given))
    assert printed == applied(tmp_path / "m", talks[0], **given) + "\n"
    done = harness.run("chat-template", model=chat, messages=tmp_path / "t.jsonl", template_variables="{\"a\": }")
    harness.assert_refused(done, "--template-variables: '}' stands where a value should")


TOOL_CALL = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}


def test_a_tool_call_that_the_template_would_lose_is_refused_and_one_that_says_nothing_is_not(chat, tmp_path):
    for text in (json.dumps([TALKS[0][0], TOOL_CALL]), json.dumps([TALKS[0][0], TOOL_CALL], indent=1)):
        (tmp_path / "t.json").write_text(text)
        for command in ("chat-template", "generate"):
            done = harness.run(command, model=chat, messages=tmp_path / "t.json")
            harness.assert_refused(done, "'tool_calls' would be lost, as the chat template ")
    none = {**TOOL_CALL, "content": "a cat", "tool_calls": None, "reasoning_content": ""}
    (tmp_path / "t.json").write_text(json.dumps([TALKS[0][0], none]))
    assert "a cat" in harness.succeed("chat-template", model=chat, messages=tmp_path / "t.json")


SPECIAL = ("{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ image_token }}|{{ own_token }}"
           "{% for m in messages %}{{ m.content }}{% endfor %}")
ROLES = {
    "a map that says otherwise": (dict(eos_token="</s>"), dict(eos_token="<user>", pad_token="<unk>")),
    "the other way round": (dict(eos_token="<user>"), dict(eos_token="</s>")),
    "a map beside settings that list added tokens": (
        dict(eos_token="</s>", added_tokens_decoder={}), dict(eos_token="<user>", pad_token="<unk>")),
    "a map that says none": (dict(eos_token="</s>"), dict(eos_token=None)),
    "settings that say none": (dict(eos_token=None), dict(eos_token="</s>")),
    "tokens of the model's own": (
        dict(model_specific_special_tokens={"image_token": "<user>"}, own_token="<system>"), {}),
    "one of them twice": (dict(image_token="<user>", extra_special_tokens={"image_token": "<system>"}), {}),
    "one in the map": ({}, dict(image_token="<user>")),
}


@pytest.mark.parametrize("name", ROLES)
def test_special_tokens_are_those_of_transformers(tmp_path, name):
    settings, names = ROLES[name]
    tokenizer_in(tmp_path, SPECIAL)
    harness.edit_json(tmp_path / "tokenizer_config.json", **settings)
    (tmp_path / "special_tokens_map.json").write_text(json.dumps(names))
    found = harness.succeed("chat-template", model=tmp_path, messages=write_talks(tmp_path / "t.jsonl", TALKS[:1]))
    assert found == applied(tmp_path, TALKS[0]) + "\n"


def test_what_a_template_cannot_do_is_said(chat, tmp_path):
    write_talks(tmp_path / "t.jsonl", [talk(("tool", "x"))])
    harness.assert_refused(
        harness.run("generate", model=chat, messages=tmp_path / "t.jsonl"), "no role tool")
    (tmp_path / "bad.jinja").write_text("a\n{{ x | wordwrap }}")
    harness.assert_refused(
        harness.run("generate", model=chat, chat=True, chat_template=tmp_path / "bad.jinja"),
        "bad.jinja:2:", "wordwrap")
    for text, words in (("[]", ["empty"]), ('[{"role": "user"}]', [":1", "content"]),
                        ('[\n {"role": "user", "content": "a"},\n {"role": "user"}\n]',
                         [":1", "message 2", "content"]), ("what", [":1", "array"])):
        (tmp_path / "bad.json").write_text(text)
        harness.assert_refused(
            harness.run("generate", model=chat, messages=tmp_path / "bad.json"), *words)
    tokenizer_in(tmp_path / "none", template=None)
    write_talks(tmp_path / "t.jsonl")
    harness.assert_refused(
        harness.run("chat-template", model=tmp_path / "none", messages=tmp_path / "t.jsonl"),
        "--chat-template")


NAMED = [dict(name="default", template=TEMPLATE), dict(name="tool_use", template="tools")]


@pytest.mark.parametrize("place", ["config", "list", "file", "folder"])
def test_a_template_is_found_where_transformers_finds_it(tmp_path, place):
    tokenizer_in(tmp_path / "m", TEMPLATE.replace("<user>", "<old>") if place != "list" else NAMED)
    if place in ("file", "folder"):
        (tmp_path / "m" / "chat_template.jinja").write_text(TEMPLATE)
    if place == "folder":
        (tmp_path / "m" / "additional_chat_templates").mkdir()
        (tmp_path / "m" / "additional_chat_templates" / "tool_use.jinja").write_text("tools")
    found = harness.succeed("chat-template", model=tmp_path / "m",
                            messages=write_talks(tmp_path / "t.jsonl", TALKS[1:]))
    assert found == applied(tmp_path / "m", TALKS[1]) + "\n"


@pytest.fixture(scope="module")
def trained(chat, tmp_path_factory):
    """Adapters trained with the model's template and with another."""
    place = tmp_path_factory.mktemp("trained")
    (place / "train.txt").write_text("the red dog sees a bird .\n" * 40)
    (place / "other.jinja").write_text(TEMPLATE.replace("trim", "upper"))
    for name, options in dict(plain={}, other=dict(chat_template=place / "other.jinja"),
                              full=dict(method="full")).items():
        harness.succeed("train", model=chat, task="text", data=place / "train.txt",
                        output=place / name, steps=2, batch_size=2, max_length=16,
                        **{"method": "lora", "dtype": "float32", **options})
    return place


def test_the_template_travels_with_an_adapter(chat, trained):
    assert (trained / "plain" / "chat_template.jinja").read_text() == TEMPLATE
    assert applied(trained / "full", TALKS[1]) == applied(chat, TALKS[1])
    other = (trained / "other.jinja").read_text()
    assert (trained / "other" / "chat_template.jinja").read_text() == other


def test_an_adapters_template_comes_before_the_models(chat, trained, tmp_path):
    messages = write_talks(tmp_path / "t.jsonl", TALKS[:1])

    def echoed(**options):
        printed = harness.succeed("generate", model=chat, messages=messages, max_tokens=2,
                                  json=True, **options)
        return json.loads(printed)["prompt"]

    assert "the red dog" in echoed(adapter=trained / "plain")
    assert "THE RED DOG" in echoed(adapter=trained / "other")
    assert "THE RED DOG" in echoed(chat_template=trained / "other.jinja")


@pytest.mark.parametrize("name", ["plain", "other"])
def test_the_template_travels_with_a_merged_model(chat, trained, tmp_path, name):
    harness.succeed("merge", model=chat, adapter=trained / name, output=tmp_path / "merged")
    expected = AutoTokenizer.from_pretrained(chat).apply_chat_template(
        TALKS[1], tokenize=False, chat_template=(
            TEMPLATE if name == "plain" else (trained / "other.jinja").read_text()))
    assert applied(tmp_path / "merged", TALKS[1]) == expected
    found = harness.succeed("chat-template", model=tmp_path / "merged",
                            messages=write_talks(tmp_path / "t.jsonl", TALKS[1:]))
    assert found == expected + "\n"


def test_named_templates_travel_too(tmp_path, chat, trained):
    shutil.copytree(chat, tmp_path / "m")
    harness.edit_json(tmp_path / "m" / "tokenizer_config.json", chat_template=NAMED)
    harness.succeed("merge", model=tmp_path / "m", adapter=trained / "plain",
                    output=tmp_path / "merged")
    assert applied(tmp_path / "merged", TALKS[1]) == applied(chat, TALKS[1])
