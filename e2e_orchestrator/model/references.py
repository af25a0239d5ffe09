"""``${NAME}`` in the texts of a plan: what cannot be known before a service has its ports."""

import re
from collections.abc import Iterable, Mapping

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def reference(name: str) -> str:
    """How a text refers to it."""
    return f"${{{name}}}"


def references(text: str) -> frozenset[str]:
    """The names that a text refers to."""
    return frozenset(_REFERENCE.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the references that are known replaced; the others stay as they are."""
    return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), text) if "${" in text else text


def fill_environment(
    env: Mapping[str, str], values: Mapping[str, str], *, unknown: Iterable[str] = ()
) -> dict[str, str]:
    """The same for every variable; one that refers to an ``unknown`` name is left out."""
    missing = frozenset(unknown)
    return {name: fill(text, values) for name, text in env.items() if not references(text) & missing}


def port_variable(service: str) -> str:
    """What the port of a service is called that names none: ``API_PORT`` for ``api``."""
    return f"{re.sub(r'[^A-Za-z0-9]+', '_', service).strip('_').upper() or 'SERVICE'}_PORT"
