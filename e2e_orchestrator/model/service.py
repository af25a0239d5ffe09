"""Services as the plan knows them: what is started, when, and how one sees that it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

# What a value at a path of a JSON answer may be.
JsonValue = str | int | float | bool


class Scope(StrEnum):
    """How long one instance lives, and who shares it: the whole run, one phase, or one slot."""

    RUN = "run"
    PHASE = "phase"
    SLOT = "slot"


class RestartPolicy(StrEnum):
    """Whether a service that ended by itself is started again."""

    NEVER = "never"
    ON_FAILURE = "on-failure"


class StopSignal(StrEnum):
    """What a service is asked with to end."""

    SIGINT = "SIGINT"
    SIGTERM = "SIGTERM"
    SIGQUIT = "SIGQUIT"
    SIGHUP = "SIGHUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds: ``timeout`` from the start of the service, ``interval`` between two questions."""

    timeout: float = 60.0
    interval: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe(Patience):
    """Ready if the status is one of ``status`` (empty: below 400) and the body is as it should be.

    ``body`` is a regular expression that is searched; ``json`` has the values at dotted paths.
    """

    http: str
    status: tuple[int, ...] = ()
    body: str | None = None
    json: Mapping[str, JsonValue] = field(default_factory=dict)
    kind: Literal["http"] = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpProbe(Patience):
    tcp: str
    kind: Literal["tcp"] = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisProbe(Patience):
    redis: str
    kind: Literal["redis"] = "redis"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlProbe(Patience):
    """Ready if the query succeeds and, should it be one that gives rows, gives at least one."""

    sql: str
    query: str = "select 1"
    kind: Literal["sql"] = "sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProbe(Patience):
    """Ready if the regular expression is found in what the service has printed."""

    log: str
    kind: Literal["log"] = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe(Patience):
    """Ready if the program ends with 0; it runs where the service runs."""

    command: tuple[str, ...]
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageProbe(Patience):
    """Ready if a browser loads the page, shows ``text`` and ``selector``, and logs no error."""

    page: str
    text: str | None = None
    selector: str | None = None
    kind: Literal["page"] = "page"


Probe = HttpProbe | TcpProbe | RedisProbe | SqlProbe | LogProbe | CommandProbe | PageProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Compose:
    """Services of a compose file; ``file`` is absolute, empty ``services`` are all of them."""

    file: str
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """``signal`` first, SIGTERM after ``grace`` seconds, SIGKILL a second later."""

    signal: StopSignal = StopSignal.SIGINT
    grace: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedService:
    """Something that the tests need while they run; ``cwd`` is absolute.

    One with neither ``command`` nor ``compose`` is only waited for: it is ``external``. A task runs to
    its end before what needs it, in ``task`` seconds at most; None is no task. ``restarts`` is how often it is started again after it ended by itself.
    ``ports`` names the variables that get free ports; texts hold them as ``${NAME}``. ``phases`` are those whose
    tests have it around them; empty: all.
    """

    name: str
    command: tuple[str, ...] = ()
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    ready: tuple[Probe, ...] = ()
    stop: Stop = Stop()
    compose: Compose | None = None
    task: float | None = None
    needs: tuple[str, ...] = ()
    scope: Scope = Scope.RUN
    restarts: int = 0
    ports: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()

    def serves(self, phase: str) -> bool:
        return not self.phases or phase in self.phases

    @property
    def external(self) -> bool:
        return not self.command and self.compose is None
