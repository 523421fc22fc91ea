"""Objects that do not change once they are built, so that threads and copies may share them."""

from __future__ import annotations

from typing import Any, NoReturn, Self


class Unchanging:
    """An object whose attributes are set while it is built, by `object.__setattr__`, and never again."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} does not change: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} does not change: cannot delete {name!r}")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self
