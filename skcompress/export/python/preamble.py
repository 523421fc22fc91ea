"""What the functions of `skcompress.export.python.module` call: plain Python, taken along as far as it is needed."""

from __future__ import annotations

import ast
import re

SOURCE = """_NAN = math.nan
_INFINITY = math.inf
_NAN_KEY = ("nan",)
_ABSENT = ("absent",)


def _key(value):
    try:
        return _NAN_KEY if value != value else value
    except TypeError:
        # The missing value of pandas has no truth.
        return _NAN_KEY


def _number(value, name):
    if value is None or value == _NAN_KEY:
        return _NAN
    if isinstance(value, (str, bytes)) or type(value).__name__ in ("datetime64", "timedelta64"):
        raise ValueError(f"input {name!r} must hold numbers")
    try:
        return float(_NAN if _key(value) == _NAN_KEY else value)
    except (TypeError, OverflowError):
        raise ValueError(f"input {name!r} must hold numbers") from None


def _finite(value, what):
    if value == _INFINITY or value == -_INFINITY:
        raise ValueError(f"{what} is {value}: it must be finite")


def _check(etas):
    if not all(map(math.isfinite, etas)):
        raise ValueError("the inputs give no finite prediction")


def _clip(x, low, high):
    return low if x < low else high if x > high else x


def _steps(x, edges, values):
    return values[bisect_right(edges, x)] if x == x else _NAN


def _pieces(x, breaks, origins, coefficients, period=None):
    if x != x:
        return _NAN
    if period is not None:
        x = origins[0] + (x - origins[0]) % period
    place = bisect_right(breaks, x)
    total = 0.0
    for coefficient in reversed(coefficients[place]):
        total = total * (x - origins[place]) + coefficient
    return total


def _entry(value):
    if value is None or value == _NAN_KEY:
        return _NAN
    try:
        return 0.0 if isinstance(value, (str, bytes)) else float(value)
    except TypeError:
        return 0.0
    except OverflowError:
        return _INFINITY


def _guarded(function, poles=()):
    def call(x):
        if x in poles:
            return _INFINITY
        try:
            return function(x)
        except (ValueError, ZeroDivisionError):
            return _NAN
        except OverflowError:
            return _INFINITY

    return call


_log1p = _guarded(math.log1p, [-1.0])
_log = _guarded(math.log, [0.0])
_log10 = _guarded(math.log10, [0.0])
_log2 = _guarded(math.log2, [0.0])
_sqrt = _guarded(math.sqrt)
_exp = _guarded(math.exp)
_expm1 = _guarded(math.expm1)
_sin = _guarded(math.sin)
_cos = _guarded(math.cos)
_tanh = math.tanh
_arcsinh = math.asinh
_absolute = abs
_reciprocal = _guarded(lambda x: 1.0 / x, [0.0])


def _cbrt(x):
    return math.copysign(math.cbrt(abs(x)) if hasattr(math, "cbrt") else abs(x) ** (1 / 3), x)


def _square(x):
    return x * x


def _sign(x):
    return (x > 0) - (x < 0) if x == x else _NAN


def _negative(x):
    return -x


def _floor(x):
    return float(math.floor(x)) if math.isfinite(x) else x


def _rint(x):
    return float(round(x)) if math.isfinite(x) else x


def _logistic(eta):
    small = math.exp(-abs(eta))
    return (1.0 if eta >= 0 else small) / (1.0 + small)


def _softmax(etas):
    most = max(etas)
    return _shares([math.exp(eta - most) for eta in etas])


def _shares(answers):
    total = sum(answers)
    if not total:
        raise ValueError("the inputs give no finite prediction")
    return [answer / total for answer in answers]
"""


def needed(text: str) -> str:
    """Return the imports and the definitions that a text, and what it calls, refers to."""
    tree = ast.parse(SOURCE)
    parts = [(_defined(node), ast.get_source_segment(SOURCE, node) or "") for node in tree.body]
    wanted: set[str] = set()
    found = set(re.findall(r"\w+", text))
    while new := {name for name, _ in parts if name in found} - wanted:
        wanted |= new
        found |= {word for name, source in parts if name in new for word in re.findall(r"\w+", source)}
    chosen = [source for name, source in parts if name in wanted]
    constants = [source for source in chosen if not source.startswith("def ") and "_guarded(" not in source]
    others = [source for source in chosen if source not in constants]
    imports = [line for word, line in IMPORTS.items() if word in found]
    return "\n".join([*imports, "", *constants, *(f"\n\n{source}" for source in others)])


IMPORTS = {"math": "import math", "bisect_right": "from bisect import bisect_right"}


def _defined(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    raise TypeError("the preamble holds definitions alone")
