"""What the safeguards go by, and what they found: frozen, so that the plan can carry both."""

from dataclasses import dataclass

# Parts of names that mean real users' data somewhere.
WORDS = ("prod", "production", "live", "staging")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """An exception for one target, written down with its reason.

    With both ``host`` and ``database`` it holds for that database on that host only.
    """

    why: str
    host: str | None = None
    database: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """The words that look like production, and the targets that are allowed nevertheless."""

    words: tuple[str, ...] = WORDS
    allow: tuple[Allowed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an address leads to; None for what it does not say. ``database`` is a name or a file's name."""

    host: str | None = None
    database: str | None = None
    user: str | None = None

    def __str__(self) -> str:
        return "/".join(part for part in (self.host, self.database) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One target that was looked at before anything started.

    ``what`` is the key or the variable that names it, ``where`` its ``phases.yaml:LINE:COLUMN`` or
    "the environment". ``allowed`` is the reason of the exception that holds for it; ``refused`` says why
    nothing may start.
    """

    what: str
    where: str
    target: Target
    allowed: str | None = None
    refused: str | None = None
