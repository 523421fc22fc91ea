"""Names of the cases of a test."""

import re


def without_address(value):
    """What an object prints, without the address that differs between the workers of pytest-xdist."""
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", str(value))
