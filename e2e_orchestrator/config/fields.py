"""The types of the fields of phases.yaml: each takes what people write and says what it accepts."""

import re
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from e2e_orchestrator.config.mistakes import suggestion
from e2e_orchestrator.config.reads import Reads
from e2e_orchestrator.config.scalars import Kind, Plain
from e2e_orchestrator.config.values import (
    DURATION_PATTERN,
    SIZE_PATTERN,
    UNLIMITED,
    Refused,
    parse_duration,
    parse_max_failures,
    parse_positive_duration,
    parse_size,
    parse_workers,
)
from e2e_orchestrator.model.plan import MaxFailures

MAX_NAME = 150
_MOST_PORTS = 100

_PORT = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
_VARIABLE = {"type": "string", "pattern": r"\$\{"}
_NUMBERS = (Kind.INTEGER, Kind.FLOAT)


def _text(value: object) -> str:
    if isinstance(value, Plain) and not value.interpolated and value.kind not in _NUMBERS:
        if value.kind is Kind.NOTHING:
            raise Refused("must be text, but nothing stands here", hint='write "" for an empty text')
        raise Refused(
            f"must be text, but `{value}` means {str(value.switch).lower()}", hint=f'write "{value}"'
        )
    if not isinstance(value, str):
        raise Refused("must be text, not {found}")
    if "\0" in value:
        raise Refused("holds a NUL character")
    return str(value)


def _line(value: str) -> str:
    if not value.strip():
        raise Refused("must not be empty")
    if not value.isprintable():
        raise Refused("must be one line without control characters")
    return value


def _condition(value: object) -> str:
    """Whatever stands there, as it is written: a variable may hold anything."""
    if isinstance(value, bool | int | float | str):
        return str(value)
    raise Refused("must be text such as ${NAME:-} or ${NAME:-} == yes, not {found}")


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Plain) and value.kind is Kind.SWITCH:
        return value.switch
    raise Refused("must be true or false, not {found}")


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, Plain) and value.kind is Kind.INTEGER:
        number = int(value)
    else:
        raise Refused("must be a whole number, not {found}")
    if not 0 <= number <= 1000:  # noqa: PLR2004 - more than anybody means.
        raise Refused("must be from 0 to 1000, not {found}")
    return number


def _whole_number(value: object) -> int:
    """A count of things that a big suite has many of."""
    if isinstance(value, Plain) and value.kind is Kind.INTEGER:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10**9:
        raise Refused("must be a whole number from 0, not {found}")
    return value


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, Plain) and value.kind in _NUMBERS:
        return float(value)
    raise Refused("must be a number, not {found}")


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise Refused("must be from 0 to 1, not {found}")
    return value


def _factor(value: float) -> float:
    if not 1 <= value <= 100:  # noqa: PLR2004 - a wait that grows faster is a slip.
        raise Refused("must be from 1 to 100, not {found}")
    return value


def _duration(value: object) -> float:
    return parse_duration(_scalar(value, wanted="a duration"))


def _limit(value: object) -> float:
    return parse_positive_duration(_scalar(value, wanted="a duration"))


def _max_failures(value: object) -> MaxFailures:
    return parse_max_failures(str(_scalar(value, wanted="a whole number from 1")))


def _workers(value: object) -> int | None:
    return None if value is None else parse_workers(str(_scalar(value, wanted="auto or a whole number")))


def _kept(value: object) -> int | None:
    if value is None or value == UNLIMITED:
        return None
    number = _count(value)
    if not number:
        raise Refused("must be at least 1, not {found}", hint=f"write {UNLIMITED} to keep everything")
    return number


def _size(value: object) -> int | None:
    if value is None or value == UNLIMITED:
        return None
    return parse_size(_scalar(value, wanted="a size"))


def _scalar(value: object, *, wanted: str) -> str | float:
    if isinstance(value, Plain) and value.kind in (Kind.NOTHING, Kind.SWITCH):
        raise Refused(f"must be {wanted}, not {{found}}")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(f"must be {wanted}, not {{found}}")
    return value


def _name(value: str) -> str:
    if len(value) > MAX_NAME:
        raise Refused(f"is longer than the {MAX_NAME} characters a name may have")
    if value != value.strip():
        raise Refused("a name starts and ends without blanks")
    if "," in value or value.startswith("-"):
        raise Refused("a name holds no comma and starts with no dash: the command line could not say it")
    return value


def _phase_name(value: str) -> str:
    if "/" in value:
        raise Refused("a phase's name holds no slash: `phase/test` names a test")
    if value == "all":
        raise Refused("`all` stands for every phase on the command line", hint="choose another name")
    return value


def _service_name(value: str) -> str:
    if "/" in value or not value.strip("."):
        raise Refused("a service's name holds no slash and is not only dots: its log is named after it")
    return value


def _test_name(value: str) -> str:
    if any(part in ("", ".", "..") for part in value.split("/")):
        raise Refused("a test's name is no path with empty parts, `.` or `..`")
    return value


def _variable_name(value: str) -> str:
    if not value or "=" in value:
        raise Refused("cannot be the name of a variable", hint="write NAME: value")
    return value


def _shell_variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise Refused("must be the name of a variable, of letters, digits and underscores")
    return value


def _ports(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    number = _count(value)
    if number > _MOST_PORTS:
        raise Refused(f"must be at most {_MOST_PORTS}, not {{found}}")
    return tuple(f"E2E_PORT_{at}" for at in range(1, number + 1))


def _is_address(value: str, *schemes: str) -> bool:
    """With a host, and a port that is one; a port that a service will get may be anything."""
    parts = urlsplit(re.sub(_PORT, "1", value))
    try:
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _http_address(value: str) -> str:
    if not _is_address(value, "http", "https"):
        raise Refused("must be an address such as http://localhost:8000/health")
    return value


def _tcp_address(value: str) -> str:
    shape = rf"(\[[0-9A-Fa-f:.%]+\]|[^\s:/]+):([0-9]{{1,5}}|{_PORT})"
    if not re.fullmatch(shape, value) or not _is_address(f"tcp://{value}", "tcp"):
        raise Refused("must be host:port, such as localhost:5432")
    return value


def _redis_address(value: str) -> str:
    if not _is_address(value, "redis", "rediss"):
        raise Refused("must be an address such as redis://localhost:6379/0")
    return value


def _sql_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme.partition("+")[0] not in ("postgresql", "postgres", "mysql", "mariadb", "sqlite"):
        raise Refused("must be an address such as postgresql://user@localhost:5432/shop_test")
    if parts.scheme == "sqlite" and not parts.path.strip("/"):
        raise Refused(
            "names no file", hint="write sqlite:///folder/file.sqlite3, or sqlite:////absolute/path"
        )
    return value


def _status(value: object) -> int:
    status = _count(value)
    if not 100 <= status <= 599:  # noqa: PLR2004 - RFC 9110, section 15.
        raise Refused("must be a status of HTTP, from 100 to 599, not {found}")
    return status


def _rule(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise Refused(f"is no regular expression: {error}") from None
    return value


def _glob(value: str) -> str:
    if value.startswith("s3://"):
        raise Refused("is no file of the test's", hint="name a bucket at the top: artifacts: {store: s3://…}")
    if value.startswith(("/", "~")) or ".." in value.split("/"):
        raise Refused("must stay below the folder of the test", hint="write a path such as screenshots/*.png")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def choice(kind: type[StrEnum]) -> BeforeValidator:
    """One word of an enumeration; a wrong one is answered with all of them."""
    words = [str(member) for member in kind]

    def chosen(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            hint = suggestion(str(value), words, otherwise="possible") if isinstance(value, str) else None
            raise Refused(f"must be {', '.join(words[:-1])} or {words[-1]}, not {{found}}", hint=hint)
        return value

    return BeforeValidator(chosen)


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, _VARIABLE]}


_TEXT = Reads(_text, schema={"type": ["string", "number"]})
_LINE = _TEXT.then(_line)
_NAME = _LINE.then(_name)
_DURATION_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}, _VARIABLE]
}
_WORKERS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": "^(auto|[0-9]+)$"},
        _VARIABLE,
    ]
}
_KEPT_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "integer", "minimum": 1}, {"const": UNLIMITED}, _VARIABLE]}
_SIZE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": SIZE_PATTERN},
        {"const": UNLIMITED},
        _VARIABLE,
    ]
}

Text = Annotated[str, _TEXT]
Line = Annotated[str, _LINE]
Name = Annotated[str, _NAME]
PhaseName = Annotated[str, _NAME.then(_phase_name)]
ServiceName = Annotated[str, _NAME.then(_service_name)]
TestName = Annotated[str, _NAME.then(_test_name)]
Condition = Annotated[str, Reads(_condition, schema={"type": ["string", "number", "boolean"]})]
Switch = Annotated[bool, Reads(_switch, schema=_or_variable({"type": "boolean"}))]
Count = Annotated[int, Reads(_count, schema=_or_variable({"type": "integer", "minimum": 0}))]
WholeNumber = Annotated[int, Reads(_whole_number, schema=_or_variable({"type": "integer", "minimum": 0}))]
Factor = Annotated[float, Reads(_number, _factor, schema=_or_variable({"type": "number", "minimum": 1}))]
Share = Annotated[
    float, Reads(_number, _share, schema=_or_variable({"type": "number", "minimum": 0, "maximum": 1}))
]
Duration = Annotated[float, Reads(_duration, schema=_DURATION_SCHEMA)]
Limit = Annotated[float, Reads(_limit, schema=_DURATION_SCHEMA)]
Workers = Annotated[int | None, Reads(_workers, schema=_WORKERS_SCHEMA)]
Kept = Annotated[int | None, Reads(_kept, schema=_KEPT_SCHEMA)]
Size = Annotated[int | None, Reads(_size, schema=_SIZE_SCHEMA)]
Env = dict[Annotated[str, _TEXT.then(_variable_name)], Text]
VariableName = Annotated[str, _LINE.then(_shell_variable)]
Ports = Annotated[
    tuple[VariableName, ...],
    BeforeValidator(_ports),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": _MOST_PORTS},
                {"type": "array", "items": {"type": "string"}},
                _VARIABLE,
            ]
        }
    ),
]
HttpAddress = Annotated[str, _LINE.then(_http_address)]
TcpAddress = Annotated[str, _LINE.then(_tcp_address)]
RedisAddress = Annotated[str, _LINE.then(_redis_address)]
SqlAddress = Annotated[str, _LINE.then(_sql_address)]
Rule = Annotated[str, _LINE.then(_rule)]
Status = Annotated[int, Reads(_status, schema=_or_variable({"type": "integer", "minimum": 100}))]
Statuses = Annotated[
    tuple[Status, ...],
    BeforeValidator(
        lambda value: value if isinstance(value, list) else [value],
        json_schema_input_type=Status | tuple[Status, ...],
    ),
]
Rules = Annotated[
    tuple[Rule, ...],
    BeforeValidator(_listed, json_schema_input_type=Line | tuple[Line, ...]),
]
Listed = Annotated[tuple[Line, ...], BeforeValidator(_listed, json_schema_input_type=Line | tuple[Line, ...])]
Globs = Annotated[
    tuple[Annotated[str, _LINE.then(_glob)], ...],
    BeforeValidator(_listed, json_schema_input_type=Line | tuple[Line, ...]),
]
Failures = Annotated[
    MaxFailures,
    BeforeValidator(_max_failures),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": "^[0-9]+(:wait|:immediate)?$"},
                _VARIABLE,
            ]
        }
    ),
]
