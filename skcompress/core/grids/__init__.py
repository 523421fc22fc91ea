"""Grids for weights: kinds, codes, and the boxes that roundings see."""

from .box import Box, IntegerBox, LevelBox
from .grid import GRIDS, POWER_BITS, Codes, Grid, GridKind, box_of

__all__ = ["GRIDS", "POWER_BITS", "Box", "Codes", "Grid", "GridKind", "IntegerBox", "LevelBox", "box_of"]
