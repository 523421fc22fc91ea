"""From what a model uses to transformers that give no more: see `skcompress.linear.narrow.kind`."""

from .containers import narrowed_steps, steps_wanted
from .kind import Notes
from .steps import narrow_mapping

__all__ = ["Notes", "narrow_mapping", "narrowed_steps", "steps_wanted"]
