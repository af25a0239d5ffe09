"""What slots are going to own, as far as it is known before anything starts: for plans, and for those who read them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.address import Kind
from e2e_orchestrator.isolation.bases import Key, Surrounds, bases_of
from e2e_orchestrator.isolation.driver import Base
from e2e_orchestrator.isolation.schema_version import is_kept
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.model.safeguards import Checked, Target
from e2e_orchestrator.safety.guards import MARKER_TABLE, allowed, is_allowed, refuse, require_test_database


class Template(StrEnum):
    """What clones are made of: a copy of the base or what was built, once in each run; or what is kept between them."""

    COPIED = "copied"
    BUILT = "built"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A base; ``template`` is None for Redis, which has none. ``test`` is the first that wants it."""

    base: Base
    template: Template | None
    test: Test


def foresee(around: Surrounds) -> list[Foreseen]:
    """One for each base whose address is known by now, of the tests that will run."""
    found: dict[Key, Foreseen] = {}
    for test in (one for one in around.plan.tests if not one.condition):
        for key, base in known_bases(test, around).items():
            found.setdefault(key, Foreseen(base=base, template=_template(base), test=test))
    return list(found.values())


def known_bases(test: Test, around: Surrounds) -> dict[Key, Base]:
    try:
        found = bases_of(test, around) if test.isolation else {}
    except InfrastructureError:
        return {}
    return {key: base for key, base in found.items() if base.address.is_complete}


def _template(base: Base) -> Template | None:
    if base.address.kind in (Kind.REDIS, Kind.OTHER):
        return None
    if not base.source.is_built:
        return Template.COPIED
    keeps = base.address.kind is not Kind.SQLITE and is_kept(base.source)
    return Template.KEPT if keeps else Template.BUILT


def checked_bases(around: Surrounds) -> Iterator[Checked]:
    """Whether what is to be cloned, reset or dropped may be, by all that can be known without asking a server."""
    for one in foresee(around):
        yield from _checked(one.base, where=one.test.id)


def _checked(base: Base, *, where: str) -> Iterator[Checked]:
    for target in base.address.targets:
        refused = None
        try:
            _require(base, target, marked=True)
        except SafeguardRefused as refusal:
            refused = refusal.message.removeprefix(f"{base.variable}: ")
        yield Checked(
            what=base.variable,
            where=where,
            target=target,
            allowed=allowed(target, base.rules),
            refused=refused,
            proof=None if refused else _proof(base),
        )


_PROOFS = {
    Kind.REDIS: "only what the run has claimed is emptied",
    Kind.OTHER: "nothing of it is cloned or emptied",
}


def _proof(base: Base) -> str:
    if by_kind := _PROOFS.get(base.address.kind):
        return by_kind
    if base.source.is_built:
        return "built, and no base is touched"
    if base.address.kind is Kind.SQLITE:
        return "a file that is only read"
    if any(is_allowed("database", target, base.rules) for target in base.address.targets):
        return "an exception names it"
    try:
        require(base)
    except SafeguardRefused:
        return f"if it has a table {MARKER_TABLE}"
    return "a test database by its name"


def require(base: Base, *, marked: bool = False) -> None:
    """Raises SafeguardRefused for what may not be cloned; ``marked`` if its marker table is taken for granted."""
    for target in base.address.targets:
        _require(base, target, marked=marked)


def _require(base: Base, target: Target, *, marked: bool) -> None:
    has_name = base.address.kind not in (Kind.REDIS, Kind.OTHER)  # Flushed under a claim; never touched.
    is_file = base.address.kind is Kind.SQLITE  # Only ever read, and copied into the folder of the run.
    if has_name and not (target.database or base.source.is_built):
        refuse(base.variable, why="its address names no database")
    named = replace(target, database=Path(target.database or "").stem) if is_file else target
    known = marked or is_file or base.source.is_built or not has_name
    require_test_database(named, what=base.variable, rules=base.rules, marked=known)
