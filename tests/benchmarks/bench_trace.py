"""How much of the package does a fit go through? Files, functions, pairs of files and depth, from a trace of the calls.

    python tests/benchmarks/bench_trace.py

prints a table, with scikit-learn's RFE beside our wrappers, each traced in its own package. A pair is a file that calls
into another one, whichever function; depth counts the calls inside the package that are open at the same time. Aims:
26 files for a pruned Ridge and 36 for one that is quantized as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import sklearn
from sklearn.datasets import load_diabetes
from sklearn.feature_selection import RFE
from sklearn.linear_model import Ridge

import skcompress
from skcompress import CompressedRegressorCV, DistilledRegressor, PrunedRegressor, QuantizedRegressor

ROOT = str(Path(skcompress.__file__).parent)
PEER = str(Path(sklearn.__file__).parent)


class Trace(NamedTuple):
    """What a call went through inside the package."""

    files: frozenset[str]
    functions: frozenset[CodeType]
    pairs: frozenset[tuple[str, str]]
    depth: int


def traced(call: Callable[[], Any], root: str = ROOT) -> Trace:
    """Return what a call goes through below a folder; code that Python generates, as for dataclasses, has no file."""
    files: set[str] = set()
    functions: set[CodeType] = set()
    pairs: set[tuple[str, str]] = set()
    open_files: list[str] = []
    depth = 0

    def is_inside(frame: FrameType) -> bool:
        return frame.f_code.co_filename.startswith(root)

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal depth
        if event == "call" and is_inside(frame):
            name = frame.f_code.co_filename
            if open_files and open_files[-1] != name:
                pairs.add((open_files[-1], name))
            open_files.append(name)
            files.add(name)
            functions.add(frame.f_code)
            depth = max(depth, len(open_files))
        elif event == "return" and is_inside(frame) and open_files:
            open_files.pop()

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return Trace(frozenset(files), frozenset(functions), frozenset(pairs), depth)


def main() -> None:
    X, y = load_diabetes(return_X_y=True)
    models = {
        "PrunedRegressor(Ridge(), n_nonzero=4)": PrunedRegressor(Ridge(), n_nonzero=4),
        "QuantizedRegressor(PrunedRegressor(Ridge()))": QuantizedRegressor(PrunedRegressor(Ridge())),
        "DistilledRegressor(PrunedRegressor(Ridge()), alpha=0.5)": DistilledRegressor(
            PrunedRegressor(Ridge()), teacher=Ridge(), alpha=0.5
        ),
        "CompressedRegressorCV(Ridge(), cv=3)": CompressedRegressorCV(Ridge(), cv=3),
        "RFE(Ridge(), n_features_to_select=4)": RFE(Ridge(), n_features_to_select=4),
    }
    print("| fit | files | functions | pairs of files | depth |\n|---|---|---|---|---|")
    for name, model in models.items():
        model.fit(X, y)  # imports what is imported where it is used
        root = PEER if isinstance(model, RFE) else ROOT
        found = traced(lambda model=model: model.fit(X, y), root)
        counts = len(found.files), len(found.functions), len(found.pairs), found.depth
        print(f"| {name} | {' | '.join(map(str, counts))} |")
        if "--files" in sys.argv:
            print("\n".join(sorted(str(Path(file).relative_to(root)) for file in found.files)))


if __name__ == "__main__":
    main()
