"""What no single service can know: whom it needs, who has its ports, and who lives long enough.

Reads the plain data, valid or not, as the other checks between the parts of the file do.
"""

import graphlib
from collections.abc import Iterator, Mapping, Sequence

from e2e_orchestrator.config.checks import Finding
from e2e_orchestrator.config.construct import Data
from e2e_orchestrator.config.mistakes import suggestion
from e2e_orchestrator.model.references import references
from e2e_orchestrator.model.service import Scope

_WIDTH = {str(Scope.RUN): 0, str(Scope.PHASE): 1, str(Scope.SLOT): 1}
Services = Mapping[str, dict[str, Data]]


def service_findings(data: dict[str, Data]) -> Iterator[Finding]:
    """Everything that is wrong between the services of the file."""
    given = data.get("services")
    if not isinstance(given, dict):
        return
    services = {name: one for name, one in given.items() if isinstance(one, dict)}
    yield from _unknown_phases(services, data.get("phases"))
    yield from _ports_taken(services)
    for name, service in services.items():
        yield from _unknown_needs(name, service, services)
        yield from _ports_out_of_reach(name, service, services)
    yield from _cycle(services)


def default_need(
    name: str, scopes: Mapping[str, str], *, phases: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Without ``needs`` a service starts after the one above it of the same scope that is in all of its phases."""
    above = list(scopes)[: list(scopes).index(name)]
    own = phases[name]
    there = [one for one in above if not phases[one] or (own and set(own) <= set(phases[one]))]
    return tuple([one for one in there if scopes[one] == scopes[name]][-1:])


def _needs(name: str, services: Services) -> tuple[str, ...]:
    needs = services[name].get("needs")
    if isinstance(needs, list):
        return tuple(one for one in needs if isinstance(one, str) and one in services)
    phases = {one: _listed(service.get("phases")) for one, service in services.items()}
    return default_need(name, {one: _scope(service) for one, service in services.items()}, phases=phases)


def _scope(service: dict[str, Data]) -> str:
    scope = service.get("scope")
    return scope if isinstance(scope, str) and scope in _WIDTH else str(Scope.RUN)


def _reachable(service: dict[str, Data], other: dict[str, Data]) -> bool:
    """Whether the other one is there while this one starts: of the same scope and in all its phases, or of the run."""
    if _scope(other) == str(Scope.RUN):
        return True
    theirs, own = _listed(other.get("phases")), _listed(service.get("phases"))
    return _scope(other) == _scope(service) and (not theirs or (bool(own) and set(own) <= set(theirs)))


def _unknown_phases(services: Services, phases: object) -> Iterator[Finding]:
    written = phases if isinstance(phases, list) else []
    known = [name for one in written if isinstance(one, dict) and isinstance(name := one.get("name"), str)]
    for name, service in services.items():
        for at, phase in enumerate(_listed(service.get("phases"))):
            if phase not in known:
                hint = suggestion(phase, known, otherwise="defined under `phases`")
                keys = ("services", name, "phases", at)
                yield Finding(keys=keys, says=f"there is no phase `{phase}`", hint=hint)


def _unknown_needs(name: str, service: dict[str, Data], services: Services) -> Iterator[Finding]:
    needs = service.get("needs")
    for at, need in enumerate(needs if isinstance(needs, list) else []):
        if not isinstance(need, str):
            continue
        keys = ("services", name, "needs", at)
        if need not in services:
            hint = suggestion(need, services, otherwise="defined under `services`")
            yield Finding(keys=keys, says=f"there is no service `{need}`", hint=hint)
        elif not _reachable(service, services[need]):
            yield _out_of_reach(keys, f"`{need}`", service, services[need])


def _out_of_reach(
    keys: tuple[str | int, ...], what: str, service: dict[str, Data], other: dict[str, Data]
) -> Finding:
    return Finding(
        keys=keys,
        says=f"{what} is not there yet: its scope is {_life(other)}, this one's is {_life(service)}",
        hint="a service needs services of its own scope, or of the run",
    )


def _life(service: dict[str, Data]) -> str:
    phases = _listed(service.get("phases"))
    return f"{_scope(service)} in {' and '.join(phases)}" if phases else _scope(service)


def _ports_taken(services: Services) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for name, service in services.items():
        for at, port in enumerate(_listed(service.get("ports"))):
            if owners.setdefault(port, name) != name:
                yield Finding(
                    keys=("services", name, "ports", at),
                    says=f"`{port}` is a port of `{owners[port]}` already",
                    hint="every port has a name of its own",
                )


def _ports_out_of_reach(name: str, service: dict[str, Data], services: Services) -> Iterator[Finding]:
    owners = {port: other for other, one in services.items() for port in _listed(one.get("ports"))}
    for key, value in service.items():
        wanted = {one for text in _texts(value) for one in references(text)}
        for port in sorted(wanted & owners.keys()):
            if not _reachable(service, services[owners[port]]):
                yield _out_of_reach(
                    ("services", name, key),
                    f"the port `{port}` of `{owners[port]}`",
                    service,
                    services[owners[port]],
                )


def _listed(value: Data | None) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _texts(value: Data) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)


def _cycle(services: Services) -> Iterator[Finding]:
    graph = {name: _needs(name, services) for name in services}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        names = list(reversed(error.args[1]))
        yield Finding(
            keys=("services", names[0], "needs"),
            says=f"services wait for each other: {' needs '.join(names)}",
            hint="say `needs: []` at the one that starts first",
        )
