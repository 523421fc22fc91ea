"""The version, and what a pickle of an estimator says about the one that wrote it."""

from __future__ import annotations

import warnings
from typing import Any

__version__ = "0.1.0"

_KEY = "_skcompress_version"


class VersionedState:
    """Puts the version of the package into the state, and warns where a state comes from another one."""

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), _KEY: __version__}  # type: ignore[dict-item]

    def __setstate__(self, state: dict[str, Any]) -> None:
        rest = dict(state)
        written = rest.pop(_KEY, "an unknown version")
        if written != __version__:
            warnings.warn(
                f"this {type(self).__name__} was saved by skcompress {written} and is read by {__version__}: it may "
                "not work, or give other results. Files of dump(model, path) stay readable",
                UserWarning,
                stacklevel=2,
            )
        parent = super()
        if hasattr(parent, "__setstate__"):
            parent.__setstate__(rest)
        else:
            self.__dict__.update(rest)
