"""A planned service with the ports of its scope filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from e2e_orchestrator.model.references import fill, fill_environment
from e2e_orchestrator.model.service import PlannedService, Probe


def with_ports(
    service: PlannedService, ports: Mapping[str, str], *, unknown: Iterable[str] = ()
) -> PlannedService:
    """``unknown`` ports are of services that are not there yet: what refers to them is left out of ``env``."""
    return replace(
        service,
        command=tuple(fill(word, ports) for word in service.command),
        env={**ports, **fill_environment(service.env, ports, unknown=unknown)},
        ready=tuple(_probe(probe, ports) for probe in service.ready),
    )


def _probe(probe: Probe, ports: Mapping[str, str]) -> Probe:
    changes: dict[str, object] = {}
    for one in fields(probe):
        match getattr(probe, one.name):
            case str() as text:
                changes[one.name] = fill(text, ports)
            case tuple() as words:
                changes[one.name] = tuple(
                    fill(word, ports) if isinstance(word, str) else word for word in words
                )
    return replace(probe, **changes)  # type: ignore[arg-type]  # The fields' own values, with other texts.
