"""Which targets a run may touch: pure decisions over names and hosts, made before anything starts.

Two questions, of which the second is the stricter one. *May tests talk to it?* Not if its host, its
database or its user looks like production. *May it be cloned, reset or dropped?* Only if it is known to be
a test database, on a host that is local or allowed. Nothing here connects or resolves a name.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

from e2e_orchestrator.errors import SafeguardRefused
from e2e_orchestrator.model.safeguards import WORDS, Allowed, Safeguards, Target

# A table of this name, whatever it holds, says that a database is for tests.
MARKER_TABLE = "e2e_orchestrator_test_database"

_BOUNDARY = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])")
_TEST = re.compile(r"test[_-].+|.+[_-]test", re.IGNORECASE | re.DOTALL)


def looks_like_production(text: str, *, words: Sequence[str] = WORDS) -> str | None:
    """The word in a name that looks like production, as it is written there; None if there is none.

    Words are what stands between separators, changes of case and digits: ``prod_shop``, ``shopProd`` and
    ``shop-prod2`` look like it, ``products`` and ``delivery`` do not.
    """
    wanted = {word.lower() for word in words}
    return next((part for part in _BOUNDARY.split(text) if part.lower() in wanted), None)


def host_looks_like_production(host: str, *, words: Sequence[str] = WORDS) -> str | None:
    """The same of a host's labels; the last of several is the registry's, as in ``example.live``."""
    labels = host.rstrip(".").split(".")
    return next(
        (
            found
            for label in labels[: -1 if len(labels) > 1 else None]
            if (found := looks_like_production(label, words=words))
        ),
        None,
    )


def is_test_database(name: str) -> bool:
    """Whether its very name says that it is for tests: ``test_…``, or ``…_test`` without a word of production.

    Of a SQLite file the stem is its name.
    """
    if not _TEST.fullmatch(name):
        return False
    return bool(re.match(r"test[_-]", name, re.IGNORECASE)) or looks_like_production(name) is None


def is_local(host: str | None) -> bool:
    """This machine: no host at all, a socket's path, ``localhost`` or a loopback address."""
    if not host or host.startswith("/"):
        return True
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def allowed(target: Target, rules: Safeguards) -> str | None:
    """The reason of the exception that names this target; None if none does."""
    return next((one.why for one in rules.allow if _names(one, target)), None)


def objection(target: Target, rules: Safeguards) -> str | None:
    """Why tests must not talk to it; None if they may."""
    if allowed(target, rules):
        return None
    return next(_objections(target, rules.words), None)


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
    exception = allowed(target, rules)
    if why := objection(target, rules):
        refuse(what, why=why, where=where, write=exception_to_write(target))
    if not (exception or marked or is_test_database(target.database or "")):
        refuse(
            what,
            why=f"the database {target.database!r} is not known to be a test database",
            where=where,
            write=f"name it test_… or …_test, create a table {MARKER_TABLE} in it, or {exception_to_write(target)}",
        )
    if not is_local(target.host) and not (exception or allowed(Target(host=target.host), rules)):
        refuse(
            what,
            why=f"the host {target.host!r} is not this machine",
            where=where,
            write=exception_to_write(Target(host=target.host)),
        )


def exception_to_write(target: Target) -> str:
    """The entry of phases.yaml that allows exactly this target."""
    named = [
        f"{key}: {value}" for key, value in (("host", target.host), ("database", target.database)) if value
    ]
    return f"if it is meant, write safeguards: {{allow: [{{{', '.join(named)}, why: …}}]}}"


def _names(exception: Allowed, target: Target) -> bool:
    pairs = ((exception.host, target.host), (exception.database, target.database))
    return all(wanted is None or wanted.lower() == (found or "").lower() for wanted, found in pairs)


def _objections(target: Target, words: Sequence[str]) -> Iterator[str]:
    found = host_looks_like_production(target.host, words=words) if target.host else None
    if found:
        yield f"the host {target.host!r} looks like production: {found!r}"
    for kind, name in (("database", target.database), ("user", target.user)):
        if name and (found := looks_like_production(name, words=words)):
            yield f"the {kind} {name!r} looks like production: {found!r}"
