"""Which targets a run may touch: pure decisions over names and hosts, made before anything starts.

Two questions, of which the second is the stricter one. *May tests talk to it?* Not if its host, its
database or its user looks like production. *May it be cloned, reset or dropped?* Only if it is known to be
a test database, on a host that is local or allowed. Nothing here connects or resolves a name.
"""

from collections.abc import Sequence
from typing import NoReturn

from e2e_orchestrator.errors import SafeguardRefused
from e2e_orchestrator.model.safeguards import WORDS, Allowed, Safeguards, Target
from e2e_orchestrator.safety import words as names
from e2e_orchestrator.safety.words import is_local

# A table of this name, whatever it holds, says that a database is for tests.
MARKER_TABLE = "e2e_orchestrator_test_database"


def looks_like_production(text: str, *, words: Sequence[str] = WORDS) -> str | None:
    """The word in a name that looks like production, as it is written there; None if there is none."""
    return names.looks_like_production(text, words=words)


def host_looks_like_production(host: str, *, words: Sequence[str] = WORDS) -> str | None:
    """The same of a host's labels, of which the last may be the registry's, or of a socket's path."""
    return names.host_looks_like_production(host, words=words)


def is_test_database(name: str) -> bool:
    """Whether its very name says that it is for tests: ``test_…``, or ``…_test`` without a word of production.

    Of a SQLite file the stem is its name.
    """
    return names.is_test_database(name, words=WORDS)


def allowed(target: Target, rules: Safeguards) -> str | None:
    """The reason of the first exception that is about this target; None if none is."""
    return next((one.why for one in rules.allow if _is_about(one, target)), None)


def is_allowed(part: str, target: Target, rules: Safeguards) -> bool:
    """Whether an exception of the file holds for this part of the target: ``host``, ``database`` and so on."""
    return any(names.waives(one.parts, part=part, target=target.parts) for one in rules.allow)


def objection(target: Target, rules: Safeguards) -> str | None:
    """Why tests must not talk to it; None if they may."""
    found = names.objections(target.parts, words=rules.words)
    return next((why for part, why in found if not is_allowed(part, target, rules)), None)


def refuse(what: str, *, why: str, where: str | None = None, write: str | None = None) -> NoReturn:
    """Raises SafeguardRefused: ``what`` is the key or variable, ``where`` its place, ``write`` the way out."""
    place = f"{where}: " if where else ""
    raise SafeguardRefused(f"{place}{what}: {why}", hint=write)


def require_test_database(
    target: Target, *, what: str, rules: Safeguards, where: str | None = None, marked: bool = False
) -> None:
    """Raises SafeguardRefused unless the database may be cloned, reset or dropped.

    It must be known to be a test database (by its name, by an exception in the file, or by its marker
    table: ``marked``), and its host must be local or allowed. ``what`` says where its address comes from.
    """
    if why := objection(target, rules):
        refuse(what, why=why, where=where, write=exception_to_write(target))
    known = marked or is_test_database(target.database or "") or is_allowed("database", target, rules)
    if not known:
        refuse(
            what,
            why=f"the database {target.database!r} is not known to be a test database",
            where=where,
            write=f"name it test_… or …_test, create a table {MARKER_TABLE} in it, or {exception_to_write(target)}",
        )
    if not is_local(target.host) and not is_allowed("host", target, rules):
        refuse(
            what,
            why=f"the host {target.host!r} is not this machine",
            where=where,
            write=exception_to_write(Target(host=target.host)),
        )


def exception_to_write(target: Target) -> str:
    """The entry of phases.yaml that allows exactly this target."""
    place = {"host", "database"} & set(target.parts)
    entry = ", ".join(
        f"{part}: {name}" for part, name in target.parts.items() if not (place and part == "user")
    )
    return f"if it is meant, write safeguards: {{allow: [{{{entry}, why: …}}]}}"


def _is_about(exception: Allowed, target: Target) -> bool:
    found = target.parts
    return all(wanted.lower() == found.get(part, "").lower() for part, wanted in exception.parts.items())
