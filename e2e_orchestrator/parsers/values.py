"""Values that a child wrote: of the kind that they should be, or none."""

_TOO_LONG = 1e9  # Seconds: thirty years.


def whole(value: object) -> int | None:
    """To Python, True is a number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def seconds(value: object) -> float:
    """Zero for what is negative or without end, for NaN, and for what is no number."""
    return float(value) if isinstance(value, int | float) and 0 <= value < _TOO_LONG else 0.0
