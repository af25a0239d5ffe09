"""The models of ``services``: what is started, in which order, and when it counts as ready."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from e2e_orchestrator.config.command_lines import split_command_line
from e2e_orchestrator.config.fields import (
    Count,
    Duration,
    Env,
    HttpAddress,
    Limit,
    Line,
    Name,
    RedisAddress,
    Rule,
    SqlAddress,
    Statuses,
    Switch,
    TcpAddress,
    Text,
    choice,
)
from e2e_orchestrator.config.model import Model
from e2e_orchestrator.config.scalars import Kind, Plain
from e2e_orchestrator.config.values import Refused
from e2e_orchestrator.model.references import VARIABLE
from e2e_orchestrator.model.service import JsonValue, RestartPolicy, Scope, StopSignal

_SCALAR = {"type": ["string", "number", "boolean"]}
_RESTARTS = 3

# What each detail of a question belongs to.
_DETAILS = {
    "status": "http",
    "body": "http",
    "json": "http",
    "query": "sql",
    "text": "page",
    "selector": "page",
}
QUESTIONS = ("http", "tcp", "redis", "sql", "log", "command", "page")


def _command(value: Any) -> Any:
    if not isinstance(value, str) or isinstance(value, Plain):
        return value
    return split_command_line(value)


def _variable(value: str) -> str:
    if not VARIABLE.fullmatch(value) or value == "port":
        raise Refused("must be the name of a variable, such as API_PORT")
    return value


def _json_value(value: Any) -> Any:
    """What an unquoted scalar means in JSON; quoted ones are text."""
    if not isinstance(value, Plain):
        return value
    match value.kind:
        case Kind.NOTHING:
            raise Refused("must be text, a number, true or false, but nothing stands here")
        case Kind.SWITCH:
            return value.switch
        case Kind.INTEGER:
            return int(value)
        case Kind.FLOAT:
            return float(value)
        case Kind.TEXT:
            return str(value)


def _restart(value: Any) -> Any:
    return value if isinstance(value, dict | Restart) else {"policy": value}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


CommandLine = Annotated[
    tuple[Text, ...],
    Field(min_length=1),
    BeforeValidator(_command, json_schema_input_type=Line | tuple[Text, ...]),
]


class Ready(Model):
    """What to ask a service; with several questions, all of them have to be answered."""

    http: HttpAddress | None = Field(default=None, description="An address that answers without an error.")
    status: Statuses | None = Field(default=None, description="http: the status; default: any below 400.")
    body: Rule | None = Field(
        default=None, description="http: a regular expression that the answer's body has."
    )
    json_: dict[Line, Annotated[JsonValue, BeforeValidator(_json_value), WithJsonSchema(_SCALAR)]] | None = (
        Field(default=None, alias="json", description="http: values in the answer, by dotted paths.")
    )
    tcp: TcpAddress | None = Field(default=None, description="host:port that accepts a connection.")
    redis: RedisAddress | None = Field(default=None, description="redis://host:port that answers PING.")
    sql: SqlAddress | None = Field(
        default=None, description="A database that answers: postgresql://, mysql:// or sqlite:///."
    )
    query: Line | None = Field(default=None, description="sql: a query that gives a row; default select 1.")
    log: Rule | None = Field(default=None, description="A regular expression that its output has.")
    command: CommandLine | None = Field(default=None, description="A program that ends with 0.")
    page: HttpAddress | None = Field(
        default=None, description="A page that a browser loads without an error; needs Playwright for Python."
    )
    text: Line | None = Field(default=None, description="page: a text that it shows.")
    selector: Line | None = Field(default=None, description="page: a selector of something that it shows.")
    timeout: Limit = Field(default=60.0, description="How long to wait before giving up; default 60s.")
    interval: Limit | None = Field(default=None, description="Pause between two questions; default 100ms.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not any(getattr(self, name) for name in QUESTIONS):
            raise Refused(
                f"needs at least one of {', '.join(QUESTIONS)}",
                hint="write ready: {http: http://localhost:8000/}",
            )
        for detail, question in _DETAILS.items():
            given = self.json_ if detail == "json" else getattr(self, detail)
            if given is not None and not getattr(self, question):
                raise Refused(f"`{detail}` says more about `{question}`, which is not asked")
        return self


class Stop(Model):
    """How to end a service."""

    signal: Annotated[StopSignal, choice(StopSignal)] = Field(
        default=StopSignal.SIGINT, description="What asks it to end; default SIGINT."
    )
    grace: Duration = Field(default=3.0, description="Time to end by itself before SIGTERM; default 3s.")


class Restart(Model):
    """Whether a service that ended by itself is started again."""

    policy: Annotated[RestartPolicy, choice(RestartPolicy)] = Field(
        default=RestartPolicy.ON_FAILURE, description="never, or on-failure."
    )
    limit: Count = Field(default=_RESTARTS, description="How often in a run; default 3.")

    @property
    def times(self) -> int:
        return self.limit if self.policy is RestartPolicy.ON_FAILURE else 0


class Compose(Model):
    """Services of a compose file, driven by docker compose, podman compose or podman-compose."""

    file: Line = Field(description="The compose file, relative to this file's folder.")
    services: tuple[Name, ...] = Field(default=(), description="Which of its services; default all.")


class Service(Model):
    """Something that the tests need: started before them and ended after them, or only waited for."""

    command: CommandLine | None = Field(
        default=None, description="The program and its arguments; a text is split as a shell would."
    )
    compose: Compose | None = Field(default=None, description="Services of a compose file instead.")
    external: Switch = Field(
        default=False, description="true: it runs already, somebody else's; it is only waited for."
    )
    task: Switch = Field(
        default=False, description="true: it runs to its end, with exit status 0, before what needs it."
    )
    timeout: Limit | None = Field(default=None, description="task: how long it may take; default 5m.")
    cwd: Line = Field(default=".", description="Folder to start in, relative to this file's.")
    env: Env = Field(default={}, description="Added to the file's environment.")
    ports: tuple[Annotated[Line, AfterValidator(_variable)], ...] = Field(
        default=(), description="Variables that each get a free port, such as [API_PORT]."
    )
    needs: tuple[Name, ...] | None = Field(
        default=None,
        description="Services that have to be ready before; default: the one above. []: it starts at once.",
    )
    scope: Annotated[Scope, choice(Scope)] = Field(
        default=Scope.RUN, description="One for the run (default), for each phase, or for each slot."
    )
    phases: tuple[Name, ...] = Field(
        default=(),
        description="Of scope phase or slot: only the tests of these phases have it; default: all.",
    )
    ready: Annotated[
        tuple[Ready, ...], BeforeValidator(_listed, json_schema_input_type=Ready | tuple[Ready, ...])
    ] = Field(default=(), description="When it counts as ready; default: at once. A list: all of them.")
    restart: Annotated[Restart, BeforeValidator(_restart, json_schema_input_type=RestartPolicy | Restart)] = (
        Field(
            default=Restart(policy=RestartPolicy.NEVER),
            description="When it ends by itself: never (default) or on-failure, with a limit.",
        )
    )
    stop: Stop = Field(default_factory=Stop, description="How to end it.")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        ways = [name for name in ("command", "compose", "external") if getattr(self, name)]
        if len(ways) != 1:
            found = f"not {' and '.join(f'`{way}`' for way in ways)}" if ways else "and has none"
            raise Refused(f"needs exactly one of `command`, `compose` and `external: true`, {found}")
        if self.task and (not self.command or self.ready or self.restart.times):
            raise Refused(
                "a `task` has a `command` and no `ready` and no `restart`: it is done when it ended with 0"
            )
        if self.timeout and not self.task:
            raise Refused("`timeout` is a task's", hint="write ready: {…, timeout: …}")
        if self.phases and self.scope is Scope.RUN:
            raise Refused(
                "with `phases` it cannot live as long as the run", hint="write scope: phase, or slot"
            )
        if self.external and (not self.ready or self.ports or self.restart.times):
            raise Refused(
                "an `external` service needs `ready` and has no `ports` and no `restart`: it is only waited for"
            )
        return self
