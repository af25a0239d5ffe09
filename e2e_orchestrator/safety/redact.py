"""Which values of a run are secret, and how its events lose them before anybody else sees them."""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import is_
from typing import Any, TypeVar
from urllib.parse import quote

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.outcomes import Case
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.safety.masking import Mask
from e2e_orchestrator.safety.names import SHORTEST, is_secret

_LOGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#\s]+@[^/?#\s]+)")
# Characters that some escape and some do not; no way stands in for the character of a later one.
_ENTITIES = {
    ">": ("&gt;",),
    '"': ("&quot;", "&#34;"),
    "'": ("&apos;", "&#39;", "&#x27;"),
    "\n": ("&#10;", "&#xA;"),
}

# What everything refers to by its name stays as it is: two tests whose names were masked would become one.
# A name that holds a secret is refused before the run begins.
_NAMES = frozenset({"type", "run_id", "test", "phase", "runner", "service", "kind"})
_PLAIN = frozenset({int, float, bool, type(None)})

Data = TypeVar("Data")


def secret_values(environ: Mapping[str, str], *, named: Iterable[str] = ()) -> tuple[str, ...]:
    """The values to mask, with the spellings in which they turn up in logs, JSON and addresses."""
    explicit = set(named)
    values = {
        value for name, value in environ.items() if value and (name in explicit or is_secret(name, value))
    }
    return tuple(sorted({spelling for value in values for spelling in _spellings(value)}))


def mask_for(environ: Mapping[str, str]) -> Mask:
    """For what is said before a plan, and with it the names under ``secrets:``, is known."""
    return Mask(secret_values(environ))


def redactor_for(plan: Plan, environ: Mapping[str, str]) -> "Redactor":
    """Knows the secrets of the environment and of the file; one name may hold several."""
    given = [one.env for one in plan.runners] + [one.env for one in plan.services]
    given += [one.env for one in plan.tests]
    sources = {frozenset(env.items()) for env in (environ, *given)}
    return Redactor(value for source in sources for value in secret_values(dict(source), named=plan.secrets))


def refuse_secret_names(plan: Plan, redactor: "Redactor") -> None:
    """Names cannot be masked, because everything refers to them; so they must not hold a secret.

    Raises UsageError for one that does.
    """
    names = [phase.name for phase in plan.phases] + [test.name for test in plan.tests]
    names += [runner.name for runner in plan.runners] + [service.name for service in plan.services]
    for name in names:
        if redactor.text(name) != name:
            raise UsageError(
                f"the name {redactor.text(name)!r} of a phase, test, runner or service holds the value of a secret",
                hint="rename it, or give the variable a value that is no ordinary word",
            )


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogateescape")
    encoded = base64.b64encode(raw).decode().rstrip("=")
    lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST}
    # A report in XML shows the representation of a value, a page of HTML has JSON in an attribute.
    shown = {spelling for one in (value, *lines) for spelling in (one, *_as_json(one), *_as_python(one))}
    spellings = {spelling for one in shown for spelling in (one, *_as_json(one), *_as_xml(one))}
    if found := _LOGIN.match(value):  # The same login leads to other paths: a clone of a database has one.
        spellings.add(found[1])
    return spellings | {quote(value, safe="")} | ({encoded} if len(raw) >= SHORTEST else set())


def _as_json(value: str) -> set[str]:
    return {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}


def _as_python(value: str) -> set[str]:
    """As ``repr`` shows it, which escapes a quote only if there are both."""
    shown = {repr(value)[1:-1], ascii(value)[1:-1], repr(value.encode("utf-8", "surrogateescape"))[2:-1]}
    return {*shown, *(one.replace("\\'", "'") for one in shown)}


def _as_xml(value: str) -> set[str]:
    """As text and as an attribute, in XML and HTML, of the writers that there are."""
    spellings = {value.replace("&", "&amp;").replace("<", "&lt;")}
    for character, ways in _ENTITIES.items():
        spellings |= {one.replace(character, way) for one in spellings for way in ways}
    return spellings


@cache
def _masked_fields(kind: type[Any]) -> tuple[str, ...]:
    """The names of a dataclass' fields without those that refer to something."""
    return tuple(field.name for field in fields(kind) if field.name not in _NAMES)


class Redactor:
    """Applied once, in the bus."""

    def __init__(self, literals: Iterable[str] = ()) -> None:
        self.mask = Mask(literals)
        self._names: dict[str, str] = {}
        self._alike: Counter[str] = Counter()

    def text(self, value: str) -> str:
        return self.mask.text(value)

    def data(self, value: Data) -> Data:
        """The same frozen data with every string masked; untouched parts are shared, not copied."""
        masked: Data = self._walk(value)
        return masked

    def _walk(self, value: Any) -> Any:
        """Every part of every event comes by here, so the frequent kinds come first."""
        kind = type(value)
        if kind is str:  # A text of another type is one of our own enumerations.
            masked = self.mask.text(value)
            return value if masked == value else masked
        if kind in _PLAIN:
            return value
        if isinstance(value, (tuple, list)):
            new = [self._walk(one) for one in value]
            return value if all(map(is_, new, value)) else kind(new)
        if isinstance(value, dict):
            filled = {key: self._walk(one) for key, one in value.items()}
            return value if all(map(is_, filled.values(), value.values())) else filled
        return self._with_fields(value)

    def _with_fields(self, value: Any) -> Any:
        if not is_dataclass(value) or isinstance(value, type):
            return value
        changes: dict[str, Any] = {}
        for name in _masked_fields(type(value)):
            old = getattr(value, name)
            if (new := self._walk(old)) is not old:
                changes[name] = new
        if isinstance(value, Case) and "id" in changes:
            changes["id"] = self._distinct(value.id, masked=changes["id"])
        return replace(value, **changes) if changes else value

    def _distinct(self, identity: str, *, masked: str) -> str:
        """Two cases that differ in nothing but a secret stay two: the second gets a number, and keeps it."""
        if identity not in self._names:
            self._alike[masked] += 1
            number = self._alike[masked]
            self._names[identity] = masked if number == 1 else f"{masked} ({number})"
        return self._names[identity]
