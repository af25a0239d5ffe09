"""Where an address of the form ``scheme://…`` leads, in every reading that a program may have of it.

Programs disagree: where a password ends that nobody has encoded, whether the path or ``dbname=`` is the database,
what a comma in a host means. Whoever guesses wrong has looked at another server than the one that is reached. So
nothing here fails, and every reading counts.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import PurePosixPath
from urllib.parse import unquote

from e2e_orchestrator.model.safeguards import Target

_WEB = frozenset({"http", "https", "ws", "wss"})
_WITHOUT_DATABASE = _WEB | {"redis", "rediss", "valkey", "amqp", "amqps", "tcp", "smtp", "ftp"}
_FILES = frozenset({"sqlite", "sqlite3", "file"})
# Of what lies in a bucket only the beginning of the way counts.
_STORAGE = frozenset({"s3", "gs", "az"})
_SOCKETS = ("unix", "socket")
_FILE_ENDING = re.compile(r"\.(?:db3?|s3db|sdb|sqlite[23]?|sql)$", re.IGNORECASE)
_NO_PORT = re.compile(r"^[^\[(:,]*:[^\d$:,)\]\s]")
_LIST = re.compile(r"[,()]")

HOST_KEYS = frozenset(
    {"host", "hostaddr", "server", "servername", "data source", "address", "addr"}
    | {"unix_socket", "unixsocket", "socket"}
)
DATABASE_KEYS = frozenset({"dbname", "database", "databasename", "db", "initial catalog"})
USER_KEYS = frozenset({"user", "username", "user id", "uid"})


@dataclass(slots=True, kw_only=True)
class Named:
    """All hosts, databases, users and services that one reading of an address names."""

    hosts: list[str] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)

    def add(self, key: str, value: str) -> None:
        """A pair, as it stands in a query or in a DSN; other keys lead nowhere."""
        key = key.strip().lower()
        if key in HOST_KEYS:
            self.hosts += hosts_of(value)
        elif value and key in DATABASE_KEYS:
            self.databases.append(value)
        elif value and key in USER_KEYS:
            self.users.append(value)
        elif value and key == "service":
            self.services.append(value)

    def targets(self) -> Iterator[Target]:
        """Every database on every host: which of them is meant, only the program knows."""
        users: Sequence[str | None] = self.users or [None]
        hosts: Sequence[str | None] = self.hosts or [None]
        databases: Sequence[str | None] = self.databases or [None]
        for user, host, database in product(users, hosts, databases):
            if user or host or database:
                yield Target(host=host, database=database, user=user)
        for service in self.services:
            yield Target(service=service)


def targets_of_url(scheme: str, rest: str) -> Iterator[Target]:
    """All that ``scheme://rest`` leads to."""
    kind, _, driver = scheme.lower().partition("+")
    if kind in _SOCKETS or driver in _SOCKETS:
        path = unquote(re.split(r"[?#]", rest)[0])
        yield Target(host="/" + path.rpartition("@")[2].lstrip("/"))
        return
    for credentials, place, tail in _readings(kind, rest):
        named = Named()
        named.hosts += hosts_of(place)
        named.databases += _path_of(kind, tail)
        if user := unquote(credentials.partition(":")[0]):
            named.users.append(user)
        for key, value in _query_of(tail) if kind not in _WEB else ():
            if not (kind in _WITHOUT_DATABASE and key.lower() in DATABASE_KEYS):
                named.add(key, value)
        yield from named.targets()


def hosts_of(text: str) -> list[str]:
    """The hosts of a list, without their ports: also ``[::1]:1``, ``address=(host=a)(port=1)`` and ``tcp(a:1)``."""
    found = []
    for piece in _LIST.split(unquote(text)):
        key, equals, value = piece.strip().rpartition("=")
        if not equals or key.strip().lower() in HOST_KEYS:
            found.append(_without_port(value.strip()))
    return [host for host in found if host and not host.isdecimal()]  # ODBC parts a port with a comma.


def stem(path: str) -> str:
    """A database is called after its file."""
    name = PurePosixPath(path).name
    return _FILE_ENDING.sub("", name) or name


def _readings(kind: str, rest: str) -> list[tuple[str, str, str]]:
    """What may be the credentials, the hosts and what follows them; most often there is only one such reading.

    RFC 3986 lets an authority end at ``/``, ``?`` or ``#``; to libpq and to MongoDB's drivers only the first ``/``
    ends it; to SQLAlchemy a password goes on to the ``@``, whatever it holds.
    """
    authority, slash = re.split(r"[/?#\\]", rest, maxsplit=1)[0], rest.partition("/")[0]
    ends = {authority.rfind("@"), slash.rfind("@"), slash.find("@")}  # To libpq the first @ is the end.
    if kind not in _WITHOUT_DATABASE | _FILES and (found := re.match(r"[^:/@]*:[^@]*@", rest)):
        ends.add(found.end() - 1)
    readings = []
    for end in sorted(ends):
        after = rest[end + 1 :]
        for stop in (r"[/?#\\;]", r"[/?]"):
            place = re.split(stop, after, maxsplit=1)[0]
            hosts = [host for host in place.split(",") if "@" not in host]  # No host has one.
            if hosts:
                readings.append((rest[: max(end, 0)], ",".join(hosts), after[len(place) :]))
    # Where a port is no number nobody gets anywhere, and it may be a password.
    return [one for one in dict.fromkeys(readings) if not _NO_PORT.search(one[1])] or readings[-1:]


def _path_of(kind: str, tail: str) -> list[str]:
    """The databases that a path may name: to libpq a ``#`` is a letter like any other."""
    if kind in _WITHOUT_DATABASE or not tail.startswith("/"):
        return []
    short, long = re.split(r"[?#;]", tail)[0], tail.partition("?")[0]
    if kind in _FILES:
        return [stem(unquote(short))] if stem(unquote(short)) else []
    if kind in _STORAGE:
        return [first] if (first := unquote(short.strip("/").partition("/")[0])) else []
    paths = dict.fromkeys(unquote(one).strip("/") for one in (short, long))
    return [path for path in paths if path]


def _query_of(tail: str) -> Iterator[tuple[str, str]]:
    """Every pair after the path, whatever parts them, keys and values decoded as libpq does."""
    for pair in re.split(r"[?&;#]", tail)[1:]:
        key, equals, value = pair.partition("=")
        if equals:
            yield unquote(key), unquote(value)


def _without_port(host: str) -> str:
    host = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.rstrip("]")
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        # What follows the colon is never shown: where it is no port, it may be a password.
        return host if host.startswith("/") else host.removeprefix("tcp:").partition(":")[0]
