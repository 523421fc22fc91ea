"""What ships: a linear model that needs numpy and the standard library alone."""

from .compact import CompactLinear
from .files import dump, load, size_bytes
from .format.budget import FormatError
from .reading import Inputs
from .terms import TERMS, Block
from .weights import Weights

__all__ = ["TERMS", "Block", "CompactLinear", "FormatError", "Inputs", "Weights", "dump", "load", "size_bytes"]
