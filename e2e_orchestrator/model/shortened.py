"""A list of names as a sentence can hold it."""

from collections.abc import Sequence


def shortened(names: Sequence[str], *, most: int = 5) -> str:
    """The first of them, and how many more there are: ``a, b and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
