"""Random templates in Jinja's language, as far as chat templates use it."""

import random

NAMES = ["a", "b", "c", "n", "s", "xs", "d", "messages", "bos_token", "nothing", "none_here"]
# What `VARIABLES` does not have stays undefined: "nothing".
VARIABLES = {
    "a": 3, "b": -2, "c": True, "n": 0, "s": " Straße {x}\n", "none_here": None,
    "xs": ["b", "a", "", "Ünï", "a"], "d": {"items": 1, "k": [1, 2, {"z": None}], "role": "user"},
    "bos_token": "<s>",
}
MESSAGES = [
    {"role": "system", "content": "  Be brief. "}, {"role": "user", "content": "Grüße\n{{ 1 }} \"q\""},
    {"role": "assistant", "content": ""}, {"role": "user", "content": "a<b>&'c' \u2028 \U0001f600\t"},
]
STRINGS = ["''", "'a'", "'b, a'", "' x '", "'\\n'", "\"it's\"", "'A-b c'", "'ÄSSΣ ß'", "'\\u00e9\\t'",
           "'12'", "' -3 '", "'4.5'", "'role'", "'aaa'", "'<|im_start|>'", "'e\\u0301'", "'\\\\d'"]
NUMBERS = ["0", "1", "2", "-1", "7", "-5", "0.5", "2.0", "1e3", "1_000", "0x1f", "-0.0", "1e16", "1e-5"]
TESTS = ["defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number",
         "boolean", "true", "false", "integer", "float", "odd", "even", "lower", "upper"]
FILTERS = ["trim", "length", "count", "upper", "lower", "title", "capitalize", "first", "last", "list",
           "string", "int", "float", "abs", "items", "reverse", "tojson", "join", "default", "d",
           "items|list", "reverse|list", "list|length"]
METHODS = ["strip()", "lstrip()", "rstrip()", "strip('a ')", "lstrip('\\n ')", "rstrip('b\\n')",
           "split()", "split(' ')", "split('a')", "split('a', 1)", "split(none, 1)", "rsplit('a', 1)",
           "rsplit(None, 1)", "splitlines()", "splitlines(true)", "startswith('a')",
           "endswith(' ')", "startswith(('x', ' '))", "replace('a', 'xy')", "replace('', '-')",
           "replace('a', 'b', 1)", "upper()", "lower()", "title()", "capitalize()", "find('a')",
           "count('a')", "join(xs)", "items()", "keys()", "values()", "get('role')", "get('q', 'z')"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and",
          "or", "+", "~", "=="]


class Grammar:
    """One random template, decided by its seed."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def pick(self, choices):
        return self.dice.choice(choices)

    def chance(self, share):
        return self.dice.random() < share

    # --- expressions ------------------------------------------------------------------------------

    def expression(self, depth=3):
        if depth <= 0:
            return self.atom()
        kind = self.dice.randrange(17)
        inner = depth - 1
        if kind < 3:
            return self.atom()
        if kind < 6:
            operator = self.pick(BINARY)
            right = self.expression(inner)
            if operator == "*":  # a product of texts stays short
                right = self.pick(["2", "-1", "b", "c", "0.5"])
            text = f"{self.expression(inner)} {operator} {right}"
            return f"({text})" if self.chance(0.6) else text
        if kind < 8:
            return f"({self.operand(inner)}|{self.filter(inner)})"
        if kind == 8:
            return f"({self.operand(inner)} is {self.pick(['', 'not '])}{self.test(inner)})"
        if kind == 9:
            return f"(not {self.operand(inner)})"
        if kind == 10:
            alternative = self.pick([f" else {self.expression(inner)}", ""])
            return f"({self.expression(inner)} if {self.operand(inner)}{alternative})"
        if kind == 11:
            return self.subscripted(inner)
        if kind == 12:
            return f"{self.operand(inner)}.{self.pick(['role', 'content', 'k', 'q', 'x'])}"
        if kind == 13:
            return f"{self.operand(inner)}.{self.pick(METHODS)}"
        if kind == 14:
            return self.collection(inner)
        if kind == 15:
            return f"{self.pick('-+')}{self.operand(inner)}"
        return f"{self.expression(inner)} < {self.expression(inner)} <= {self.expression(inner)}"

    def operand(self, depth):
        text = self.expression(depth)
        return text if text.isidentifier() or text[:1] in "'\"[{(" and self.chance(0.3) else f"({text})"

    def atom(self):
        kind = self.dice.randrange(10)
        if kind < 4:
            return self.pick(NAMES)
        if kind < 6:
            return self.pick(STRINGS)
        if kind < 8:
            return self.pick(NUMBERS)
        return self.pick(["true", "False", "none", "messages[0]", "messages[-1].content", "loop.index0",
                          "d.k[2]", "xs[1]", "ns.x", "range(3)", "range(5, 0, -2)", "messages[1:]",
                          "messages[::-1]", "dict(a=1, b=xs)"])

    def subscripted(self, depth):
        """An item of anything, or a slice of what has slices: Jinja folds slices of constants, where
        2[1:] is undefined and not an error."""
        kind = self.dice.randrange(6)
        if kind < 3:
            item = self.expression(depth) if kind < 2 else self.pick(STRINGS)
            return f"{self.operand(depth)}[{item}]"
        operand = self.pick(["s", "xs", "messages", "xs", "s", "a", "d", "nothing", "d.k", "(xs, 1)[0]"])
        bounds = [self.pick(["", "0", "1", "-1", "2", "-3", "9", "b"]) for _ in range(2)]
        step = self.pick(["", ":", ":1", ":2", ":-1", ":-2"])
        return f"{operand}[{bounds[0]}:{bounds[1]}{step}]"

    def collection(self, depth):
        items = [self.expression(depth) for _ in range(self.dice.randrange(4))]
        kind = self.dice.randrange(3)
        if kind == 0:
            return f"[{', '.join(items)}]"
        if kind == 1:
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        keys = self.dice.sample(["'k'", "'role'", "1", "none", "'items'", "2.0", "true"], len(items))
        return "{" + ", ".join(f"{key}: {item}" for key, item in zip(keys, items)) + "}"

    def filter(self, depth):
        kind = self.dice.randrange(12)
        if kind < 6:
            return self.pick(FILTERS)
        return self.pick([
            f"default({self.expression(depth)})", f"default({self.expression(depth)}, true)",
            f"join({self.pick(STRINGS)})", "join(', ', attribute='role')", "trim('a ')",
            f"replace({self.pick(STRINGS)}, {self.pick(STRINGS)})", "replace('a', 'bb', 1)",
            "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(separators=(',', ':'))",
            "tojson(indent=4)", f"map('{self.pick(['upper', 'trim', 'length', 'string'])}')|list",
            "map(attribute='role')|list", "map(attribute='q', default='?')|join(',')",
            f"select('{self.pick(['string', 'defined', 'true', 'mapping'])}')|list",
            "reject('equalto', 'a')|list", "select|list", "reject('in', ['a', 1])|join('/')",
            "selectattr('role', 'equalto', 'user')|list|length", "selectattr('content')|list",
            "rejectattr('role', '==', 'user')|map(attribute='content')|join('|')",
            "selectattr('k.0', 'defined')|list", "dictsort",
            "dictsort(true)", "dictsort(by='value')", "dictsort(false, 'key', true)", "int(7)", "float(1.5)", "first|string", "list|last"])

    def test(self, depth):
        if self.chance(0.75):
            return self.pick(TESTS)
        return self.pick([
            f"eq({self.expression(depth)})", "equalto 'a'", "ne none", "lt(2)", "gt 1", "le(0.5)",
            "ge(1)", "in xs", "in [1, 'a', none]", "divisibleby 3", "divisibleby(2)"])

    # --- statements -------------------------------------------------------------------------------

    def template(self):
        """A template, or half the time a single expression."""
        if self.chance(0.5):
            return "{% set ns = namespace(x=1) %}[{{ " + self.expression(4) + " }}]"
        return "{% set ns = namespace(x=1, y='q') %}" + self.body(3)

    def body(self, depth, in_loop=False):
        return "".join(self.piece(depth, in_loop) for _ in range(self.dice.randrange(1, 5)))

    def piece(self, depth, in_loop):
        kind = self.dice.randrange(13)
        if depth <= 0 or kind < 3:
            return self.text()
        if kind < 6:
            return self.tag("{", self.expression(2), "}")
        if kind == 6:
            return self.comment()
        return self.pick([self.loop, self.branches, self.branches, self.set, self.set_block,
                          self.macro, self.loop, self.generation, self.jump])(depth - 1, in_loop)

    def text(self):
        return self.pick(["text", " ", "\n", "\n\n", "  x\n  ", "\t", "}} ", "a {b} ", " \n \n", "é\r\n",
                          "\u00a0\n", "{ %", "#}", "''"])

    def tag(self, opening, content, closing):
        left = self.pick(["", "", "", "-", "-", "+"])
        right = self.pick(["", "", "", "-", "-"] + (["+"] if opening == "%" else []))
        space = self.pick([" ", " ", "", "\n", "  "])
        # A sign right behind the opening would be taken for white space control.
        start = " " if not left and content[:1] in "+-" or opening == "{" and content[:1] in "{%#" else ""
        end = " " if content[-1:] in "+-}" else ""
        return f"{{{opening}{left}{space}{start}{content}{end}{space}{right}{closing}}}"

    def block(self, content):
        return self.tag("%", content, "%")

    def comment(self):
        left, right = self.pick(["", "-", "+"]), self.pick(["", "-", "+"])
        return "{#" + left + self.pick([" note ", "{{ a }}", "\n", "{% if %}"]) + right + "#}"

    def loop(self, depth, _):
        target, source = self.pick([
            ("m", "messages"), ("m", "messages"), ("x", "xs"), ("i", "range(3)"), ("k, v", "d.items()"),
            ("k, v", "d|items"), ("m", "messages[1:]"), ("x", "nothing"), ("m", "messages|reverse"),
            ("x", "xs|select"), ("c", "s"), ("k", "d"), ("x", self.expression(2))])
        condition = self.pick(["", "", f" if {self.expression(1)}", f" if {target.split(',')[0]} != 'a'"])
        inside = self.body(depth, True)
        if self.chance(0.6):
            inside += self.tag("{", "loop." + self.pick([
                "index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem",
                "nextitem", "depth", "depth0"]), "}")
        if self.chance(0.5):
            inside += self.tag("{", target.split(",")[0], "}")
        if self.chance(0.2):
            inside += self.block("else") + self.body(depth)
        return self.block(f"for {target} in {source}{condition}") + inside + self.block("endfor")

    def branches(self, depth, in_loop):
        made = self.block(f"if {self.expression(2)}") + self.body(depth, in_loop)
        for _ in range(self.dice.randrange(2)):
            made += self.block(f"elif {self.expression(2)}") + self.body(depth, in_loop)
        if self.chance(0.5):
            made += self.block("else") + self.body(depth, in_loop)
        return made + self.block("endif")

    def set(self, depth, _):
        target = self.pick(["a", "b", "new", "ns.x", "ns.y", "ns.z", "u, w"])
        value = self.expression(2)
        if target == "u, w":
            value = f"{value}, {self.expression(1)}"
        shown = self.pick(["a", "new", "ns.x", "b"])
        return self.block(f"set {target} = {value}") + self.tag("{", shown, "}")

    def set_block(self, depth, _):
        return (self.block("set made") + self.body(depth) + self.block("endset")
                + self.tag("{", "made", "}"))

    def macro(self, depth, _):
        call = self.pick(["f()", "f(1)", "f(a, y=2)", "f(x='q')", "f(1, 2)", "f(1, 2, 3)", "f(z=1)"])
        return (self.block("macro f(x, y='dflt')") + self.body(depth)
                + self.tag("{", "x ~ y", "}") + self.block("endmacro") + self.tag("{", call, "}"))

    def generation(self, depth, in_loop):
        return self.body(depth, in_loop)

    def jump(self, depth, in_loop):
        if not in_loop:
            return self.text()
        return (self.block(f"if {self.expression(1)}") + self.block(self.pick(["break", "continue"]))
                + self.block("endif"))
