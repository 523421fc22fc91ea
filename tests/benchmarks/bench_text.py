"""Topics of news: a text model in a few kilobytes beside what is usually shipped. Accuracy, bytes, latency.

    SKCOMPRESS_DATA=... python tests/benchmarks/bench_text.py             # one table
    SKCOMPRESS_DATA=... python tests/benchmarks/bench_text.py --choose    # and first how the settings were chosen

The folder SKCOMPRESS_DATA holds reuters_r8.csv.gz (columns split, label, text; for research only, so not part of this
project); without it documents are docstrings of what is installed. The split is the one that is given. Settings come
from the training part alone, by the accuracy on documents that come later in the file: --choose prints that table.

Bytes hold everything that a prediction needs: vocabulary, weights, labels. Ours are files of `compact(...)`.to_bytes(),
and so are the rivals of the same size: words chosen by an L1 penalty or by chi2, a logistic regression fitted on those
words alone, with the norm over them as in ours, and weights of 32 bits. The others are pickles.
"""

import argparse
import io
import pickle
import warnings

import joblib
import numpy as np
from _documents import load_documents
from _tables import print_table
from _timing import interleave
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import chi2
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skcompress import PrunedClassifier, QuantizedClassifier, compact, drop_unused_inputs
from skcompress.artifact import CompactLinear

SIZES = {"in 3 kB": (500, "logistic", 0.4, 4), "in 8 kB": ("pairs", "logistic", 0.4, 5)}
"""See `words_of`; the last step, the share of its weights that are kept, bits."""
GRID = [
    *((words, last, 0.4, 4) for words in (300, 450, 500, 700, 1000) for last in ("logistic", "machine")),
    *(("pairs", "logistic", 0.4, bits) for bits in (4, 5)),
    *((words, "machine", 0.6, 6) for words in (1000, "pairs")),
]
PAIRS = (1, 2)


def full_model():
    return make_pipeline(TfidfVectorizer(sublinear_tf=True), LinearSVC(C=0.5, random_state=0))


def words_of(texts, labels, which):
    """Return a vocabulary.

    A number: the words that a support vector machine on all of them is pruned to. "pairs": the words and pairs of
    words that one with an L1 penalty uses.
    """
    if which == "pairs":
        vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=PAIRS, min_df=2)
        machine = LinearSVC(penalty="l1", dual=False, C=10, random_state=0)
    else:
        vectorizer = TfidfVectorizer(sublinear_tf=True)
        base = LinearSVC(C=0.5, random_state=0)
        machine = PrunedClassifier(base, n_nonzero=which, feature_groups="feature")
    with warnings.catch_warnings():
        # Which words are used is known before the last digits of their weights.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make_pipeline(vectorizer, machine).fit(texts, labels)
        return drop_unused_inputs(model, texts, labels)[0].vocabulary


def small_model(texts, labels, words, last, share, bits):
    """Return a fitted model of given words: norm over them alone, idf in steps of a quarter."""
    ngrams = PAIRS if any(" " in word for word in words) else (1, 1)
    vectorizer = TfidfVectorizer(vocabulary=words, sublinear_tf=True, ngram_range=ngrams).fit(texts)
    vectorizer.idf_ = np.round(4 * vectorizer.idf_) / 4
    base = LogisticRegression(C=20, max_iter=300) if last == "logistic" else LinearSVC(C=0.5, random_state=0)
    coded = QuantizedClassifier(PrunedClassifier(base, n_nonzero=share), bits=bits)
    return make_pipeline(FrozenEstimator(vectorizer), coded).fit(texts, labels)


def choose(texts, labels):
    """Print accuracy and bytes of the candidates on documents that come later in the training part."""
    results = {candidate: [] for candidate in ["full", *GRID]}
    for train, test in TimeSeriesSplit(3, test_size=len(texts) // 6).split(texts):
        results["full"].append((full_model().fit(texts[train], labels[train]).score(texts[test], labels[test]), 0))
        words = {which: words_of(texts[train], labels[train], which) for which, *_ in GRID}
        for which, *settings in GRID:
            model = small_model(texts[train], labels[train], words[which], *settings)
            score = model.score(texts[test], labels[test])
            results[which, *settings].append((score, len(compact(model).to_bytes())))
    rows = []
    for candidate, found in results.items():
        scores, sizes = np.array(found).T
        told = [candidate, "", "", ""] if candidate == "full" else candidate
        rows.append([*told, f"{scores.mean():.4f}", f"{sizes.mean():,.0f}" if sizes.any() else ""])
    print_table(
        "Three later parts of the training part.", ["words", "last", "share", "bits", "accuracy", "bytes"], rows
    )


def in_floats(texts, labels, words):
    """Return the compact form of a logistic regression on given words, in floats of 32 bits."""
    vectorizer = TfidfVectorizer(vocabulary=words, sublinear_tf=True, use_idf=False)
    model = make_pipeline(vectorizer, LogisticRegression(C=20, max_iter=300)).fit(texts, labels)
    leaf = model[-1]
    leaf.coef_, leaf.intercept_ = leaf.coef_.astype(np.float32), leaf.intercept_.astype(np.float32)
    return compact(model)


def largest_within(vocabularies, limit, texts, labels):
    """Return the largest of the models, their words given from few to many, that takes `limit` bytes."""
    best = None
    for words in vocabularies:
        small = in_floats(texts, labels, words) if words else None
        if small is not None:
            if len(small.to_bytes()) > limit:
                break
            best = small
    return best


def by_l1(texts, labels):
    """Yield the words that L1 logistic regressions of rising C use."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=3)
    X = vectorizer.fit_transform(texts)
    for C in np.geomspace(0.1, 3, 12):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            lasso = LogisticRegression(C=C, l1_ratio=1, solver="saga", tol=1e-2, random_state=0).fit(X, labels)
        yield vectorizer.get_feature_names_out()[lasso.coef_.any(axis=0)].tolist()


def by_chi2(texts, labels):
    """Yield the words with the largest chi2."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=3)
    X = vectorizer.fit_transform(texts)
    order = np.argsort(-chi2(X, labels)[0])
    for k in range(20, 400, 10):
        yield sorted(vectorizer.get_feature_names_out()[order[:k]].tolist())


def joblib_bytes(model):
    file = io.BytesIO()
    joblib.dump(model, file, compress=("lzma", 9))
    return len(file.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--choose", action="store_true", help="print the cross-validation behind the settings")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    name, texts, labels, test_texts, test_labels = load_documents()
    print(f"{name}: {len(texts)} + {len(test_texts)} documents, {len(set(labels))} classes")
    if arguments.choose:
        choose(texts, labels)
    full = full_model().fit(texts, labels)
    models = {"float TF-IDF, LinearSVC: pickle": (full, len(pickle.dumps(full)))}
    models["the same: joblib, lzma"] = (full, joblib_bytes(full))
    pairs = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=PAIRS, min_df=2), LinearSVC(C=0.5, random_state=0)
    )
    pairs.fit(texts, labels)
    models["words and pairs, LinearSVC: joblib, lzma"] = (pairs, joblib_bytes(pairs))
    for bits in (8, 12):
        hashing = make_pipeline(HashingVectorizer(n_features=2**bits), LogisticRegression(C=20, max_iter=300))
        models[f"2^{bits} hashes, logistic: joblib, lzma"] = (hashing.fit(texts, labels), joblib_bytes(hashing))
    for told, (which, *settings) in SIZES.items():
        words = words_of(texts, labels, which)
        data = compact(small_model(texts, labels, words, *settings)).to_bytes()
        for rival, vocabularies in (("L1", by_l1(texts, labels)), ("chi2", by_chi2(texts, labels))):
            small = largest_within(vocabularies, len(data), texts, labels)
            if small is not None:
                n_rival = len(small.blocks[0].params["words"])
                models[f"{n_rival} words by {rival}, logistic, {told}"] = (small, len(small.to_bytes()))
        models[f"skcompress, {told}: {len(words)} words, {settings[-1]} bits"] = (
            CompactLinear.from_bytes(data),
            len(data),
        )
    report(models, test_texts, test_labels, arguments.repeats)


def report(models, texts, labels, repeats):
    one = sorted(texts, key=len)[len(texts) // 2]
    calls = {told: (lambda model=model: predict_one(model, one)) for told, (model, _) in models.items()}
    single = interleave(calls, repeats=repeats, threads=1, loops=200)
    calls = {told: (lambda model=model: model.predict(list(texts))) for told, (model, _) in models.items()}
    batch = interleave(calls, repeats=repeats, threads=1)
    rows = []
    for told, (model, size) in models.items():
        accuracy = np.mean(np.asarray(model.predict(list(texts))) == labels)
        micro = 1e6 * single[told].seconds
        rows.append([told, f"{accuracy:.4f}", f"{size:,}", f"{micro:,.0f}", f"{1000 * batch[told].seconds:,.0f}"])
    header = ["model", "test accuracy", "bytes", "one document, µs", f"{len(texts)} documents, ms"]
    print_table("Everything that a prediction needs.", header, rows)


def predict_one(model, text):
    return model.predict_one(text) if isinstance(model, CompactLinear) else model.predict([text])


if __name__ == "__main__":
    main()
