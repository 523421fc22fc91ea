"""Names and texts that go into an export as they are."""

from __future__ import annotations


def require_writable(text: str, what: str, target: str) -> str:
    """Return a text that can stand in a file of UTF-8.

    Parameters
    ----------
    text : str
        The text.
    what : str
        What it is, for the message: "input", "column", "category", ...
    target : str
        Name of the language, for the message.

    Raises
    ------
    ValueError
        If it holds a zero byte or half of a surrogate pair.
    """
    if "\0" in text:
        raise ValueError(f"the {what} {text!r} cannot be written in {target}: it holds a zero byte, which ends a text")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(f"the {what} {text!r} cannot be written in {target}: it holds half of a surrogate pair")
    return text


def require_name(name: str, what: str, target: str) -> str:
    """Return a text that can be a name, which is not empty either (see `require_writable`)."""
    if not name:
        raise ValueError(f"the {what} {name!r} cannot be written in {target}: a name must not be empty")
    return require_writable(name, what, target)
