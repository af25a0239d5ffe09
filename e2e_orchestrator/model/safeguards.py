"""What the safeguards go by, and what they found: frozen, so that the plan can carry both."""

from collections.abc import Iterable
from dataclasses import dataclass

from e2e_orchestrator.model.shortened import shortened

# Parts of names that mean real users' data somewhere.
WORDS = ("prod", "production", "live", "staging")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """An exception for one target, written down with its reason.

    With both ``host`` and ``database`` it holds for that database on that host only. It says nothing about the
    parts that it does not name.
    """

    why: str
    host: str | None = None
    database: str | None = None
    user: str | None = None
    service: str | None = None
    settings: str | None = None

    @property
    def parts(self) -> dict[str, str]:
        """What it names, by the names of the fields of a target."""
        return _parts(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """The words that look like production, and the targets that are allowed nevertheless."""

    words: tuple[str, ...] = WORDS
    allow: tuple[Allowed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an address leads to; None for what it does not say. ``database`` is a name or a file's name.

    ``service`` is a section of PostgreSQL's file of connections; ``settings`` are Django's: their module, or what
    a variable says about where they are for.
    """

    host: str | None = None
    database: str | None = None
    user: str | None = None
    service: str | None = None
    settings: str | None = None

    @property
    def parts(self) -> dict[str, str]:
        """What it says, by the names of the fields."""
        return _parts(self)

    def __str__(self) -> str:
        place = "/".join(part for part in (self.host, self.database) if part)
        named = {"service": self.service, "settings": self.settings, "user": self.user}
        return place or next((f"{kind} {name}" for kind, name in named.items() if name), "")


_PARTS = ("host", "database", "user", "service", "settings")


def _parts(named: Allowed | Target) -> dict[str, str]:
    return {part: name for part in _PARTS if (name := getattr(named, part))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One target that was looked at before anything started.

    ``what`` is the key or the variable that names it, ``where`` its ``phases.yaml:LINE:COLUMN``, "the
    environment", or the test that is the first to want a clone of it. ``allowed`` is the reason of the exception
    that holds for it; ``refused`` says why nothing may start. ``proof`` is what says that it may be cloned, reset
    or dropped; None if nobody is going to.
    """

    what: str
    where: str
    target: Target
    allowed: str | None = None
    refused: str | None = None
    proof: str | None = None

    @property
    def told(self) -> dict[str, str | None]:
        """As the plan and the results tell it to programs; every part of the target, so that a refusal shows why."""
        parts = {part: getattr(self.target, part) for part in _PARTS}
        ends = {"allowed": self.allowed, "refused": self.refused, "proof": self.proof}
        return {"what": self.what, "where": self.where, **parts, **ends}


_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A target, what is to be said about it, and all that leads to it, for people."""

    target: str
    says: str
    refused: bool
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.target}: {self.says} ({shortened(self.names, most=_NAMED)})"


def looked_at(checked: Iterable[Checked]) -> list[Looked]:
    """One for each target and what was found, in the order in which they were looked at."""
    names: dict[tuple[str, str, bool], dict[str, None]] = {}
    for one in checked:
        names.setdefault((str(one.target), _end(one), bool(one.refused)), {})[one.what] = None
    return [
        Looked(target=target, says=says, refused=refused, names=tuple(found))
        for (target, says, refused), found in names.items()
    ]


def _end(one: Checked) -> str:
    if one.refused:
        return f"REFUSED: {one.refused}"
    said = f"allowed: {one.allowed}" if one.allowed else "looks fine"
    return f"{said}; isolated: {one.proof}" if one.proof else said
