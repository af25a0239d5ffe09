"""`python -m studio.prepare` makes the database that DATABASE_URL names ready, and serves nothing."""

from __future__ import annotations

from studio.database import Database
from studio.settings import Settings


def main() -> None:
    """Do what the API does before it serves."""
    database = Database(Settings.from_environment().database_url)
    try:
        database.prepare()
    finally:
        database.close()


if __name__ == "__main__":
    main()
