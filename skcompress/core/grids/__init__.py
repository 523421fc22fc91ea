"""Grids for weights: kinds, codes, and the boxes that roundings see."""

from .box import Box, IntegerBox, LevelBox
from .grid import Codes, Grid, box_of
from .kinds import GRIDS, POWER_BITS, GridKind

__all__ = ["GRIDS", "POWER_BITS", "Box", "Codes", "Grid", "GridKind", "IntegerBox", "LevelBox", "box_of"]
