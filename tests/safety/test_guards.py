"""Names and hosts that look like production, and databases that are known to be for tests."""

import pytest

from e2e_orchestrator.errors import SafeguardRefused
from e2e_orchestrator.model.safeguards import Allowed, Checked, Safeguards, Target
from e2e_orchestrator.safety.guards import (
    host_looks_like_production,
    is_local,
    is_test_database,
    looks_like_production,
    objection,
    require_test_database,
)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("prod_shop", "prod"),
        ("shop_prod", "prod"),
        ("shop-production", "production"),
        ("shopProd", "Prod"),
        ("prod2", "prod"),
        ("LIVE_shop", "LIVE"),
        ("eu_staging_shop", "staging"),
        ("production", "production"),
        ("products", None),
        ("delivery", None),
        ("olive_oil", None),
        ("reproduction", None),
        ("eu1prod", "prod"),
        ("SHOPProd", "Prod"),
        ("\uff50rod-db", "prod"),
        ("shop_test", None),
        ("", None),
    ],
)
def test_words_between_separators_look_like_production(name: str, word: str | None) -> None:
    assert looks_like_production(name) == word


@pytest.mark.parametrize(
    ("host", "word"),
    [
        ("db.prod.example.com", "prod"),
        ("prod-db.example.com", "prod"),
        ("live.example.com", "live"),
        ("staging", "staging"),
        ("shop.live", None),
        ("shop-db.production", "production"),
        ("shop-db.prod", "prod"),
        ("shop-db.live.svc", "live"),
        ("/run/prod/pg", "prod"),
        ("127.0.0.1", None),
        ("localhost", None),
        ("::1", None),
    ],
)
def test_labels_of_a_host_look_like_production_but_not_its_last(host: str, word: str | None) -> None:
    assert host_looks_like_production(host) == word


@pytest.mark.parametrize(
    ("name", "is_test"),
    [
        ("test_shop", True),
        ("shop_test", True),
        ("TEST_shop", True),
        ("test_live_events_20261120_0", True),
        ("test-shop", True),
        ("production_test", False),
        ("shop", False),
        ("testing", False),
        ("contest", False),
        ("test", False),
        ("test_", False),
        ("latest", False),
        ("", False),
    ],
)
def test_a_name_says_whether_a_database_is_for_tests(name: str, is_test: bool) -> None:
    assert is_test_database(name) is is_test


@pytest.mark.parametrize(
    ("host", "local"),
    [
        (None, True),
        ("", True),
        ("/var/run/postgresql", True),
        ("localhost", True),
        ("127.0.0.9", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("db", False),
    ],
)
def test_a_host_is_this_machine_or_another(host: str | None, local: bool) -> None:
    assert is_local(host) is local


def test_an_exception_holds_for_the_target_that_it_names_and_no_other() -> None:
    rules = Safeguards(allow=(Allowed(host="db.staging.example.com", database="shop", why="nightly copy"),))
    assert objection(Target(host="DB.staging.example.com", database="shop"), rules) is None
    assert objection(Target(host="db.staging.example.com", database="users"), rules)
    assert objection(Target(host="db.staging.example.com"), rules)


PRODUCTION = Target(host="db.production.example.com", database="shop_prod", user="prod_admin")


@pytest.mark.parametrize(
    ("exception", "left"),
    [
        pytest.param({"database": "shop_prod"}, "the host", id="a database says nothing about its host"),
        pytest.param({"host": "db.production.example.com"}, "the database", id="a host says nothing about its databases"),
        pytest.param({"user": "prod_admin"}, "the host", id="a user says nothing about either"),
        pytest.param({"host": "db.production.example.com", "database": "shop_prod"}, None, id="a place, whoever it is"),
        pytest.param({"host": "other", "database": "shop_prod"}, "the host", id="another host's database"),
    ],
)  # fmt: skip
def test_an_exception_waives_only_what_it_names(exception: dict[str, str], left: str | None) -> None:
    why = objection(PRODUCTION, Safeguards(allow=(Allowed(why="w", **exception),)))
    assert (why or "").startswith(left) if left else why is None


def test_a_word_of_several_parts_is_found_whatever_parts_them() -> None:
    assert looks_like_production("db_eu-main1", words=["eu-main"]) == "eu-main"
    assert looks_like_production("dbEuMain", words=["eu-main"]) == "EuMain"
    assert looks_like_production("main-eu", words=["eu-main"]) is None
    assert looks_like_production("\u043f\u0440\u043e\u0434_1", words=["\u043f\u0440\u043e\u0434"])


@pytest.mark.parametrize(
    ("target", "rules", "marked", "why"),
    [
        pytest.param(Target(database="shop_test"), Safeguards(), False, None, id="a test database here"),
        pytest.param(Target(database="shop"), Safeguards(), False, "not known", id="a name that says nothing"),
        pytest.param(Target(database="shop"), Safeguards(), True, None, id="a marker"),
        pytest.param(Target(database="prod_shop"), Safeguards(), True, "looks like", id="a marker does not outweigh a word"),
        pytest.param(Target(host="db", database="shop_test"), Safeguards(), False, "not this machine", id="elsewhere"),
        pytest.param(
            Target(host="db", database="shop_test"),
            Safeguards(allow=(Allowed(host="db", why="the compose file's"),)),
            False,
            None,
            id="elsewhere, allowed",
        ),
        pytest.param(
            Target(host="db", database="shop_test"),
            Safeguards(allow=(Allowed(database="shop_test", why="throw-away"),)),
            False,
            "not this machine",
            id="elsewhere, and only the database is allowed",
        ),
        pytest.param(
            Target(host="db", database="shop"),
            Safeguards(allow=(Allowed(host="db", why="the compose file's"),)),
            False,
            "not known",
            id="a name that says nothing on a host that is allowed",
        ),
        pytest.param(
            Target(database="shop"),
            Safeguards(allow=(Allowed(database="shop", why="throw-away"),)),
            False,
            None,
            id="any name, allowed",
        ),
    ],
)  # fmt: skip
def test_only_what_is_known_to_be_a_test_database_may_be_destroyed(
    target: Target, rules: Safeguards, marked: bool, why: str | None
) -> None:
    if why is None:
        require_test_database(target, what="DATABASE_URL", rules=rules, marked=marked)
        return
    with pytest.raises(SafeguardRefused, match=why) as refused:
        require_test_database(target, what="DATABASE_URL", rules=rules, marked=marked)
    assert refused.value.exit_code == 6
    assert "allow" in str(refused.value)


def test_programs_are_told_every_part_of_a_target() -> None:
    target = Target(user="root", service="shop-live", settings="shop.settings.prod")
    assert Checked(what="PGSERVICE", where="the environment", target=target, refused="why").told == {
        "what": "PGSERVICE",
        "where": "the environment",
        "host": None,
        "database": None,
        "user": "root",
        "service": "shop-live",
        "settings": "shop.settings.prod",
        "allowed": None,
        "refused": "why",
        "proof": None,
    }
