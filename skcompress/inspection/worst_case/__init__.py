"""The largest difference of two models over a box of inputs."""

from .max_change import MaxChange, max_change

__all__ = ["MaxChange", "max_change"]
