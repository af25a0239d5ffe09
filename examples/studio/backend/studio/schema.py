"""The tables, as SQLAlchemy sees them. What only one database can do stands in `sql/`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

VERSION = 1
BRAND_KIT_LIMIT = 10


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the time zone; this puts it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Hand over UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """Return the current moment, in UTC."""
    return datetime.now(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", String(32), primary_key=True)


def _owner() -> Column[str]:
    return Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


def _moment(name: str) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=False, default=now)


schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

users = Table(
    "users",
    metadata,
    _id(),
    Column("email", String(254), nullable=False),
    Column("display_name", String(60), nullable=False),
    Column("password_hash", String(200), nullable=False),
    _moment("created_at"),
    UniqueConstraint("email"),
)

brand_kits = Table(
    "brand_kits",
    metadata,
    _id(),
    _owner(),
    Column("name", String(60), nullable=False),
    Column("primary_colour", String(7), nullable=False),
    Column("accent_colour", String(7), nullable=False),
    Column("logo_key", String(120)),
    _moment("created_at"),
    _moment("updated_at"),
    UniqueConstraint("user_id", "name"),
    CheckConstraint("length(name) > 0", name="name_not_empty"),
    CheckConstraint("length(primary_colour) = 7 AND length(accent_colour) = 7", name="colours_are_hex"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    _owner(),
    Column("brand_kit_id", String(32), ForeignKey("brand_kits.id", ondelete="SET NULL")),
    Column("asset_type", String(20), nullable=False),
    Column("title", String(60), nullable=False),
    Column("state", String(10), nullable=False, default="queued"),
    Column("error", String(200)),
    _moment("created_at"),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state_is_known"),
    Index(None, "user_id", "created_at"),
)

assets = Table(
    "assets",
    metadata,
    _id(),
    _owner(),
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("asset_type", String(20), nullable=False),
    Column("title", String(60), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("file_key", String(120), nullable=False),
    _moment("created_at"),
    UniqueConstraint("job_id"),
    CheckConstraint("width > 0 AND height > 0 AND bytes > 0", name="image_is_not_empty"),
    Index(None, "user_id", "created_at"),
)

coach_progress = Table(
    "coach_progress",
    metadata,
    _owner(),
    Column("tip_id", Integer, nullable=False),
    _moment("done_at"),
    PrimaryKeyConstraint("user_id", "tip_id"),
)

GUARDED = (brand_kits, jobs, assets, coach_progress)
"""The tables whose rows belong to somebody. Routes read them through the views below and nowhere else."""

_views = MetaData()


def _own(table: Table) -> Table:
    """Describe the view `own_…`: the same columns, and only the rows of the acting user."""
    return Table(f"own_{table.name}", _views, *(Column(column.name, column.type) for column in table.columns))


own_brand_kits = _own(brand_kits)
own_jobs = _own(jobs)
own_assets = _own(assets)
own_coach_progress = _own(coach_progress)
