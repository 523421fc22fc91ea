"""Damaged and hostile files: what reading them costs, and that it ends in a model or a FormatError.

    python tests/benchmarks/fuzz_artifacts.py              # 100,000 mutants, about ten minutes
    python tests/benchmarks/fuzz_artifacts.py --n 10000 --seed 1

Mutants are files of the models in ``tests/artifact/models.py`` with some bytes changed, and files whose integers and
streams were changed as they were written; all have the right checksum. Every fiftieth is read once more to find its
peak of memory, which is held against what the reader's budget was charged. Every fifth, if
it holds a model, gets the right hash, as an attacker would write it, is read, written and read again, and predicts.

Bombs are small files of great expectations, next to honest models that need as much as their size may need. It exits
with 1 if a file raises anything but a FormatError, or takes more memory than was charged.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from skcompress.artifact import CompactLinear, FormatError, Inputs, Weights
from skcompress.artifact.format import packed
from skcompress.artifact.format.budget import Budget
from tests.artifact.format.hostile import BOMBS, answer_of, mutants, peak_of, rightful
from tests.artifact.models import MODELS

SLACK, MAX_BYTES = 2**21, 2**24
_LAST: list[Budget] = []


class _Noted(Budget):
    def __init__(self, *args: Any):
        super().__init__(*args)
        _LAST[:] = [self]


def outcome(data: bytes, max_bytes: int | None) -> str:
    """Read a file and return how that ended."""
    try:
        CompactLinear.from_bytes(data, max_bytes=max_bytes)
    except FormatError:
        return "FormatError"
    except Exception as error:
        print(f"{type(error).__name__}: {error}\n{data.hex()}")
        return type(error).__name__
    return "model"


def as_an_attacker(data: bytes) -> str:
    """Give a mutant the right hash, read it, and use the model if there is one."""
    try:
        if (whole := rightful(data, MAX_BYTES)) is None:
            return "FormatError"
        model = CompactLinear.from_bytes(whole)
        CompactLinear.from_bytes(model.to_bytes())
        answer_of(model)
    except Exception as error:
        print(f"{type(error).__name__} with the right hash: {error}\n{data.hex()}")
        return type(error).__name__
    return "model"


def charged() -> int:
    """Return the memory that the last budget was charged."""
    return _LAST[0].allowed - max(0, _LAST[0].memory_left) if _LAST else 0


def honest() -> dict[str, bytes]:
    """Return files of the slowest honest models of their sizes that we know."""
    n = 10**6

    def of(weights: Weights) -> bytes:
        k = weights.shape[1]
        inputs = Inputs(None, np.arange(k), k)
        return CompactLinear(weights, np.zeros(len(weights.decode())), inputs, flat=False).to_bytes()

    rng = np.random.default_rng(0)
    return {
        "17 x 1,000,000 floats, 17 not zero": of(Weights.from_values(np.eye(17, n))),
        "17 x 1,000,000 codes, all one": of(Weights.from_codes(np.ones((17, n), dtype=np.int8), 0.5, bits=4)),
        "1 x 100,000 codes of 4 bits": of(Weights.from_codes(rng.integers(-7, 8, size=(1, n // 10)), 0.5, bits=4)),
    }


def table(files: dict[str, bytes]) -> bool:
    """Print what files cost, and return whether all kept to what they were charged."""
    fits = True
    print("| file | bytes | seconds | peak, MB | charged, MB | end |\n|---|--:|--:|--:|--:|---|")
    for name, data in files.items():
        start = time.process_time()
        end = outcome(data, None)
        seconds = time.process_time() - start
        peak = peak_of(lambda data=data: outcome(data, None))[1]
        fits &= peak <= charged() + SLACK
        print(f"| {name} | {len(data):,} | {seconds:.2f} | {peak / 1e6:.0f} | {charged() / 1e6:.0f} | {end} |")
    return fits


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--n", type=int, default=100_000, help="number of mutants")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    packed.Budget = _Noted  # type: ignore[misc]
    fits = table({**honest(), **{name: make() for name, make in BOMBS.items()}})
    ends: Counter[str] = Counter()
    attacks: Counter[str] = Counter()
    slowest, most, start = (0.0, 0), 0, time.perf_counter()
    for number, data in enumerate(mutants(MODELS.values(), given.n, given.seed)):
        _LAST.clear()
        before = time.process_time()
        ends[outcome(data, None)] += 1
        slowest = max(slowest, (time.process_time() - before, len(data)))
        if number % 5 == 0:
            attacks[as_an_attacker(data)] += 1
        if number % 50 == 0:
            peak = peak_of(lambda data=data: outcome(data, None))[1]
            most, fits = max(most, peak), fits and peak <= charged() + SLACK
    print(f"\n{given.n:,} mutants in {time.perf_counter() - start:.0f} s: {dict(ends)}")
    print(f"with the right hash: {dict(attacks)}")
    print(f"slowest {slowest[0]:.2f} s, for {slowest[1]:,} bytes; most memory {most / 1e6:.1f} MB")
    print("memory was as charged" if fits else "MEMORY WAS MORE THAN CHARGED")
    return 0 if fits and set(ends) | set(attacks) <= {"model", "FormatError"} else 1


if __name__ == "__main__":
    sys.exit(main())
