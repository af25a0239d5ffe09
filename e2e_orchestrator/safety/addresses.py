"""What the values of a configuration lead to: hosts, databases and users in addresses of many spellings."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from e2e_orchestrator.model.safeguards import Target

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
# PostgreSQL's other spelling: host=db dbname='shop' user=app.
_PAIR = re.compile(r"\b(host|hostaddr|dbname|database|user)\s*=\s*('[^']*'|[^\s;]+)", re.IGNORECASE)
_HOST_NAME = re.compile(r"(?:^|_)(?:PG)?HOST(?:NAME)?$", re.IGNORECASE)
_DATABASE_NAME = re.compile(r"(?:^|_)(?:PGDATABASE|DATABASE|DATABASE_NAME|DB|DB_NAME|DBNAME)$", re.IGNORECASE)
_FILES = ("sqlite", "file")
_WITHOUT_DATABASE = ("http", "https", "ws", "wss", "redis", "rediss", "amqp", "amqps", "tcp", "smtp", "ftp")
# Of what the caller's environment holds only these are looked at: they lead tests to data.
_INHERITED = re.compile(
    r"(?:^|_)(?:DATABASE_URL|DB_URL|DATABASE_URI|DSN|REDIS_URL|MONGO(?:DB)?_UR[LI]|BROKER_URL|PGHOST|PGDATABASE"
    r"|(?:DB|DATABASE|POSTGRES|PG|MYSQL|MARIADB|REDIS|MONGO)_(?:HOST|NAME|DB|DATABASE))$",
    re.IGNORECASE,
)


def targets_of(name: str, value: str) -> tuple[Target, ...]:
    """Everything that a variable or key of this name leads to; nothing for what is no address."""
    found = [target for match in _ADDRESS.finditer(value) for target in _of_address(match[0])]
    if not found and len(pairs := {key.lower(): text.strip("'") for key, text in _PAIR.findall(value)}) > 1:
        found = [_of_pairs(pairs)]
    if not found and "://" not in value and value.strip():
        if _HOST_NAME.search(name):
            found = [Target(host=_without_port(one)) for one in value.split(",")]
        elif _DATABASE_NAME.search(name):
            found = [Target(database=_stem(value))]
    return tuple(dict.fromkeys(target for target in found if target.host or target.database))


def inherited(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables of the caller that lead to data, which every child would get."""
    return ((name, value) for name, value in sorted(environ.items()) if _INHERITED.search(name))


def _of_address(address: str) -> Iterator[Target]:
    try:
        url = urlsplit(address)
        user = url.username
    except ValueError:
        return
    more = {key.lower(): value for key, value in parse_qsl(url.query)}
    hosts = [_without_port(one) for one in url.netloc.rpartition("@")[2].split(",")]
    if more.get("host"):
        hosts.append(more["host"])
    for host in hosts if len(hosts) == 1 else [one for one in hosts if one]:
        yield Target(host=host or None, database=_database(url, more), user=unquote(user) if user else None)


def _database(url: SplitResult, more: Mapping[str, str]) -> str | None:
    scheme = url.scheme.lower().partition("+")[0]
    if scheme in _FILES:
        return _stem(url.path)
    if scheme in _WITHOUT_DATABASE:
        return None
    return unquote(url.path.strip("/").partition("/")[0]) or more.get("dbname") or more.get("database")


def _of_pairs(pairs: Mapping[str, str]) -> Target:
    return Target(
        host=pairs.get("host") or pairs.get("hostaddr"),
        database=pairs.get("dbname") or pairs.get("database"),
        user=pairs.get("user"),
    )


def _stem(path: str) -> str | None:
    """A database is called after its file."""
    return PurePosixPath(path).stem or None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0] if host.count(":") == 1 else host
