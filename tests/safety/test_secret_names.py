"""Which variables hold secrets: by their names, unless the value says where a secret lies."""

from pathlib import Path

import pytest

from e2e_orchestrator.safety.names import is_secret

VALUE = "k9Lq/xT+0aZ"
SECRET_NAMES = """
    TOKEN GITHUB_TOKEN API_TOKEN_2 CLIENT_SECRET DB_PASSWORD PASSWD API_KEY APIKEY AWS_SECRET_ACCESS_KEY
    STRIPE_KEY STRIPE_KEYS SIGNING_KEY MYSQL_PASS MYSQL_PWD DB_PWD PWD_OF_ROOT JENKINS_PSW DB_PW GH_PAT
    API_BEARER BEARER BEARER_OF_CI HTTP_AUTHORIZATION AUTHORIZATION HTTP_AUTH_HEADER BASIC_AUTH SESSION_COOKIE
    COOKIES AZURE_STORAGE_CONNECTION_STRING DB_CONNECTION_STRING CONNECTIONSTRING SENTRY_DSN SLACK_WEBHOOK_URL
    GOOGLE_CREDENTIALS OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_TRACES_HEADERS gh_pat dbPassword
"""
OTHER_NAMES = """
    PWD OLDPWD HOME PATH INIT_CWD KEYBOARD MONKEY HOTKEYS COMPAT MODE_COMPAT PATTERN PATCH_LEVEL AUTHOR
    GIT_AUTHOR_NAME AUTHORIZATION_MODE SSH_AUTH_SOCK XAUTHORITY COOKIECUTTER_HOME SESSION_COOKIE_NAME PASSENGER
    BYPASS COMPASS CONNECTION_TIMEOUT FORBEARER HTTP_HEADERS
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_that_says_secret(name: str) -> None:
    assert is_secret(name, VALUE)


@pytest.mark.parametrize("name", OTHER_NAMES.split())
def test_a_name_that_only_sounds_like_one(name: str) -> None:
    assert not is_secret(name, VALUE)


KEY = "abcDEF0123456789+ghiJKL/mnoPQR456789stuv"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "API_TOKEN", "DB_PASSWORD", "DB_PWD"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"/{KEY[1:]}", id="that begins with a slash"),
        pytest.param(f"/{KEY[1:20]}/{KEY[21:]}", id="of several parts"),
        pytest.param(f"/{KEY[2:]}/", id="between slashes"),
        pytest.param("abcd/efgh", id="that would be a path from here"),
        pytest.param("~/abcdefgh", id="that would be a path from home"),
    ],
)
def test_a_key_that_looks_like_a_path_is_a_key(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize("name", ["API_TOKEN", "SIGNING_KEY", "GOOGLE_APPLICATION_CREDENTIALS"])
@pytest.mark.parametrize(
    "value", ["/elsewhere/mounted/key.json", "/srv-of-ci/token.txt", "/nowhere-9/id.p12"]
)
def test_a_path_with_the_ending_of_a_file_is_where_a_secret_lies(name: str, value: str) -> None:
    assert not is_secret(name, value)


def test_so_is_a_path_below_a_folder_of_this_machine(tmp_path: Path) -> None:
    assert not is_secret("API_TOKEN", str(tmp_path))
    assert not is_secret("API_TOKEN", f"{tmp_path}/that/comes/later")


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        pytest.param("TOKEN_FILE", "/nowhere-9/secrets/token", False, id="an absolute path"),
        pytest.param("PRIVATE_KEY_PATH", "~/.ssh/id_rsa", False, id="a path from home"),
        pytest.param("API_KEY_FILE", "certs/server-key", False, id="a path from here"),
        pytest.param("PRIVATE_KEY_FILE", "server.pem", False, id="the name of a file"),
        pytest.param("CREDENTIALS_DIR", "/nowhere-9/credentials", False, id="a folder"),
        pytest.param("TOKEN_FILE", "correct-horse-battery", True, id="no path at all"),
        pytest.param("PRIVATE_KEY_FILE", "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0", True, id="a token with dots"),
    ],
)
def test_a_name_that_says_where_it_lies_makes_a_path_of_what_can_be_one(
    name: str, value: str, secret: bool
) -> None:
    assert is_secret(name, value) is secret


@pytest.mark.parametrize("value", ["short", "true", "False", "12345678"])
def test_words_and_numbers_would_garble_every_report(value: str) -> None:
    assert not is_secret("API_TOKEN", value)
