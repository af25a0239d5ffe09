"""How long tests took, and what that says about the next time: the 80th percentile of the recent green runs."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from e2e_orchestrator.model.plan import Plan, Test

RECENT = 20
MOST_TESTS = 20_000
_PERCENT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Which test it was: by its name, and by what it ran, which survives a renamed phase."""

    id: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds of the recent green runs of each test, the newest last; tests seen last stand last."""

    samples: Mapping[Key, tuple[float, ...]] = field(default_factory=dict)

    def merged(self, newer: "Durations") -> "Durations":
        """Both, each test with its newest samples."""
        kept = {key: known for key, known in self.samples.items() if key not in newer.samples}
        for key, seconds in newer.samples.items():
            kept[key] = (*self.samples.get(key, ()), *seconds)
        return Durations(_bounded(kept))


def forecast(plan: Plan, known: Durations, *, mask: Callable[[str], str] = str) -> Plan:
    """The plan with an expected duration for every test that is known.

    By phase, name and target; a test that nobody has seen under this name by its target alone. ``mask``
    is what secrets went through before targets were written down.
    """
    if not known.samples:
        return plan
    by_target: dict[tuple[str, str], list[float]] = defaultdict(list)
    for key, seconds in known.samples.items():
        by_target[key.kind, key.target] += seconds

    def expected(test: Test) -> float | None:
        target = mask(test.target)
        own = known.samples.get(Key(id=test.id, kind=test.kind, target=target))
        return percentile(own or by_target.get((test.kind, target)) or (), _PERCENT)

    phases = (
        replace(phase, tests=tuple(replace(test, expected=expected(test)) for test in phase.tests))
        for phase in plan.phases
    )
    return replace(plan, phases=tuple(phases))


def percentile(values: Iterable[float], percent: int) -> float | None:
    """The smallest value that is not below so many percent of them; None of nothing."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None


def _bounded(samples: Mapping[Key, tuple[float, ...]]) -> dict[Key, tuple[float, ...]]:
    newest = list(samples.items())[-MOST_TESTS:]
    return {key: seconds[-RECENT:] for key, seconds in newest}
