"""News in three kilobytes: a text classifier whose vocabulary, weights and labels take less than this script.

A support vector machine on all words is pruned to the words that matter; a logistic regression on those words alone
loses part of its weights and keeps four bits of each; vocabulary, idf, weights and labels go into one file that numpy
alone reads.

    python examples/plot_news_in_3_kilobytes.py [reuters_r8.csv.gz]

prints a table and writes news.png into the current directory. Reuters R8 (eight topics of news) is for research only,
and not part of this project: give the path of a copy, here or in the environment variable SKCOMPRESS_R8, with the
columns split, label and text. Without it the documents are the docstrings of eight modules of numpy, scipy and
scikit-learn, and the task is to tell the module.
"""

import hashlib
import importlib
import inspect
import os
import pickle
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import chi2
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skcompress import PrunedClassifier, QuantizedClassifier, compact, drop_unused_inputs
from skcompress.artifact import CompactLinear

PICTURE = Path("news.png")
N_WORDS = (50, 100, 200, 450)
MODULES = (
    *("numpy.ma", "numpy.random", "scipy.interpolate", "scipy.signal", "scipy.special", "scipy.stats"),
    *("sklearn.linear_model", "sklearn.metrics"),
)


def load_documents(path=None):
    """Return what the documents are, training texts and labels, and test texts and labels."""
    if path:
        name, rows = "Reuters R8", pd.read_csv(path).fillna({"text": ""})
    else:
        name, rows = "docstrings of numpy, scipy and scikit-learn", pd.DataFrame(docstrings())
    train = rows["split"] == "train"
    parts = [rows.loc[part, column].to_numpy(object) for part in (train, ~train) for column in ("text", "label")]
    return name, *parts


def docstrings():
    """Yield the docstrings of eight modules up to the examples, each text once; those of two modules are left out."""
    modules_of = {}
    for module in MODULES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for text in texts_of(importlib.import_module(module)):
                modules_of.setdefault(text, set()).add(module)
    for text, modules in modules_of.items():
        if len(modules) == 1:
            part = "test" if hashlib.sha256(text.encode()).digest()[0] < 77 else "train"
            yield {"split": part, "label": min(modules), "text": text}


def texts_of(module):
    """Yield what a module says about its public functions and classes, and about their methods."""
    package = module.__name__.partition(".")[0]
    for name in dir(module):
        thing = getattr(module, name)
        methods = [getattr(thing, inner, None) for inner in dir(thing)] if inspect.isclass(thing) else []
        for item in (thing, *methods):
            ours = package in (getattr(item, "__module__", None) or package)
            callable_ = inspect.isroutine(item) or inspect.isclass(item) or type(item).__name__ == "ufunc"
            if ours and callable_ and not str(getattr(item, "__name__", "_")).startswith("_"):
                text = re.split(r"\n(?:Examples|See Also|References)\n-+", inspect.getdoc(item) or "")[0]
                if len(text) >= 200:
                    # A default value may be told by its address in memory.
                    yield re.sub(r"\b0x[0-9a-f]+", "", text)


def small_model(texts, labels, n_words):
    """Return a fitted pipeline of `n_words` words and weights of four bits."""
    machine = PrunedClassifier(LinearSVC(C=0.5, random_state=0), n_nonzero=n_words, feature_groups="feature")
    pruned = make_pipeline(TfidfVectorizer(sublinear_tf=True), machine).fit(texts, labels)
    words = drop_unused_inputs(pruned, texts, labels)[0].vocabulary
    vectorizer = TfidfVectorizer(vocabulary=words, sublinear_tf=True).fit(texts)
    # Of few distinct values each takes half a byte in the file, in place of eight.
    vectorizer.idf_ = np.round(4 * vectorizer.idf_) / 4
    logistic = PrunedClassifier(LogisticRegression(C=20, max_iter=300), n_nonzero=0.4)
    return make_pipeline(FrozenEstimator(vectorizer), QuantizedClassifier(logistic, bits=4)).fit(texts, labels)


def textbook_model(texts, labels, n_words):
    """Return the same with the words of the largest chi2 and weights in floats."""
    words = TfidfVectorizer(sublinear_tf=True).fit(texts)
    order = np.argsort(-chi2(words.transform(texts), labels)[0])
    vocabulary = sorted(words.get_feature_names_out()[order[:n_words]].tolist())
    vectorizer = TfidfVectorizer(vocabulary=vocabulary, sublinear_tf=True)
    return make_pipeline(vectorizer, LogisticRegression(C=20, max_iter=300)).fit(texts, labels)


def microseconds(call, loops=200):
    """Return the time of one call."""
    start = time.perf_counter()
    for _ in range(loops):
        call()
    return 1e6 * (time.perf_counter() - start) / loops


def main():
    """Print the table and draw it."""
    path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SKCOMPRESS_R8")
    name, texts, labels, test_texts, test_labels = load_documents(path)
    print(f"{name}: {len(texts)} documents to learn from, {len(test_texts)} to test, {len(set(labels))} classes\n")
    full = make_pipeline(TfidfVectorizer(sublinear_tf=True), LinearSVC(C=0.5, random_state=0)).fit(texts, labels)
    reference = len(pickle.dumps(full)), full.score(test_texts, test_labels)
    curves = {"skcompress, 4 bits": [], "chi2, 64-bit floats": []}
    text = sorted(test_texts, key=len)[len(test_texts) // 2]
    print("| model | words | test accuracy | bytes | one document, µs |\n|---|---|---|---|---|")
    row = "| {} | {} | {:.4f} | {:,} | {:.0f} |"
    times = microseconds(lambda: full.predict([text]))
    print(row.format("float TF-IDF, pickled", len(full[0].vocabulary_), reference[1], reference[0], times))
    for told, build in zip(curves, (small_model, textbook_model), strict=True):
        for n_words in N_WORDS:
            data = compact(build(texts, labels, n_words)).to_bytes()
            shipped = CompactLinear.from_bytes(data)
            accuracy = float(np.mean(shipped.predict(list(test_texts)) == test_labels))
            curves[told].append((len(data), accuracy))
            times = microseconds(lambda shipped=shipped: shipped.predict_one(text))
            print(row.format(told, n_words, accuracy, len(data), times))
            if told.startswith("skcompress") and n_words == N_WORDS[1]:
                look_inside = shipped
    print(f"\nThe heaviest words of each class, of {N_WORDS[1]}:")
    words = np.array(look_inside.blocks[0].params["words"])[look_inside.blocks[0].params["slots"] >= 0]
    for label, weights in zip(look_inside.classes, look_inside.coef, strict=True):
        print(f"  {label}: {', '.join(words[np.argsort(-weights)[:6]])}")
    draw(name, reference, curves)


def draw(name, reference, curves):
    """Draw accuracy against bytes."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for (told, points), marker in zip(curves.items(), "os", strict=True):
        axes.plot(*zip(*points, strict=True), marker=marker, label=told)
    for (size, accuracy), n_words in zip(curves["skcompress, 4 bits"], N_WORDS, strict=True):
        axes.annotate(f"{n_words} words", (size, accuracy), (7, -9), textcoords="offset points", fontsize=8)
    axes.plot(*reference, "k*", markersize=12, label="float TF-IDF, pickled")
    axes.axhline(reference[1], color="0.8", linewidth=1, zorder=0)
    axes.axvline(3000, color="0.8", linewidth=1, zorder=0)
    axes.annotate(
        "3 kB", (3000, 1), (3, -10), xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=8
    )
    axes.set(xscale="log", xlabel="bytes, vocabulary and labels included", ylabel="test accuracy", title=name)
    axes.legend(loc="lower right")
    figure.savefig(PICTURE, dpi=120)
    print(f"\nwrote {PICTURE}")


if __name__ == "__main__":
    main()
