"""What a run has to come up to beside passing, as phases.yaml asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """A number of things, or a share (0..1) of all of them: exactly one of the two."""

    count: int | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFloor:
    """In percent, 0..100; None is not asked for."""

    lines: float | None = None
    branches: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """None, False and empty are not asked for.

    ``fewer_cases`` is by how many cases a run may fall below the last green one; ``max_duration`` is in
    seconds; each of ``required_tags`` needs a test that ran.
    """

    flaky: AtMost | None = None
    min_tests: int | None = None
    min_cases: int | None = None
    fewer_cases: int | None = None
    max_skipped: AtMost | None = None
    max_duration: float | None = None
    no_leaks: bool = False
    required_tags: tuple[str, ...] = ()
    coverage: CoverageFloor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGreen:
    """The newest run before this one that ended with exit code 0: its cases by phase."""

    run_id: str
    cases: Mapping[str, int] = field(default_factory=dict)
