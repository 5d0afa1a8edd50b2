"""The scores of the E2E challenge's own scorer, for goldens and, where it is installed, for tests.

BLEU and NIST come from `metrics/pymteval.py` of a copy of github.com/tuetschek/e2e-metrics (commit
1b9c4d8), named by E2E_METRICS; the rest from PyPI's pycocoevalcap 1.2 (coco-caption's code, with
Stanford's tokenizer 3.4.1 and METEOR 1.5) and Java. METEOR runs with `-m "exact stem"`.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import types

METRICS = ["bleu", "nist", "meteor", "rouge_l", "cider"]


def missing():
    """Why captions cannot be scored here; None where they can."""
    if shutil.which("java") is None:
        return "there is no java"
    if importlib.util.find_spec("pycocoevalcap") is None:
        return "pycocoevalcap is not installed (a download of 104 MB)"
    return None


def captions(hypotheses, references):
    """METEOR, ROUGE-L and CIDEr."""
    import pycocoevalcap.meteor.meteor as wrapper
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    class ExactAndStem(wrapper.Meteor):
        def __init__(self):
            self.meteor_p = subprocess.Popen(
                ["java", "-jar", "-Xmx2G", wrapper.METEOR_JAR, "-", "-", "-stdio", "-l", "en",
                 "-norm", "-m", "exact stem"],
                cwd=os.path.dirname(wrapper.__file__), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.lock = threading.Lock()

    tokenizer = PTBTokenizer()
    truth = tokenizer.tokenize({place: [{"caption": text} for text in group]
                                for place, group in enumerate(references)})
    made = tokenizer.tokenize({place: [{"caption": text}]
                               for place, text in enumerate(hypotheses)})
    return {"meteor": ExactAndStem().compute_score(truth, made)[0],
            "rouge_l": float(Rouge().compute_score(truth, made)[0]),
            "cider": float(Cider().compute_score(truth, made)[0])}


def mteval(hypotheses, references):
    """BLEU and NIST."""
    if "past" not in sys.modules and importlib.util.find_spec("past") is None:
        # Python 2's division, the one thing that pymteval needs of the package `future`.
        past, utils = types.ModuleType("past"), types.ModuleType("past.utils")
        utils.old_div = lambda a, b: a // b if isinstance(a, int) and isinstance(b, int) else a / b
        sys.modules.update({"past": past, "past.utils": utils})
    sys.path.insert(0, os.environ["E2E_METRICS"])
    from metrics.pymteval import BLEUScore, NISTScore
    bleu, nist = BLEUScore(), NISTScore()
    for text, group in zip(hypotheses, references):
        bleu.append(text, group)
        nist.append(text, group)
    return {"bleu": bleu.score(), "nist": nist.score()}
