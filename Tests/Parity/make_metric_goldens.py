"""Writes the metric goldens: random and awkward cases with the values of scikit-learn and SciPy.

    python3 Tests/Parity/make_metric_goldens.py > Tests/MetricsTests/Goldens/metrics.json

Needs numpy, scikit-learn and scipy. NaN is written as null.
"""

import json
import math
import sys
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics

warnings.simplefilter("ignore")
random = np.random.default_rng(20240917)


def classification(name, labels, predictions):
    labels, predictions = [int(v) for v in labels], [int(v) for v in predictions]
    binary = set(labels) | set(predictions) <= {0, 1}
    return {
        "name": name,
        "labels": labels,
        "predictions": predictions,
        "accuracy": float(metrics.accuracy_score(labels, predictions)),
        "matthews": float(metrics.matthews_corrcoef(labels, predictions)),
        "f1": float(metrics.f1_score(labels, predictions)) if binary else None,
    }


def correlation(name, x, y):
    def number(value):
        return None if math.isnan(value) else float(value)

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return {
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "pearson": number(stats.pearsonr(x, y).statistic),
        "spearman": number(stats.spearmanr(x, y).statistic),
    }


def classifications():
    def noisy(labels, classes, flip):
        replaced = random.random(len(labels)) < flip
        return np.where(replaced, random.integers(0, classes, len(labels)), labels)

    for classes, count, flip in [
        (2, 40, 0.2), (2, 25, 0.9), (2, 3, 0.5), (2, 2, 0.5), (3, 50, 0.4), (7, 60, 0.7), (5, 9, 0.3),
    ]:
        labels = random.integers(0, classes, count)
        yield classification(f"{classes} classes, {count} examples, {flip:.0%} noise",
                             labels, noisy(labels, classes, flip))
    rare = (random.random(80) < 0.05).astype(int)
    rare[7] = 1
    yield classification("rare class", rare, noisy(rare, 2, 0.1))
    yield classification("rare class never predicted", rare, np.zeros(80))
    yield classification("all predictions equal", [0, 1, 1, 0, 1], [1, 1, 1, 1, 1])
    yield classification("all labels equal", [0, 0, 0, 0], [0, 1, 0, 0])
    yield classification("both constant and equal", [1, 1, 1], [1, 1, 1])
    yield classification("both constant and different", [1, 1, 1], [0, 0, 0])
    yield classification("perfect", [0, 1, 1, 0], [0, 1, 1, 0])
    yield classification("inverted", [0, 1, 1, 0], [1, 0, 0, 1])
    yield classification("a class only predicted", [0, 1, 0, 1, 2], [0, 5, 0, 1, 1])
    yield classification("one example", [1], [1])


def correlations():
    def noise(count):
        return random.standard_normal(count)

    x = noise(30)
    yield correlation("independent", x, noise(30))
    yield correlation("related", x, 0.7 * x + 0.5 * noise(30))
    yield correlation("nearly perfect", x, x + 1e-6 * noise(30))
    yield correlation("negative", x, -2 * x + 0.1 * noise(30))
    yield correlation("offset 1e8", 1e8 + x, 1e8 + 0.7 * x + noise(30))
    yield correlation("offset -1e8 against 1", -1e8 + x, 1 + 0.4 * x + noise(30))
    yield correlation("tiny", 1e-12 * x, 1e-9 * (x + noise(30)))
    yield correlation("squares vanish", 1e-200 * x, 1e-180 * (x + noise(30)))
    yield correlation("squares overflow", 1e180 * x, 1e200 * (x + noise(30)))
    yield correlation("mixed magnitudes", np.exp(6 * x), np.exp(6 * noise(30)))
    yield correlation("many ties", random.integers(0, 4, 40), random.integers(0, 3, 40))
    scores = random.integers(0, 26, 40) / 5
    yield correlation("similarity scores", scores, np.clip(scores + 0.6 * noise(40), 0, 5))
    yield correlation("ties in one column", random.integers(0, 3, 25), noise(25))
    yield correlation("monotone, not linear", np.arange(12), np.exp(np.arange(12)))
    yield correlation("two pairs", [1.0, 2.5], [7.0, 3.0])
    yield correlation("three pairs", [1.0, 2.5, 2.5], [7.0, 3.0, 9.0])
    yield correlation("constant column", noise(5), [0.1] * 5)
    yield correlation("both constant", [3.0] * 4, [0.1] * 4)
    yield correlation("signed zeros tie", [0.0, -0.0, 1.0, 2.0], [1.0, 2.0, 3.0, 5.0])


json.dump(
    {"classifications": list(classifications()), "correlations": list(correlations())},
    sys.stdout, separators=(",", ":"), allow_nan=False)
print()
