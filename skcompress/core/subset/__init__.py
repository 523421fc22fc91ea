"""Searches for supports: table SEARCHES, from a name to a function (problem, settings) -> profile."""

from __future__ import annotations

from collections.abc import Callable

from .exact import exact
from .one_shot import one_shot
from .problem import Problem, problems_of
from .profile import Found, Nested, Profile, Settings
from .stepwise import stepwise
from .swap import swap

SEARCHES: dict[str, Callable[[Problem, Settings], Profile]] = {
    "one_shot": one_shot,
    "backward": stepwise,
    "swap": swap,
    "exact": exact,
}

__all__ = ["SEARCHES", "Found", "Nested", "Problem", "Profile", "Settings", "problems_of"]
