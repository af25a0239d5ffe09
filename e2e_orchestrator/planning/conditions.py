"""Whether a ``when:`` holds, after its variables were replaced: a word, or two of them compared."""

_NO = frozenset({"", "0", "no", "off", "false", "null", "~"})


def holds(text: str) -> bool:
    """``a == b`` and ``a != b`` compare, without blanks around and quotes; else any word but a no is a yes."""
    for operator, wanted in ((" != ", False), (" == ", True)):
        # Blanks at the ends: a variable that is empty leaves nothing beside the operator.
        left, found, right = f" {text} ".partition(operator)
        if found:
            return (_bare(left) == _bare(right)) is wanted
    return _bare(text).lower() not in _NO


def what_fails(*conditions: str | None) -> str | None:
    """A sentence about the first condition that does not hold; None if all do."""
    failing = next((one for one in conditions if one is not None and not holds(one)), None)
    if failing is None:
        return None
    return f"its `when` does not hold: {failing.strip()}" if failing.strip() else "its `when` is empty"


def _bare(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text
