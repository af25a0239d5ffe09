"""Hosts and databases in addresses of many spellings."""

import pytest

from e2e_orchestrator.model.safeguards import Target
from e2e_orchestrator.safety.addresses import inherited, targets_of


@pytest.mark.parametrize(
    ("name", "value", "targets"),
    [
        ("A", "postgresql://app:pw@db.example.com:5432/shop?sslmode=on", [Target(host="db.example.com", database="shop", user="app")]),
        ("A", "postgresql+asyncpg://db/shop", [Target(host="db", database="shop")]),
        ("A", "jdbc:postgresql://db:5432/shop", [Target(host="db", database="shop")]),
        ("A", "postgresql:///shop_test?host=/run/postgresql", [Target(host="/run/postgresql", database="shop_test")]),
        ("A", "postgresql://one:1,two:2/shop", [Target(host="one", database="shop"), Target(host="two", database="shop")]),
        ("A", "mysql://root@[::1]:3306/my%20shop", [Target(host="::1", database="my shop", user="root")]),
        ("A", "mongodb+srv://cluster.example.com/shop", [Target(host="cluster.example.com", database="shop")]),
        ("A", "sqlite:///data/prod.sqlite3", [Target(database="prod")]),
        ("A", "redis://:pw@cache:6379/0", [Target(host="cache")]),
        ("A", "http://127.0.0.1:${API_PORT}/production", [Target(host="127.0.0.1")]),
        ("A", "--url=https://live.example.com/x", [Target(host="live.example.com")]),
        ("A", "host=db dbname='prod shop' user=app", [Target(host="db", database="prod shop", user="app")]),
        ("DB_HOST", "prod-db:5432", [Target(host="prod-db")]),
        ("PGHOST", "one,two", [Target(host="one"), Target(host="two")]),
        ("MYSQL_DATABASE", "prod_shop", [Target(database="prod_shop")]),
        ("GREETING", "prod-db", []),
        ("A", "http://[broken", []),
        ("DB_NAME", " ", []),
    ],
)  # fmt: skip
def test_a_value_leads_somewhere(name: str, value: str, targets: list[Target]) -> None:
    assert list(targets_of(name, value)) == targets


def test_of_the_callers_environment_only_what_leads_to_data_counts() -> None:
    names = {
        "DATABASE_URL", "SHOP_DATABASE_URL", "REDIS_URL", "PGHOST", "DB_NAME", "MYSQL_HOST", "CELERY_BROKER_URL",
    }  # fmt: skip
    others = {"HOSTNAME", "SENTRY_URL", "NODE_ENV", "GIT_HOST", "HOST"}
    environ = dict.fromkeys(names | others, "x")
    assert {name for name, _ in inherited(environ)} == names
