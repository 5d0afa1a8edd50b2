"""Writes the goldens of the metrics of generated text: scores only, made by the E2E challenge's own
scorer (see challenge_scorer.py) from texts that restaurant_texts.py makes again.

    E2E_METRICS=DIR python3 Tests/Parity/make_generation_goldens.py

Needs pycocoevalcap, Java, a copy of github.com/tuetschek/e2e-metrics in DIR, and the challenge's
files in ../shared/data/e2e. Writes Tests/Parity/goldens/generation_scores.json, and for the Swift
tests the sentences of our own with their scores, Tests/MetricsTests/Goldens/generation.json.
"""

import json
import pathlib

import challenge_scorer
import restaurant_texts

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "e2e"


def scores(hypotheses, references):
    return {**challenge_scorer.mteval(hypotheses, references),
            **challenge_scorer.captions(hypotheses, references)}


def dump(value, path):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    challenge = [
        {"file": name, "seed": seed,
         "scores": scores(*restaurant_texts.segments(restaurant_texts.e2e(DATA / name), seed))}
        for name in ["testset_w_refs.csv", "devset.csv"] for seed in [1, 2]]
    own = []
    for seed in range(6):
        hypotheses, references = restaurant_texts.segments(restaurant_texts.OWN, seed, 40)
        own.append({"seed": seed, "scores": scores(hypotheses, references),
                    "segments": [{"hypothesis": text, "references": group}
                                 for text, group in zip(hypotheses, references)]})
    dump({"challenge": challenge}, ROOT / "Tests/Parity/goldens/generation_scores.json")
    dump(own, ROOT / "Tests/MetricsTests/Goldens/generation.json")


if __name__ == "__main__":
    main()
