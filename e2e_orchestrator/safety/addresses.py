"""What the values of a configuration lead to: hosts, databases and users in addresses of many spellings.

What looks like an address and follows no known form is not passed over: its words count as a host.
"""

import re
from collections.abc import Iterator, Mapping

from e2e_orchestrator.model.safeguards import Target
from e2e_orchestrator.safety.clients import named_in
from e2e_orchestrator.safety.urls import Named, hosts_of, stem, targets_of_url

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUOTES = {'"': '"', "'": "'", "`": "`", "<": ">", "(": ")"}
# PostgreSQL's other spelling, and that of ODBC and ADO: host=db dbname='shop' user=app, Server=db;Database=shop.
_PAIR = re.compile(
    r"\b(host|hostaddr|server|data source|dbname|database|initial catalog|user|user id|uid|service)"
    r"\s*=\s*('(?:[^'\\]|\\.)*'|\"[^\"]*\"|(?:[^\s;\\]|\\.)+)",
    re.IGNORECASE,
)
_DSN = re.compile(r"\s*\w+\s*=")
_ASSIGNED = re.compile(r"(?<![\w?&;])([A-Za-z_]\w*)=('[^']*'|\"[^\"]*\"|[^\s;'\"]+)")
_IN_JSON = re.compile(r'"(host|hostname|hostaddr|dbname|database)"\s*:\s*"([^"\\]*)"', re.IGNORECASE)
# Of Go's driver: user:password@tcp(db:3306)/shop.
_GO = re.compile(r"@?\b(?:tcp|unix)\(([^()]*)\)/([^?\s'\"]*)")
_OPTION_OF_DJANGO = re.compile(r"(?:^|\s)--(?:settings|ds)(?:=|\s+)[\"']?([A-Za-z_][\w.]*)")

_SYSTEMS = (
    "(?:DB|DATABASE|SQL|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|MSSQL|ORACLE|MONGO|MONGODB|REDIS|VALKEY|CACHE|BROKER"
    "|AMQP|RABBITMQ|ELASTICSEARCH|OPENSEARCH|CLICKHOUSE|MEMCACHED|KAFKA)"
)
_SERVERS = r"SERVERS?|SOCKET|ADDR|ADDRESS|ENDPOINT|HOSTS|NODES|BROKERS?|BOOTSTRAP_SERVERS?"
_HOST_NAME = re.compile(
    rf"(?:^|_)(?:(?:PG)?HOST(?:NAME|ADDR)?|MYSQL_UNIX_PORT|{_SYSTEMS}_(?:{_SERVERS}))$", re.IGNORECASE
)
_DATABASE_NAME = re.compile(
    rf"(?:^|_)(?:PGDATABASE|DATABASE|DATABASE_NAME|DB|DB_NAME|DBNAME|{_SYSTEMS}_NAME)$", re.IGNORECASE
)
_USER_NAME = re.compile(rf"(?:^|_)(?:PGUSER|{_SYSTEMS}_USER(?:NAME)?)$", re.IGNORECASE)
_SERVICE_NAME = re.compile(r"(?:^|_)PGSERVICE$", re.IGNORECASE)
# The last two are options of Django and pytest-django, whose value is a word of its own.
_SETTINGS_NAME = re.compile(r"DJANGO_(?:SETTINGS_MODULE|CONFIGURATION|ENV|ENVIRONMENT)|settings|ds")
_SETTINGS = re.compile(r"[A-Za-z_]\w*(?:\.(?!(?:json|ya?ml|toml|ini|cfg|py)$)[A-Za-z_]\w*)*", re.IGNORECASE)
_ADDRESS_NAME = re.compile(
    rf"(?:^|_)(?:{_SYSTEMS}_(?:URL|URI|DSN)|DSN|RESULT_BACKEND)$|^(?:sql|redis)$", re.IGNORECASE
)
# Of what the caller's environment holds only this is looked at: it leads tests to data.
_INHERITED = re.compile(
    rf"(?:^|_)(?:{_SYSTEMS}_(?:URL|URI|DSN|HOST|HOSTADDR|HOSTNAME|{_SERVERS}|NAME|DB|DATABASE|USER|USERNAME)"
    r"|DSN|RESULT_BACKEND|PGHOST|PGHOSTADDR|PGDATABASE|PGUSER|PGSERVICE|MYSQL_UNIX_PORT)$"
    r"|^DJANGO_(?:SETTINGS_MODULE|CONFIGURATION|ENV|ENVIRONMENT)$",
    re.IGNORECASE,
)
_TO_DATA = re.compile(
    r"(?:postgres|postgresql|postgis|pgsql|psql|cockroachdb|redshift|mysqlx?|mysql2|mariadb|mssql|sqlserver|oracle"
    r"|mongodb|rediss?|valkeys?|amqps?|sqlite3?|clickhouse|elasticsearch|cassandra|neo4j|bolt)(?:\+[a-z0-9]+)*://",
    re.IGNORECASE,
)


def targets_of(name: str, value: str) -> tuple[Target, ...]:
    """Everything that a variable or key of this name leads to; nothing for what is no address."""
    urls, text = _urls_and_rest(value.strip())
    found = [target for scheme, rest in urls for target in targets_of_url(scheme, rest)]
    found += _of_text(name, text)
    if not urls and text:
        found += _by_name(name, text)
        if not found and _ADDRESS_NAME.search(name):
            found += _unread(text)
    return tuple(dict.fromkeys(target for target in found if target.parts))


def inherited(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables of the caller that lead to data, which every child would get."""
    return (
        (name, value)
        for name, value in sorted(environ.items())
        if _INHERITED.search(name) or _TO_DATA.search(value)
    )


def _urls_and_rest(value: str) -> tuple[list[tuple[str, str]], str]:
    """Every address with a scheme, and the text without them.

    One ends where the quotes end that it stands in, and before the next; a value that begins with one is one to
    its end, whatever letters it has; any other ends at a blank.
    """
    starts = list(_SCHEME.finditer(value))
    urls, text = [], value[: starts[0].start()] if starts else value
    ends = [one.start() for one in starts[1:]]
    for found, end in zip(starts, [*ends, len(value)], strict=False):
        rest = value[found.end() : end]
        closing = _QUOTES.get(value[found.start() - 1]) if found.start() else None
        if closing and closing in rest:
            size = rest.index(closing)
        elif found.start() == 0:
            size = len(rest)
        else:
            size = len(re.split(r"\s", rest, maxsplit=1)[0])
        url = rest[:size] if found.start() == 0 else rest[:size].rstrip("\"'`<>)],;")
        urls.append((found[0].removesuffix("://"), url))
        text += " " + rest[size:]
    return urls, text.strip()


def _of_text(name: str, text: str) -> Iterator[Target]:
    """What a command, a DSN or any other text says in ``key=value``, or as an option of Django."""
    pairs = [(re.sub(r"\s+", " ", key), _unquoted(value)) for key, value in _PAIR.findall(text)]
    kinds = {key.lower() for key, _ in pairs}
    lone = kinds == {"user"} and not _ADDRESS_NAME.search(name)
    if pairs and not lone and (kinds != {"service"} or _DSN.match(text)):
        named = Named()
        for key, value in pairs:
            named.add(key, value)
        yield from named.targets()
    for place, database in _GO.findall(text):
        yield from Named(hosts=hosts_of(place), databases=[database] if database else []).targets()
    for key, value in _IN_JSON.findall(text):
        yield from _by_name(key, value)
    for key, value in named_in(text):
        yield from _by_name(key, value)
    for key, value in _ASSIGNED.findall(text):
        if "://" not in value and key.lower() not in kinds:
            yield from _by_name(key, _unquoted(value))
    for module in filter(_SETTINGS.fullmatch, _OPTION_OF_DJANGO.findall(text)):
        yield Target(settings=module)


def _unquoted(value: str) -> str:
    inner = value[1:-1] if value[:1] in ("'", '"') and value[-1:] == value[:1] else value
    return re.sub(r"\\(.)", r"\1", inner)


def _by_name(name: str, value: str) -> Iterator[Target]:
    if _HOST_NAME.search(name):
        yield from (Target(host=host) for host in hosts_of(value))
    elif _DATABASE_NAME.search(name):
        is_file = value.startswith(("/", ".")) or stem(value) != value.rpartition("/")[2]
        yield Target(database=stem(value) if is_file else value)
    elif _USER_NAME.search(name):
        yield Target(user=value)
    elif _SERVICE_NAME.search(name):
        yield Target(service=value)
    elif _SETTINGS_NAME.fullmatch(name) and _SETTINGS.fullmatch(value):
        yield Target(settings=value)


def _unread(value: str) -> Iterator[Target]:
    """A value that is to be an address and has the form of none: every word of it but a password."""
    credentials, _, after = value.rpartition("@")
    place, _, database = after.removeprefix("//").partition("/")
    if not place or (":" in place and not re.search(r":\d*$", place)):
        place, database = after, ""
    user = credentials.partition(":")[0]
    unknown = ":" in place and not re.search(r":\d*$", place)
    hosts = [place] if unknown else hosts_of(place)
    yield from Named(
        hosts=hosts, databases=[database] if database else [], users=[user] if user else []
    ).targets()
