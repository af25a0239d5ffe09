"""A MySQL or MariaDB server as leases use it: one blocking connection, to be used by one thread at a time."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Self

import pymysql
from pymysql.constants import CLIENT, ER

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.address import Address
from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.names import Marker, is_our_name, read_marker
from e2e_orchestrator.model.safeguards import Safeguards, Target
from e2e_orchestrator.safety.guards import is_allowed
from e2e_orchestrator.safety.words import is_local

_SECONDS = 10
_PORT = 3306
_MARKER_TABLE = "e2e_orchestrator_marker"
"""Where MySQL, which knows no comment of a database, keeps the marker of a clone."""

_COMMENTS_SINCE = (10, 5)
_NAMES = re.compile(r"[A-Za-z0-9_]+")

Row = Sequence[Any]


def quoted(name: str) -> str:
    """An identifier as a statement may hold it. Raises InfrastructureError for what no name can be."""
    if not name or "\0" in name:
        raise InfrastructureError(f"{name!r} cannot be the name of anything in a database")
    return "`" + name.replace("`", "``") + "`"


def lock_name(text: str) -> str:
    """At most 64 characters."""
    return f"e2e-orchestrator {hashlib.sha256(text.encode()).hexdigest()[:32]}"


class Server:
    """Raises InfrastructureError for whatever goes wrong, CannotIsolate if a right is missing."""

    def __init__(self, address: Address, connection: "pymysql.Connection[Any]", rules: Safeguards) -> None:
        self.address, self._connection, self._rules = address, connection, rules
        told = str(self.one("SELECT VERSION()"))
        found, is_mariadb = re.match(r"([0-9]+)\.([0-9]+)", told), "mariadb" in told.lower()
        version = (int(found[1]), int(found[2])) if found else (0, 0)
        self.version = told
        self._has_comments = is_mariadb and version >= _COMMENTS_SINCE

    @classmethod
    def connect(cls, address: Address, *, rules: Safeguards, several: bool = False) -> Self:
        """``several`` statements in one text are taken only from a file of the user's."""
        try:
            connection = pymysql.connect(
                host=address.hosts[0] if address.hosts else "localhost",
                port=address.port or _PORT,
                user=address.user or "root",
                password=address.password or "",
                autocommit=True,
                connect_timeout=_SECONDS,
                charset="utf8mb4",
                client_flag=CLIENT.MULTI_STATEMENTS if several else 0,
            )
        except pymysql.Error as error:
            raise InfrastructureError(
                f"{address.server} does not answer: {_message(error)}",
                hint="start it before the tests, as a service with a probe that waits for it",
            ) from None
        server = cls(address, connection, rules)
        try:
            server.check_host()
        except BaseException:
            server.close()
            raise
        return server

    def check_host(self) -> None:
        """Looks at where the connection really leads, after every variable and name was resolved."""
        host = self._connection.host
        peer = self._connection._sock.getpeername()  # type: ignore[attr-defined]  # noqa: SLF001 - no other way.
        found = peer[0] if isinstance(peer, tuple) else ""
        target = Target(host=host, database=self.address.database)
        if not (is_local(host) and is_local(found)) and not is_allowed("host", target, self._rules):
            raise SafeguardRefused(f"the host {host!r} ({found}) is not this machine")

    def run(self, statement: str, *values: object) -> Sequence[Row]:
        """Values are quoted by the driver; without values nothing in the statement stands for any."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                found: Sequence[Row] = cursor.fetchall()
                return found
        except pymysql.Error as error:
            if error.args and error.args[0] in _DENIED:
                raise self._denied(error) from None
            raise RefusedError(error) from None

    def run_all(self, statements: str) -> None:
        """A file of statements."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statements)
                while cursor.nextset():
                    pass
        except pymysql.Error as error:
            raise RefusedError(error) from None

    def one(self, statement: str, *values: object) -> Any:
        found = self.run(statement, *values)
        return found[0][0] if found else None

    def use(self, database: str) -> None:
        self.run(f"USE {quoted(database)}")

    def _denied(self, error: Exception) -> "DeniedError":
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT CURRENT_USER()")
            user, _, host = str((cursor.fetchone() or ("",))[0]).rpartition("@")
        account = f"'{user}'@'{host}'"
        return DeniedError(f"{self.address.server} does not let {account} clone: {_message(error)}", account)

    def exists(self, name: str) -> bool:
        return bool(self.run("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", name))

    def create(self, name: str, *, marker: Marker, like: str | None = None) -> None:
        """With the character set of ``like``, which need not exist."""
        found = self.run(
            "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata "
            "WHERE schema_name = %s",
            like or "",
        )
        words = [f"CREATE DATABASE {quoted(name)}"]
        if found and all(_NAMES.fullmatch(str(one)) for one in found[0]):
            words.append(f"CHARACTER SET {found[0][0]} COLLATE {found[0][1]}")
        if self._has_comments:
            self.run(" ".join([*words, "COMMENT %s"]), str(marker))
        else:
            self.run(" ".join(words))
            self.run(f"CREATE TABLE {quoted(name)}.{quoted(_MARKER_TABLE)} (marker TEXT)")
            self.run(f"INSERT INTO {quoted(name)}.{quoted(_MARKER_TABLE)} VALUES (%s)", str(marker))  # noqa: S608 - quoted.

    def mark(self, name: str, marker: Marker) -> None:
        if self._has_comments:
            self.run(f"ALTER DATABASE {quoted(name)} COMMENT %s", str(marker))
        else:
            self.run(f"UPDATE {quoted(name)}.{quoted(_MARKER_TABLE)} SET marker = %s", str(marker))  # noqa: S608 - quoted.

    def marker_of(self, name: str) -> Marker | None:
        if self._has_comments:
            query = "SELECT schema_comment FROM information_schema.schemata WHERE schema_name = %s"
            return read_marker(self.one(query, name))
        query = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
        if not self.run(query, name, _MARKER_TABLE):
            return None
        try:
            return read_marker(self.one(f"SELECT marker FROM {quoted(name)}.{quoted(_MARKER_TABLE)}"))  # noqa: S608 - quoted.
        except RefusedError as error:
            if error.number in (ER.NO_SUCH_TABLE, ER.BAD_DB_ERROR):  # Another run has dropped it meanwhile.
                return None
            raise

    def is_own_table(self, table: str) -> bool:
        return table == _MARKER_TABLE

    def drop(self, name: str, *, marker: Marker) -> None:
        """Nothing happens if it is gone. Proves that it is ours in the connection that destroys it."""
        if not self.exists(name):
            return
        self.check_host()
        if not is_our_name(name) or self.marker_of(name) != marker:
            raise SafeguardRefused(
                f"the database {name!r} does not carry the marker of run {marker.run_id}: it stays as it is",
                hint="somebody else has made or renamed it; drop it by hand if nobody needs it",
            )
        self.run(f"DROP DATABASE {quoted(name)}")

    def ours(self) -> list[tuple[str, Marker]]:
        names = [str(name) for (name,) in self.run("SELECT schema_name FROM information_schema.schemata")]
        marked = [(name, self.marker_of(name)) for name in names if is_our_name(name)]
        return [(name, marker) for name, marker in marked if marker]

    def hold(self, text: str, *, wait: int = 0) -> bool:
        """Nobody else has this lock, as long as this connection lives; False if somebody had it for ``wait`` seconds."""
        return bool(self.one("SELECT GET_LOCK(%s, %s)", lock_name(text), wait))

    def let_go(self, text: str) -> None:
        self.run("SELECT RELEASE_LOCK(%s)", lock_name(text))

    def are_free(self, texts: Sequence[str]) -> bool:
        asked = " AND ".join("IS_FREE_LOCK(%s)" for _ in texts)
        return bool(self.one(f"SELECT {asked}", *map(lock_name, texts)))

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()


class DeniedError(CannotIsolate):
    """A right is missing, to what clones are made as or to what they are made of."""

    def __init__(self, message: str, account: str) -> None:
        super().__init__(message, hint=rf"GRANT ALL PRIVILEGES ON `test\_%`.* TO {account};")
        self.account = account


class RefusedError(InfrastructureError):
    """``number`` is the server's own of the error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(_message(error))
        self.number = error.args[0] if error.args else None


_DENIED = (
    ER.DBACCESS_DENIED_ERROR,
    ER.TABLEACCESS_DENIED_ERROR,
    ER.SPECIFIC_ACCESS_DENIED_ERROR,
    ER.PROCACCESS_DENIED_ERROR,
)


def _message(error: Exception) -> str:
    return " ".join(str(error.args[-1] if error.args else error).split())
