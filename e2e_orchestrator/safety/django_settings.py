"""Whether Django's settings may be tested with: what they name, as Django itself resolves it.

Standard library only and Python 3.8 upwards, and nothing of this package, as :mod:`words`, which comes in as
``names``: the interpreter of a Django project loads both from their files.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from pathlib import PurePath
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple  # noqa: UP035 - Python 3.8.

# What says for which environment settings are.
_VARIABLES = (
    *("DJANGO_SETTINGS_MODULE", "DJANGO_CONFIGURATION", "DJANGO_ENV", "DJANGO_ENVIRONMENT"),
    *("ENVIRONMENT", "APP_ENV"),
)
_HOSTS = ("HOST", "host", "hostaddr", "unix_socket")
_DATABASES = ("NAME", "dbname", "database", "db")
_USERS = ("USER", "user")
_SERVERS = ("postgresql", "mysql")

Target = Dict[str, str]  # noqa: UP006 - Python 3.8.
Refusal = Tuple[str, Target]  # noqa: UP006 - Python 3.8.


class Guard:
    """``words`` are those of production; ``allow`` has exceptions, each with some parts of a target."""

    def __init__(self, names: Any, *, words: Sequence[str], allow: Sequence[Target] = ()) -> None:
        self._names, self._words, self._allow = names, words, list(allow)

    def allow_what_settings_say(self, settings: Any) -> None:
        """``CONCURRENT_TEST_CONFIG["allow"]``: names of databases, or parts of targets."""
        configured = getattr(settings, "CONCURRENT_TEST_CONFIG", {}).get("allow", ())
        self._allow += [{"database": one} if isinstance(one, str) else dict(one) for one in configured]

    def refusals(self, connections: Any, *, environ: Mapping[str, str], debug: bool) -> Iterator[Refusal]:
        """Why nothing may be created or dropped with these settings, before anything is."""
        for name in _VARIABLES:
            for why, target in self._objections({"settings": environ.get(name, "")}):
                yield f"{name}: {why}", target
        for alias in connections:
            for target in _targets(connections[alias], environ):
                for why, at in self._objections(target):
                    yield f"database {alias!r}: {why}", at
                host = target.get("host", "")
                if not (debug or self._names.is_local(host) or self._waived("host", target)):
                    why = f"the host {host!r} is not this machine, and the settings have DEBUG = False"
                    yield f"database {alias!r}: {why}, as those of a deployment have", {"host": host}

    def refused_names(self, connections: Any, *, own: Sequence[str] = ()) -> Iterator[Refusal]:
        """Test databases that Django would replace although nothing says that they are for tests.

        ``own`` are the aliases whose test databases have a name that no other run has.
        """
        for alias in connections:
            if alias in own or not (name := _name_of_test(connections[alias])):
                continue
            target = {"database": name}
            is_known = self._names.is_test_database(name, words=self._words)
            if not is_known and not self._waived("database", target):
                why = f"the test database {name!r} is not called test_… or …_test, and Django replaces what is there"
                yield f"database {alias!r}: {why}", target

    def _objections(self, target: Target) -> Iterator[Refusal]:
        target = {part: name for part, name in target.items() if name}
        for part, why in self._names.objections(target, words=self._words):
            if not self._waived(part, target):
                yield why, {part: target[part]}

    def _waived(self, part: str, target: Target) -> bool:
        return any(self._names.waives(one, part=part, target=target) for one in self._allow)


def _targets(connection: Any, environ: Mapping[str, str]) -> Iterator[Target]:
    """Every database on every host, by the settings and by what Django makes of them for its driver."""
    given = connection.settings_dict
    sources = [given, given.get("OPTIONS") or {}]
    if connection.vendor in _SERVERS:
        with suppress(Exception):  # What Django finds wrong it will say itself.
            sources.append(connection.get_connection_params())
    hosts = [host for one in _values(sources, _HOSTS) for host in one.split(",") if host]
    services = _values(sources, ("service",))
    if connection.vendor == "postgresql" and not hosts:
        hosts = [environ[name] for name in ("PGHOST", "PGHOSTADDR") if environ.get(name)]
        services = services or [environ.get("PGSERVICE", "")]
    databases = _values(sources, _DATABASES)
    if connection.vendor == "sqlite":
        databases = [PurePath(name).stem for name in databases]
    for host, database, user in product(hosts or [""], databases or [""], _values(sources, _USERS) or [""]):
        yield {"host": host, "database": database, "user": user}
    yield from ({"service": service} for service in services)


def _values(sources: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> List[str]:  # noqa: UP006 - Python 3.8.
    found = (source.get(key) for source in sources for key in keys)
    return list(dict.fromkeys(str(one) for one in found if one))


def _name_of_test(connection: Any) -> str | None:
    """The test database as it will be called; None where there is none, or none that anybody else could have."""
    if connection.settings_dict.get("TEST", {}).get("MIRROR"):
        return None
    if connection.vendor in _SERVERS:
        return str(connection.creation._get_test_db_name())  # noqa: SLF001 - Django has no other way to ask.
    given = connection.settings_dict.get("TEST", {}).get("NAME")
    in_memory = not given or ":memory:" in str(given) or "mode=memory" in str(given)
    return None if connection.vendor != "sqlite" or in_memory else PurePath(str(given)).stem
