"""Looks at every address that the configuration and the caller's environment give to services and tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from e2e_orchestrator.config.construct import Key
from e2e_orchestrator.config.load import LoadedConfig
from e2e_orchestrator.config.safeguards import SafeguardRules
from e2e_orchestrator.config.schema import TestDetails
from e2e_orchestrator.config.services import Ready, Service
from e2e_orchestrator.errors import SafeguardRefused
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.safeguards import Allowed, Checked, Safeguards, Target
from e2e_orchestrator.safety.addresses import inherited, targets_of
from e2e_orchestrator.safety.clients import named
from e2e_orchestrator.safety.guards import allowed, exception_to_write, objection

_ENVIRONMENT = "the environment"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A value of the file: where it stands, and the name that may say what it is."""

    keys: tuple[Key, ...]
    name: str
    value: str


def rules_of(model: SafeguardRules) -> Safeguards:
    allow = tuple(Allowed(host=one.host, database=one.database, why=one.why) for one in model.allow)
    return Safeguards(words=model.words, allow=allow)


def check_targets(
    loaded: LoadedConfig, environ: Mapping[str, str], *, services: bool = True
) -> tuple[Checked, ...]:
    """Every target that a child of the run would be led to, with what is to be said about it.

    Selected or not: a phase that was left out today runs tomorrow. Of the caller's environment only what
    leads to data counts, and nothing that the file sets anew. Without ``services`` none of theirs counts.
    """
    rules = rules_of(loaded.model.safeguards)
    found = [
        _checked(
            target,
            what=loaded.mistake(*given.keys, says="").path,
            where=loaded.where(*given.keys),
            rules=rules,
        )
        for given in _given(loaded, services=services)
        for target in targets_of(given.name, given.value)
    ]
    ours = [(name, value) for name, value in inherited(environ) if name not in loaded.model.env]
    if loaded.model.artifacts.store:
        ours += [(name, environ[name]) for name in _ENDPOINTS if environ.get(name)]
    found += [
        _checked(target, what=name, where=_ENVIRONMENT, rules=rules)
        for name, value in ours
        for target in targets_of(name, value)
    ]
    return tuple(dict.fromkeys(found))


def refuse_production(plan: Plan) -> None:
    """Raises SafeguardRefused naming every target that looks like production."""
    refused = [one for one in plan.checked if one.refused]
    if refused:
        hints = dict.fromkeys(exception_to_write(one.target) for one in refused)
        raise SafeguardRefused(
            "\n".join(f"{one.where}: {one.what}: {one.refused}" for one in refused),
            hint=f"name a target for tests; {'; '.join(hints)}",
        )


def _checked(target: Target, *, what: str, where: str, rules: Safeguards) -> Checked:
    return Checked(
        what=what,
        where=where,
        target=target,
        allowed=allowed(target, rules),
        refused=objection(target, rules),
    )


def _given(loaded: LoadedConfig, *, services: bool) -> Iterator[_Given]:
    model = loaded.model
    yield from _of_env(model.env, "env")
    if place := model.artifacts.store:
        yield _Given(keys=("artifacts", "store"), name="store", value=place)
    for name, runner in model.runners.items():
        yield from _of_env(runner.env, "runners", name, "env")
        yield from _of_words(runner.args, "runners", name, "args")
        for test, details in runner.tests.items():
            yield from _of_test(details, "runners", name, "tests", test)
    for name, service in model.services.items() if services else ():
        yield from _of_service(service, "services", name)
    for variable, database in model.databases.items():
        if database.url:
            yield _Given(keys=("databases", variable, "url"), name=variable, value=database.url)
        yield from _of_words(database.migrate, "databases", variable, "migrate")
    for at, phase in enumerate(model.phases):
        yield from _of_env(phase.env, "phases", at, "env")
        for test, details in phase.tests.items() if isinstance(phase.tests, dict) else ():
            yield from _of_test(details, "phases", at, "tests", test)


def _of_test(details: TestDetails, *keys: Key) -> Iterator[_Given]:
    yield from _of_env(details.env, *keys, "env")
    yield from _of_words(details.args, *keys, "args")
    yield _Given(keys=(*keys, "target"), name="", value=details.target)


def _of_service(service: Service, *keys: Key) -> Iterator[_Given]:
    yield from _of_env(service.env, *keys, "env")
    yield from _of_words(service.command or (), *keys, "command")
    for at, ready in enumerate(service.ready):
        yield from _of_ready(ready, *keys, "ready", at)


def _of_ready(ready: Ready, *keys: Key) -> Iterator[_Given]:
    for name in ("http", "redis", "sql", "page"):
        if value := getattr(ready, name):
            yield _Given(keys=(*keys, name), name=name, value=value)
    if ready.tcp:
        yield _Given(keys=(*keys, "tcp"), name="tcp", value=f"tcp://{ready.tcp}")
    yield from _of_words(ready.command or (), *keys, "command")


def _of_env(env: Mapping[str, str], *keys: Key) -> Iterator[_Given]:
    return (_Given(keys=(*keys, name), name=name, value=value) for name, value in env.items())


def _of_words(words: Iterable[str], *keys: Key) -> Iterator[_Given]:
    """Of a command; an option of its own word says what the word after it is: ``--db-host``, ``--settings``."""
    for at, (name, word) in enumerate(named(words)):
        yield _Given(keys=(*keys, at), name=name, value=word)
