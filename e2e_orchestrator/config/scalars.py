"""What an unquoted YAML scalar means: text, a number, true or false, or nothing.

Follows the YAML 1.2 core schema and adds the words yes, no, on and off, which people expect to be
switches. What YAML 1.1 would turn into octal numbers (``012``), sexagesimal ones (``22:30``) or
dates stays text.
"""

import re
from enum import StrEnum
from typing import Self

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


class Kind(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    SWITCH = "switch"
    NOTHING = "nothing"


class Plain(str):
    """An unquoted scalar that is more than text: its written form is the string itself.

    ``interpolated`` scalars hold values from the environment: where text is wanted they are text,
    whatever they look like.
    """

    __slots__ = ("interpolated", "kind")

    kind: Kind
    interpolated: bool

    def __new__(cls, text: str, *, interpolated: bool = False) -> Self:
        plain = super().__new__(cls, text)
        plain.kind = kind_of(text)
        plain.interpolated = interpolated
        return plain

    @property
    def switch(self) -> bool:
        """True or false, for a scalar of the kind SWITCH."""
        return self.lower() in _TRUE


def kind_of(text: str) -> Kind:
    """What the unquoted text means."""
    if text in ("", "~") or (text.lower() == "null" and _one_case(text)):
        return Kind.NOTHING
    if text.lower() in _TRUE | _FALSE and _one_case(text):
        return Kind.SWITCH
    if _INTEGER.fullmatch(text):
        return Kind.INTEGER
    # A leading zero marks an identifier (007, 012.5), not a quantity.
    if _FLOAT.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
        return Kind.FLOAT
    return Kind.TEXT


def _one_case(word: str) -> bool:
    return word in (word.lower(), word.upper(), word.capitalize())
