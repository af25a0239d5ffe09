"""Several tests carried by one process: what is asked for, and what came of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e_orchestrator.model.command import EVENTS, OUTPUT, AttemptSpec, Judged
from e2e_orchestrator.model.outcomes import Attempt
from e2e_orchestrator.model.plan import Test


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Tests that may share one process, which takes ``width`` slots: so many of their cases run at once."""

    tests: tuple[Test, ...]
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSpec:
    """The first attempt of every test of a pack, and where their process may write.

    ``specs`` are by test id; ``folder`` is the pack's own directory (absolute, existing).
    """

    pack: Pack
    specs: Mapping[str, AttemptSpec]
    slots: tuple[int, ...]
    folder: Path

    @property
    def events(self) -> Path:
        return self.folder / EVENTS

    @property
    def output(self) -> Path:
        return self.folder / OUTPUT

    @property
    def first(self) -> AttemptSpec:
        return next(iter(self.specs.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """The pack says nothing sure about this test. ``suspect`` if it may be what went wrong with the pack."""

    why: str
    suspect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a pack came to, by test id: an attempt, or that the test must run again as the same attempt.

    ``warnings`` belong to no test; ``ended_for`` are those for whose sake the pack had to be ended.
    """

    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    undecided: Mapping[str, Undecided] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    ended_for: frozenset[str] = frozenset()

    @property
    def known_cause(self) -> bool:
        """Whether it is known, or suspected, which test kept the pack from deciding the others."""
        return bool(self.ended_for) or any(one.suspect for one in self.undecided.values())


PackJudged = Mapping[str, Judged | Undecided]
