"""The metrics of generated text agree with the E2E challenge's own scorer.

The challenge's BLEU and NIST are in no package, so scores of them are committed, with those of the
other three; where Java and pycocoevalcap are at hand, these three run beside the command.
"""

import json
import pathlib

import pytest

import challenge_scorer
import harness
import restaurant_texts

DATA = harness.ROOT.parent / "shared" / "data" / "e2e"
GOLDENS = json.loads(
    (pathlib.Path(__file__).parent / "goldens/generation_scores.json").read_text())
TOLERANCE = 1e-6


def score(folder, hypotheses, references):
    texts, others = restaurant_texts.write(folder, hypotheses, references)
    return json.loads(harness.succeed("score", hypotheses=texts, references=others, json=True))


@pytest.mark.skipif(not DATA.is_dir(), reason="there is no ../shared/data/e2e")
@pytest.mark.parametrize(
    "golden", GOLDENS["challenge"], ids=lambda golden: f"{golden['file']}-{golden['seed']}")
def test_scores_of_perturbed_references_are_the_challenge_scorers(golden, tmp_path):
    groups = restaurant_texts.e2e(DATA / golden["file"])
    found = score(tmp_path, *restaurant_texts.segments(groups, golden["seed"]))
    for metric, value in golden["scores"].items():
        assert found[metric] == pytest.approx(value, abs=TOLERANCE), metric


@pytest.mark.skipif(challenge_scorer.missing() is not None, reason=str(challenge_scorer.missing()))
@pytest.mark.parametrize("seed", [11, 12])
def test_scores_of_captions_are_those_of_coco_caption_run_beside(seed, tmp_path):
    groups = restaurant_texts.OWN + (
        restaurant_texts.e2e(DATA / "devset.csv")[:60] if DATA.is_dir() else [])
    hypotheses, references = restaurant_texts.segments(groups, seed, 800)
    found = score(tmp_path, hypotheses, references)
    for metric, value in challenge_scorer.captions(hypotheses, references).items():
        assert found[metric] == pytest.approx(value, abs=TOLERANCE), metric


def test_references_of_the_challenges_file_are_grouped_by_meaning(tmp_path):
    (tmp_path / "e2e.csv").write_text(
        '"MR","REF"\r\n"name[A]","A is a pub."\r\n"name[B], area[city centre]","B, a bar."\r\n'
        '"name[A]","There is a pub, ""A""."\r\n', encoding="utf-8")
    texts, others = restaurant_texts.write(
        tmp_path, ["A is a pub", "B is a bar"], [["A is a pub.", 'There is a pub, "A".'], ["B, a bar."]])
    found = json.loads(
        harness.succeed("score", hypotheses=texts, e2e=tmp_path / "e2e.csv", json=True))
    assert found == score(tmp_path, ["A is a pub", "B is a bar"],
                          [["A is a pub.", 'There is a pub, "A".'], ["B, a bar."]])
    assert found["texts"] == 2


def test_only_the_metrics_asked_for_are_printed(tmp_path):
    texts, others = restaurant_texts.write(tmp_path, ["a b c d"], [["a b c d e"]])
    out = harness.succeed(
        "score", "--metrics", "rouge_l", "bleu", hypotheses=texts, references=others)
    assert [line.split()[0] for line in out.splitlines()] == ["rouge_l", "bleu"]


FAULTS = {
    "fewer references": ("a\nb\n", "a\n\nb\n\nc\n", ["2 texts", "references for 3"]),
    "two empty lines": ("a\nb\n", "a\n\n\nb\n", ["references.txt:3", "the line is empty"]),
    "no text": ("", "a\n", ["hypotheses.txt", "no examples"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_do_not_fit_are_refused_in_a_line(fault, tmp_path):
    hypotheses, references, words = FAULTS[fault]
    (tmp_path / "hypotheses.txt").write_text(hypotheses)
    (tmp_path / "references.txt").write_text(references)
    harness.assert_refused(
        harness.run("score", hypotheses=tmp_path / "hypotheses.txt",
                    references=tmp_path / "references.txt"), *words)
