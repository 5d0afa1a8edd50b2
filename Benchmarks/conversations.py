"""Conversations to fine-tune a chat model with: the meanings and texts of the E2E challenge, a turn each.

    python3 Benchmarks/conversations.py ../shared/data/e2e/devset.csv --count 2000 > restaurants.jsonl
"""

import argparse
import csv
import json
import random


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="a CSV file with the columns mr and ref")
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    with open(options.file, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    random.Random(0).shuffle(rows)
    for row in rows[:options.count]:
        turns = [("user", row["mr"]), ("assistant", row["ref"])]
        print(json.dumps({"messages": [{"role": role, "content": text} for role, text in turns]},
                         ensure_ascii=False))


if __name__ == "__main__":
    main()
