"""The parameters of an estimator as one line that leaves nothing out, for records."""

from __future__ import annotations

import re
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def parameters_of(value: Any) -> str:
    """Return an estimator as it would be written, with the parameters that are not the defaults, however long.

    scikit-learn's own repr cuts long lists; here containers are written out and functions by their names, so that the
    same parameters give the same line in every run.
    """
    if hasattr(value, "get_params") and not isinstance(value, type):
        defaults = {name: given.default for name, given in signature(type(value).__init__).parameters.items()}
        given = {name: parameters_of(part) for name, part in value.get_params(deep=False).items()}
        changed = [
            f"{name}={text}"
            for name, text in given.items()
            if name not in defaults or text != parameters_of(defaults[name])
        ]
        return f"{type(value).__name__}({', '.join(changed)})"
    if isinstance(value, np.ndarray):
        return f"array({parameters_of(value.tolist())})"
    if isinstance(value, list):
        return f"[{', '.join(map(parameters_of, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(parameters_of, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{parameters_of(key)}: {parameters_of(part)}" for key, part in value.items()) + "}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, partial):
        parts = [
            *map(parameters_of, value.args),
            *(f"{name}={parameters_of(part)}" for name, part in value.keywords.items()),
        ]
        return f"partial({', '.join([parameters_of(value.func), *parts])})"
    text = " ".join(repr(value).split())
    if not _ADDRESS.search(text):
        return text
    # An object without a repr of its own, such as make_column_selector: its attributes say what it is.
    held = [
        f"{name}={parameters_of(part)}" for name, part in getattr(value, "__dict__", {}).items() if part is not None
    ]
    return f"{type(value).__name__}({', '.join(held)})"
