"""Addresses of databases as tests find them in their environment: taken apart, and given another name. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, quote, unquote

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.references import references
from e2e_orchestrator.model.safeguards import Target

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?:/(?P<path>[^?#]*))?(?P<rest>[?#].*)?",
    re.DOTALL,
)
_PAIR = re.compile(r"([?&][^=&]*)=[^&]*")  # To libpq a # is a letter like any other.
_NOT_ENCODED = re.compile(r"[^/@]*[?#][^/]*@")


class Kind(StrEnum):
    POSTGRES = "postgres"
    MYSQL = "mysql"
    SQLITE = "sqlite"
    REDIS = "redis"
    OTHER = "other"
    """Nothing here clones it."""


_SCHEMES = {
    "postgres": Kind.POSTGRES,
    "postgresql": Kind.POSTGRES,
    "postgis": Kind.POSTGRES,
    "pgsql": Kind.POSTGRES,
    "psql": Kind.POSTGRES,
    "mysql": Kind.MYSQL,
    "mariadb": Kind.MYSQL,
    "sqlite": Kind.SQLITE,
    "sqlite3": Kind.SQLITE,
    "redis": Kind.REDIS,
    "rediss": Kind.REDIS,
    "valkey": Kind.REDIS,
}

# Where the query names a database, the path counts for nothing: to libpq, to redis-py, and to SQLAlchemy's drivers.
_KEYS = {Kind.POSTGRES: ("dbname",), Kind.MYSQL: ("database", "db"), Kind.REDIS: ("db",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """``scheme`` keeps the driver's name (``postgresql+psycopg``), ``rest`` the query with its ``?``.

    ``database`` is decoded: a name, of SQLite the file as it is written, of Redis a number.
    """

    kind: Kind
    scheme: str
    authority: str
    database: str
    rest: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether no service of the run has yet to say where that is."""
        return not references(self.authority)

    @property
    def user(self) -> str | None:
        user = self.authority.rpartition("@")[0].partition(":")[0]
        return unquote(user) or None

    @property
    def password(self) -> str | None:
        return unquote(self.authority.rpartition("@")[0].partition(":")[2]) or None

    @property
    def hosts(self) -> Sequence[str]:
        """Empty where the driver's default counts; PostgreSQL takes several."""
        places = self.authority.rpartition("@")[2].split(",")
        named = [re.sub(r":[0-9]*\Z", "", place).strip("[]") for place in places]
        query = parse_qs(self.rest.partition("#")[0].removeprefix("?"))
        asked = [
            host for key in ("host", "hostaddr") for one in query.get(key, []) for host in one.split(",")
        ]
        return [unquote(host) for host in (*named, *asked) if host]

    @property
    def port(self) -> int | None:
        found = re.search(r":([0-9]+)\Z", self.authority.rpartition("@")[2].split(",")[0])
        return int(found[1]) if found else None

    @property
    def targets(self) -> Sequence[Target]:
        """What the safeguards are to look at: one for each host."""
        hosts: list[str | None] = [*self.hosts] or [None]
        return [Target(host=host, database=self.database or None, user=self.user) for host in hosts]

    @property
    def server(self) -> str:
        """Without database and password, for messages."""
        return f"{self.kind} at {', '.join(self.hosts) or 'the default place'}"

    def with_database(self, name: str) -> str:
        """The same address of another database; nothing else of it changes."""
        path = name if self.kind is Kind.SQLITE else quote(name, safe="")
        keys = _KEYS.get(self.kind, ())
        rest = _PAIR.sub(
            lambda found: f"{found[1]}={path}" if unquote(found[1][1:]) in keys else found[0], self.rest
        )
        return f"{self.scheme}://{self.authority}/{path}{rest}"


def foreign(url: str) -> Address | None:
    """An address of something that no driver here knows, such as ``mongodb://…``; None for what is no address."""
    found = _URL.fullmatch(url.strip())
    if found is None or found["scheme"].lower().partition("+")[0] in _SCHEMES:
        return None
    return Address(
        kind=Kind.OTHER,
        scheme=found["scheme"],
        authority=found["authority"],
        database=unquote(found["path"] or ""),
        rest=found["rest"] or "",
    )


def parse(url: str, *, variable: str) -> Address:
    """Raises InfrastructureError for what no driver here understands; the message never holds the URL."""
    found = _URL.fullmatch(url.strip())
    kind = _SCHEMES.get(found["scheme"].lower().partition("+")[0]) if found else None
    if found is None or kind is None:
        raise InfrastructureError(
            f"{variable} is no address of a database that can be isolated",
            hint="write postgresql://…, mysql://…, sqlite:///file or redis://…",
        )
    if _NOT_ENCODED.match(url.strip().partition("://")[2]):
        raise InfrastructureError(
            f"{variable}: its user or its password has a letter that ends an address",
            hint="write %23 for #, %3F for ?, %40 for @ and %2F for / in it",
        )
    rest = found["rest"] or ""
    asked = parse_qs(rest.partition("#")[0].removeprefix("?"))
    named = [name for key in _KEYS.get(kind, ()) for name in asked.get(key, ())]
    path = found["path"] or ""
    return Address(
        kind=kind,
        scheme=found["scheme"],
        authority=found["authority"],
        database=named[-1] if named else path if kind is Kind.SQLITE else unquote(path),
        rest=rest,
    )
