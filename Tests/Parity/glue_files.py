"""Small files of the tasks on sentences, as GLUE names and lays them."""

import random

from harness import WORDS


def sentence(dice, longest=9):
    """Words of the vocabulary, now and then one that falls to pieces or is unknown."""
    words = dice.choices(WORDS, k=dice.randrange(2, longest))
    if dice.random() < 0.3:
        words.append(dice.choice(["Zebra", "x9", "naïve", "☃"]))
    return " ".join(words) + dice.choice([".", "!", "?", ""])


def examples(task, count, seed, longest=9):
    """Random examples: sentences and a label as the task's file spells it."""
    dice = random.Random(f"{task} {seed}")
    made = []
    for _ in range(count):
        first, second = sentence(dice, longest), sentence(dice, longest)
        if task == "cola":
            made.append(((first,), str(int("not" in first or dice.random() < 0.3))))
        elif task == "rte":
            shared = len(set(first.split()) & set(second.split()))
            made.append(((first, second), ["not_entailment", "entailment"][shared > 1]))
        else:
            if dice.random() < 0.4:
                second = first.replace(dice.choice(WORDS), dice.choice(WORDS))
            shared = len(set(first.split()) & set(second.split()))
            made.append(((first, second), f"{min(5, 0.8 * shared + dice.random()):.3f}"))
    return made


def write_examples(path, task, rows):
    if task == "cola":
        lines = [f"gen\t{label}\t\t{texts[0]}" for texts, label in rows]
    elif task == "rte":
        lines = ["index\tsentence1\tsentence2\tlabel"]
        lines += [f"{i}\t{texts[0]}\t{texts[1]}\t{label}" for i, (texts, label) in enumerate(rows)]
    else:
        lines = [f"gen\tfile\t2017\t{i:04}\t{label}\t{texts[0]}\t{texts[1]}"
                 for i, (texts, label) in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_task(folder, task, train=24, dev=20, seed=0, longest=9):
    """A task's folder as GLUE names its files."""
    folder.mkdir(parents=True, exist_ok=True)
    ending = "csv" if task == "stsb" else "tsv"
    for split, count in (("train", train), ("dev", dev)):
        write_examples(folder / f"{split}.{ending}", task,
                       examples(task, count, f"{split} {seed}", longest))
    return folder


def read_examples(folder, task, split):
    """A task's file as texts and numeric labels, read independently of the command."""
    path = folder / f"{split}.{'csv' if task == 'stsb' else 'tsv'}"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line]
    if task == "cola":
        return [((row[3],), int(row[1])) for row in rows]
    if task == "rte":
        names = ["entailment", "not_entailment"]
        return [((row[1], row[2]), names.index(row[3])) for row in rows[1:]]
    return [((row[5], row[6]), float(row[4])) for row in rows]


def encode(tokenizer, rows, limit=128):
    """The batch that transformers' tokenizer makes of examples."""
    texts = [texts[0] for texts, _ in rows]
    pairs = [texts[1] for texts, _ in rows] if len(rows[0][0]) == 2 else None
    return tokenizer(texts, pairs, truncation="longest_first", max_length=limit, padding=True,
                     return_tensors="pt")


LABELS = {"cola": 2, "rte": 2, "stsb": 1}
