"""Addresses as people write them, given another database without touching anything else."""

import pytest

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.address import Kind, parse

CASES = [
    ("postgresql://u:p%40ss@db.local:5433/shop?sslmode=require", Kind.POSTGRES, ["db.local"], "shop",
     "postgresql://u:p%40ss@db.local:5433/NEW?sslmode=require"),
    ("postgresql+psycopg://localhost/shop", Kind.POSTGRES, ["localhost"], "shop", "postgresql+psycopg://localhost/NEW"),
    ("postgres:///shop?host=/tmp/socket", Kind.POSTGRES, ["/tmp/socket"], "shop", "postgres:///NEW?host=/tmp/socket"),
    ("postgresql://a,b:5433/shop", Kind.POSTGRES, ["a", "b"], "shop", "postgresql://a,b:5433/NEW"),
    ("postgresql://h/?dbname=shop&x=1", Kind.POSTGRES, ["h"], "shop", "postgresql://h/NEW?dbname=NEW&x=1"),
    ("postgresql://h/a?%64bname=b&dbname=shop", Kind.POSTGRES, ["h"], "shop", "postgresql://h/NEW?%64bname=NEW&dbname=NEW"),
    ("mysql+pymysql://root@127.0.0.1:3307/a%2Fb", Kind.MYSQL, ["127.0.0.1"], "a/b",
     "mysql+pymysql://root@127.0.0.1:3307/NEW"),
    ("mariadb://[::1]:3306/shop", Kind.MYSQL, ["::1"], "shop", "mariadb://[::1]:3306/NEW"),
    ("rediss://:secret@cache:6380/2", Kind.REDIS, ["cache"], "2", "rediss://:secret@cache:6380/NEW"),
    ("redis://localhost", Kind.REDIS, ["localhost"], "", "redis://localhost/NEW"),
    ("redis://localhost/0?db=3", Kind.REDIS, ["localhost"], "3", "redis://localhost/NEW?db=NEW"),
    ("redis://localhost?a=1&db=3", Kind.REDIS, ["localhost"], "3", "redis://localhost/NEW?a=1&db=NEW"),
    ("mysql+pymysql://h/a?database=b&x=1", Kind.MYSQL, ["h"], "b", "mysql+pymysql://h/NEW?database=NEW&x=1"),
    ("mysql://h/?db=b", Kind.MYSQL, ["h"], "b", "mysql://h/NEW?db=NEW"),
    ("sqlite:///data/shop.sqlite3", Kind.SQLITE, [], "data/shop.sqlite3", "sqlite:///NEW"),
    ("sqlite:////srv/shop.db", Kind.SQLITE, [], "/srv/shop.db", "sqlite:///NEW"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "kind", "hosts", "database", "renamed"), CASES)
def test_an_address(url: str, kind: Kind, hosts: list[str], database: str, renamed: str) -> None:
    address = parse(url, variable="URL")
    assert (address.kind, list(address.hosts), address.database) == (kind, hosts, database)
    assert address.with_database("NEW") == renamed


def test_a_name_is_encoded_and_read_back() -> None:
    address = parse("postgresql://h/x", variable="URL")
    hostile = 'a"b/c?d#e %20ż'
    assert parse(address.with_database(hostile), variable="URL").database == hostile


def test_user_and_password_are_decoded() -> None:
    address = parse("mysql://us%40er:p%3Aw@h/x", variable="URL")
    assert (address.user, address.password, address.port) == ("us@er", "p:w", None)


def test_a_password_that_ends_an_address_too_early_is_refused_without_showing_it() -> None:
    with pytest.raises(InfrastructureError, match="has a letter that ends an address") as caught:
        parse("postgresql://app:hun#ter@db/shop", variable="URL")
    assert "ter@" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "shop", "host=localhost dbname=shop", "mongodb://h/x", "://h/x"])
def test_what_nobody_understands_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InfrastructureError, match="DATABASE_URL is no address") as caught:
        parse(url, variable="DATABASE_URL")
    assert not url or url not in str(caught.value)
