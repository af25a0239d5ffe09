"""What leads out of a PostgreSQL database, and so out of its clones: foreign servers, and whoever calls dblink."""

import re
from collections.abc import Sequence
from typing import LiteralString

from e2e_orchestrator.isolation import postgres_server as pg
from e2e_orchestrator.isolation.driver import CannotIsolate

# Only these two speak to PostgreSQL. What file_fdw reads nobody can change by it.
_SERVERS: LiteralString = """
    SELECT s.srvname, w.fdwname IN ('postgres_fdw', 'dblink_fdw'),
      (SELECT option_value FROM pg_options_to_table(s.srvoptions) WHERE option_name = 'dbname')
    FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    WHERE w.fdwname <> 'file_fdw' ORDER BY 1
"""

_CALLERS: LiteralString = """
    WITH found AS (
      SELECT 'the routine ' || p.oid::regprocedure::text AS named, p.oid, pg_get_functiondef(p.oid) AS text
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname !~ '^(pg_|information_schema$)' AND p.prokind <> 'a'
      UNION ALL
      SELECT 'the view ' || c.oid::regclass::text, c.oid, pg_get_viewdef(c.oid)
      FROM pg_class c WHERE c.relkind IN ('v', 'm')
    )
    SELECT named, text FROM found WHERE text ~* '\\mdblink'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = found.oid AND d.deptype = 'e') ORDER BY 1
"""

# What TRUNCATE of a table would empty along with it, wherever the rows of that are.
_FOREIGN_PARTS: LiteralString = """
    SELECT i.inhrelid::regclass::text, i.inhparent::regclass::text
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'f' ORDER BY 1
"""


async def refuse_links(connection: pg.Connection, *, base: str, truncates: bool) -> Sequence[str]:
    """What leads elsewhere, where all slots meet. Looks at the database of the connection.

    Raises CannotIsolate for what leads back to ``base``, or would empty somebody else's table.
    """
    if truncates:
        for child, parent in await pg.rows(connection, _FOREIGN_PARTS):
            raise CannotIsolate(
                f"`data: none` would empty the foreign table {child} as well, which is a part of {parent}",
                hint="write `data: copy`, or detach it",
            )
    elsewhere = []
    for name, is_postgres, database in await pg.rows(connection, _SERVERS):
        if is_postgres and database in (base, None):
            leads = "names no database" if database is None else f"leads to {base!r}"
            raise CannotIsolate(
                f"the foreign server {name!r} {leads}, so the clones would read and write what is not their own",
                hint="drop it from the base, or let it name another database",
            )
        elsewhere.append(f"the foreign server {name!r}")
    for named, text in await pg.rows(connection, _CALLERS):
        if re.search(rf"(?<!\w){re.escape(base)}(?!\w)", text):
            raise CannotIsolate(
                f"{named} calls dblink and names {base!r}, so a clone would read and write its base",
                hint="write current_database() instead of the name",
            )
        if "current_database" not in text:
            elsewhere.append(f"{named}, which calls dblink")
    return elsewhere
