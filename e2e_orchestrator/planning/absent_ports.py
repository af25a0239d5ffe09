"""Ports that tests refer to and never get, since the service that has them serves other phases only. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from e2e_orchestrator.model.plan import PlannedPhase, Test
from e2e_orchestrator.model.references import references
from e2e_orchestrator.model.service import PlannedService


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """``what`` refers to the port, in words; ``at`` is the number of the phase."""

    at: int
    what: str
    port: str
    service: str


def absent_ports(phases: Sequence[PlannedPhase], services: Sequence[PlannedService]) -> Iterator[Absent]:
    """One for each phase and port: what is true of one of its tests is mostly true of all."""
    owners = {port: one for one in services for port in one.ports}
    for at, phase in enumerate(phases):
        found: dict[str, str] = {}
        for test in phase.tests:
            for port, what in _referring(test).items():
                if port in owners and not owners[port].serves(test.phase):
                    found.setdefault(port, what)
        for port, what in found.items():
            yield Absent(at=at, what=what, port=port, service=owners[port].name)


def _referring(test: Test) -> Mapping[str, str]:
    texts = [(f"the target of {test.name}", test.target)]
    texts += [(f"an argument of {test.name}", word) for word in test.args]
    texts += [(f"`{name}`", value) for name, value in test.env.items()]
    return {port: what for what, text in texts for port in references(text)}
