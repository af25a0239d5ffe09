"""Asks a database: a connection of its own for each question, and one query."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import unquote, urlsplit

from e2e_orchestrator.errors import InfrastructureError

_CONNECT_SECONDS = 5
_NO_ROW = "the query gave no row"


async def ask_sql(address: str, query: str) -> str | None:
    """None if the query succeeds and, where it can give rows, gives one.

    Raises InfrastructureError if the driver is not installed: no waiting would bring it.
    """
    scheme = urlsplit(address).scheme.partition("+")[0]
    if scheme == "sqlite":
        return await asyncio.to_thread(_ask_sqlite, address, query)
    if scheme in ("mysql", "mariadb"):
        return await asyncio.to_thread(_ask_mysql, address, query)
    return await _ask_postgresql(address, query)


def _ask_sqlite(address: str, query: str) -> str | None:
    path = urlsplit(address).path[1:]
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return _answer(connection.execute(query))
    except sqlite3.Error as error:
        return f"{type(error).__name__}: {error}"


async def _ask_postgresql(address: str, query: str) -> str | None:
    try:
        import psycopg  # noqa: PLC0415 - optional, and 60 ms.
    except ImportError:
        raise _missing("psycopg", extra="postgres") from None
    scheme, _, rest = address.partition("://")
    try:
        connecting = psycopg.AsyncConnection.connect(
            f"{scheme.partition('+')[0]}://{rest}", connect_timeout=_CONNECT_SECONDS
        )
        async with await connecting as connection:
            # The words are the file's own: nothing is put into them.
            cursor = await connection.execute(query.encode())
            return _NO_ROW if cursor.description and await cursor.fetchone() is None else None
    except psycopg.Error as error:
        return f"{type(error).__name__}: {str(error).strip()}"


def _ask_mysql(address: str, query: str) -> str | None:
    try:
        import pymysql  # noqa: PLC0415 - optional, and 40 ms.
    except ImportError:
        raise _missing("PyMySQL", extra="mysql") from None
    url = urlsplit(address)
    try:
        with closing(
            pymysql.connect(
                host=url.hostname or "127.0.0.1",
                port=url.port or 3306,
                user=unquote(url.username or "") or None,
                password=unquote(url.password or ""),
                database=unquote(url.path.strip("/")) or None,
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_CONNECT_SECONDS,
            )
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return _answer(cursor)
    except (pymysql.Error, OSError) as error:
        return f"{type(error).__name__}: {error}"


def _answer(cursor: Any) -> str | None:
    """Of any cursor of PEP 249."""
    return _NO_ROW if cursor.description and cursor.fetchone() is None else None


def _missing(package: str, *, extra: str) -> InfrastructureError:
    return InfrastructureError(
        f"a `sql` probe needs {package}, which is not installed",
        hint=f"pip install 'e2e-orchestrator[{extra}]'",
    )
