"""Searches for supports: table SEARCHES, from a name to a function (problem, settings) -> profile."""

from __future__ import annotations

from collections.abc import Callable

from .exact import exact
from .nested import Nested, one_shot, stepwise
from .problem import Problem, problems_of
from .profile import Found, Profile, Settings
from .swap import swap

SEARCHES: dict[str, Callable[[Problem, Settings], Profile]] = {
    "one_shot": one_shot,
    "backward": stepwise,
    "swap": swap,
    "exact": exact,
}

__all__ = ["SEARCHES", "Found", "Nested", "Problem", "Profile", "Settings", "problems_of"]
