"""What the database computes itself: stored functions on PostgreSQL, views and triggers on SQLite."""

from __future__ import annotations

from sqlalchemy import Connection, text


def usage(connection: Connection) -> dict[str, int]:
    """Return what the acting user has: brand_kits, assets, asset_bytes, open_jobs."""
    source = "studio_usage" if _on_sqlite(connection) else "studio_usage()"
    row = connection.execute(text(f"SELECT * FROM {source}")).mappings().one()  # noqa: S608 - one of two constants
    return {str(name): int(value) for name, value in row.items()}


def brand_kits_left(connection: Connection, *, limit: int) -> int:
    """Return how many kits the acting user may add; holds until the transaction ends."""
    if _on_sqlite(connection):
        return max(0, limit - int(connection.execute(text("SELECT taken FROM brand_kits_taken")).scalar_one()))
    return int(connection.execute(text("SELECT brand_kits_left(:limit)"), {"limit": limit}).scalar_one())


def claim_job(connection: Connection, job_id: str) -> bool:
    """Move a queued job to running; false when somebody else did."""
    if _on_sqlite(connection):
        queued = text("SELECT count(*) FROM claim_job WHERE job_id = :id")
        if not connection.execute(queued, {"id": job_id}).scalar_one():
            return False
        connection.execute(text("INSERT INTO claim_job (job_id) VALUES (:id)"), {"id": job_id})
        return True
    return bool(connection.execute(text("SELECT claim_job(:id)"), {"id": job_id}).scalar_one())


def _on_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
