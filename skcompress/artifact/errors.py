"""The one exception of the byte format."""


class FormatError(ValueError):
    """The bytes are no compact model, are damaged, or ask for more than they may."""
