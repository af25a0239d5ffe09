"""Ports of services that a run does not start: whoever started them says where they listen."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from e2e_orchestrator.config.load import LoadedConfig
from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.plan import Plan, Test
from e2e_orchestrator.model.references import fill, fill_environment, references


def with_ports_of_others(plan: Plan, loaded: LoadedConfig, environ: Mapping[str, str]) -> Plan:
    """The plan with the ports of the file's services taken from the environment.

    Raises UsageError for one that a test refers to and that is not there.
    """
    owners = {port: name for name, one in loaded.model.services.items() for port in one.ports}
    wanted = {name for test in plan.tests for text in _texts(test) for name in references(text)}
    for name in sorted(wanted & owners.keys()):
        if not environ.get(name):
            raise UsageError(
                f"{name} is a port of service {owners[name]!r}, which --no-services does not start",
                hint=f"say where it listens: {name}=8000 e2e-orchestrate …",
            )
    known = {name: environ[name] for name in owners if environ.get(name)}
    phases = tuple(
        replace(phase, tests=tuple(with_values(test, known) for test in phase.tests)) for phase in plan.phases
    )
    return replace(plan, phases=phases)


def with_values(test: Test, values: Mapping[str, str]) -> Test:
    """The test with its references replaced, as far as they are known."""
    if not values:
        return test
    return replace(
        test,
        target=fill(test.target, values),
        args=tuple(fill(word, values) for word in test.args),
        env=fill_environment(test.env, values),
    )


def _texts(test: Test) -> Iterator[str]:
    yield test.target
    yield from test.args
    yield from test.env.values()
