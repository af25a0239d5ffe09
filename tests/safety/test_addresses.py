"""Hosts and databases in addresses of many spellings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from e2e_orchestrator.model.safeguards import Safeguards, Target
from e2e_orchestrator.safety.addresses import inherited, targets_of
from e2e_orchestrator.safety.guards import objection


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
        ("store", "s3://acme-ci/e2e/main", [Target(host="acme-ci", database="e2e")]),
        ("GREETING", "prod-db", []),
        ("A", "http://[broken", [Target(host="broken")]),
        ("DB_NAME", " ", []),
    ],
)  # fmt: skip
def test_a_value_leads_somewhere(name: str, value: str, targets: list[Target]) -> None:
    assert list(targets_of(name, value)) == targets


LEADS_TO_PRODUCTION = [
    ("A", "postgresql://app:pa#ss@db-prod.example.com/shop"),
    ("A", "postgresql://app:pa[ss@db-prod.example.com/shop"),
    ("A", "postgresql://app:pa?ss@db-prod.example.com/shop"),
    ("A", "postgresql://app:pa'ss@db-prod.example.com/shop"),
    ("A", "postgresql://app:pa ss@db-prod.example.com/shop"),
    ("A", "postgresql://app:pa/ss@db-prod.example.com/shop"),
    ("A", "postgresql://app:p@ss@db-prod.example.com/shop"),
    ("A", "postgresql://localhost/test_x?dbname=shop_prod"),
    ("A", "postgresql://localhost/test_x?host=eu1.example.com,db-prod"),
    ("A", "postgresql://localhost/test_x?application_name=a#b&host=db-prod"),
    ("A", "postgresql://localhost/test_x?%68ost=db-prod"),
    ("A", "postgresql://localhost?options=me@db-prod/x"),
    ("A", "postgresql://db%2Dprod.example.com/x"),
    ("A", "postgresql://a%2Cdb-prod/x"),
    ("A", "postgresql://#,db-prod/x"),
    ("A", "postgresql://app@db-prod,@y/x"),
    ("A", "postgresql://%2Frun%2Fprod%2Fpg/x"),
    ("A", "postgresql://eu1prod/x"),
    ("A", "postgresql://localhost/test_shop_prod"),
    ("A", "postgresql://localhost/test_prod2"),
    ("A", "postgresql://shop-db.production/x"),
    ("A", "postgresql://h/x?user=prod_admin"),
    ("A", "postgresql://h/x?service=prod"),
    ("A", "dbname=shop_prod"),
    ("A", r"dbname=shop\_prod"),
    ("A", "service=prod"),
    ("A", "host='eu,db-prod' dbname=x"),
    ("A", "hostaddr=10.0.0.1 host=db-prod"),
    ("A", "mysql://u@h/x?socket=/run/prod/mysql.sock"),
    ("A", "mysql://u@[h1:1,db-prod:3306]/x"),
    ("A", "jdbc:mysql://address=(host=db-prod)(port=3306)/x"),
    ("A", "jdbc:sqlserver://h;databaseName=shop_prod"),
    ("A", "Server=tcp:db-prod.example.com,1433;Initial Catalog=shop"),
    ("A", "unix:///run/prod/redis.sock"),
    ("A", "redis+socket:///run/prod/redis.sock?virtual_host=1"),
    ("A", "mongodb://a:1,db-prod:2/x"),
    ("DATABASE_URL", "app:secret@tcp(db-prod:3306)/shop"),
    ("DATABASE_URL", "db-prod.example.com:5432/shop"),
    ("DATABASE_URL", "sqlite:prod.db"),
    ("PGDATABASE", "shop.prod"),
    ("PGSERVICE", "prod"),
    ("PGUSER", "prod_admin"),
    ("DJANGO_SETTINGS_MODULE", "shop.settings.production"),
    ("", "env PGDATABASE=shop_prod serve"),
    ("", "psql --dbname=shop_prod"),
    ("", """sh -c "psql 'postgresql://app:x@db-prod/shop'" """),
    ("", "manage.py test --settings=shop.settings.production"),
    ("settings", "shop.settings.production"),
    ("", "psql -h db-prod -d shop"),
    ("", "/usr/bin/psql -hdb-prod shop"),
    ("", "psql shop_prod -c 'SELECT 1'"),
    ("", "docker exec db pg_dump -U prod_admin shop"),
    ("", "mysql --host db-prod shop"),
    ("", "redis-cli -h db-prod FLUSHALL"),
    ("", "sh -c 'echo it is; psql -d shop_prod'"),
    ("DB_ADDR", "db-prod:5432"),
    ("REDIS_ADDRESS", "db-prod:6379"),
    ("REDIS_NODES", "one:6379,db-prod:6379"),
    ("ELASTICSEARCH_HOSTS", "db-prod:9200"),
    ("KAFKA_BOOTSTRAP_SERVERS", "db-prod:9092"),
    ("DATABASES", '{"default": {"HOST": "db-prod", "NAME": "shop"}}'),
]  # fmt: skip
HARMLESS = [
    ("A", "postgresql://localhost/test_products"),
    ("A", "postgresql://localhost/product_db"),
    ("A", "postgresql://localhost/reproduction"),
    ("A", "postgresql://localhost:5432/test_live_preview"),
    ("A", "postgresql://olive@delivery/oliver"),
    ("A", "postgresql://app:production@localhost/shop"),
    ("A", "postgresql://app:prod#live@localhost/shop"),
    ("A", "postgresql://localhost/shop?application_name=production"),
    ("A", "sqlite:///:memory:"),
    ("A", "sqlite:////srv/production/app.db"),
    ("A", "http://localhost:8000/production"),
    ("A", "http://localhost:8000/@live/x"),
    ("A", "http://localhost/?host=live"),
    ("A", "https://shop.live/x"),
    ("DATABASE_URL", "localhost:5432/test_live_preview"),
    ("DATABASE_URL", ":memory:"),
    ("GREETING", "the live database of production"),
    ("NODE_ENV", "production"),
    ("DJANGO_SETTINGS_MODULE", "live_shop.settings.test"),
    ("", "--label service=prod"),
    ("", "user=live"),
    ("", "--settings=production.json"),
    ("", "psql -f production.sql -h localhost shop"),
    ("", "redis-cli SET mode live"),
    ("", "npm run build -- -h live --mode production"),
    ("", "mysqld -h /srv/production"),
    ("IP_ADDRESS", "live"),
    ("A", '{"name": "production", "mode": "live"}'),
]  # fmt: skip


def objections(name: str, value: str) -> list[str]:
    found = (objection(target, Safeguards()) for target in targets_of(name, value))
    return [why for why in found if why]


@pytest.mark.parametrize(("name", "value"), LEADS_TO_PRODUCTION)
def test_no_ordinary_spelling_hides_production(name: str, value: str) -> None:
    assert objections(name, value)


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_what_only_sounds_like_it_is_no_alarm(name: str, value: str) -> None:
    assert objections(name, value) == []


@pytest.mark.parametrize("letter", "#?/'[ <")
def test_no_part_of_a_password_is_shown(letter: str) -> None:
    found = targets_of("DATABASE_URL", f"postgresql://app:hunter{letter}sesame@db/shop")
    assert Target(host="db", database="shop", user="app") in found
    assert "hunter" not in str(found)
    assert "sesame" not in str(found)


_LETTERS = st.text(st.sampled_from("ab1-_.%2F#?&=,:@/[]'() "), max_size=12)
_REACHABLE = re.compile(r"[\w./-]*")


@given(_LETTERS, _LETTERS, _LETTERS)
def test_where_libpq_goes_has_been_looked_at(credentials: str, place: str, query: str) -> None:
    """Whatever its own parser makes of an address: each host that may exist, and the database, is a target."""
    url = f"postgresql://{credentials}@{place}/x{query}"
    try:
        parsed = conninfo_to_dict(url)
    except (ProgrammingError, UnicodeError):
        return
    found = targets_of("DATABASE_URL", url)
    hosts = str(parsed.get("host") or "").split(",")
    hosts = [host for host in hosts if _REACHABLE.fullmatch(host)] if "[" not in url else []
    if not re.fullmatch("[0-9,]*", str(parsed.get("port") or "")) or url.count("://") > 1:
        return  # Nobody gets there; two addresses in one value.
    for host in hosts:
        assert not _words(host) or any(_words(host) <= _words(one.host) for one in found), url
    database = str(parsed.get("dbname") or "") if hosts else ""
    assert not _words(database) or any(_words(database) <= _words(one.database) for one in found), url


def _words(name: str | None) -> set[str]:
    """What is looked at of a name."""
    return set(re.findall("[a-z]+", name or ""))


def test_of_the_callers_environment_only_what_leads_to_data_counts() -> None:
    names = {
        "DATABASE_URL", "SHOP_DATABASE_URL", "REDIS_URL", "PGHOST", "DB_NAME", "MYSQL_HOST", "CELERY_BROKER_URL",
        "POSTGRES_URL", "MYSQL_URL", "PGSERVICE", "PGHOSTADDR", "PGUSER", "REDIS_ADDR", "MYSQL_UNIX_PORT", "DJANGO_SETTINGS_MODULE",
    }  # fmt: skip
    others = {"HOSTNAME", "IP_ADDRESS", "SENTRY_URL", "NODE_ENV", "GIT_HOST", "HOST"}
    environ = dict.fromkeys(names | others, "x")
    assert {name for name, _ in inherited(environ)} == names
    assert [name for name, _ in inherited({"SHOP": "mysql://h/x", "HOME_PAGE": "https://h/x"})] == ["SHOP"]
