"""From the configuration to the plan: every default filled in, every path absolute, every test named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from e2e_orchestrator.config import schema, services
from e2e_orchestrator.config.gates import PhaseGates, RunGates
from e2e_orchestrator.config.isolation import Isolation as AskedIsolation
from e2e_orchestrator.config.load import LoadedConfig
from e2e_orchestrator.config.mistakes import Mistake, config_error
from e2e_orchestrator.config.service_checks import default_need
from e2e_orchestrator.model.gates import CoverageFloor, Gates
from e2e_orchestrator.model.isolation import Isolation, PlannedDatabase
from e2e_orchestrator.model.plan import (
    Artifacts,
    CoverageSpec,
    MaxFailures,
    Order,
    Packing,
    Plan,
    PlannedPhase,
    RetryLimits,
    RetryPolicy,
    RunnerSpec,
    Split,
    Test,
    Warm,
    Watch,
)
from e2e_orchestrator.model.service import Compose, PlannedService, Stop
from e2e_orchestrator.planning.absent_ports import absent_ports
from e2e_orchestrator.planning.conditions import what_fails
from e2e_orchestrator.planning.discovery import discovered
from e2e_orchestrator.planning.guarding import rules_of
from e2e_orchestrator.planning.listing import Entry, ListedFrom, expand
from e2e_orchestrator.planning.needs import settle_needs
from e2e_orchestrator.planning.probing import probes_of
from e2e_orchestrator.planning.surroundings import Machine, Surroundings, is_glob
from e2e_orchestrator.planning.targets import missing_path, unusable_command
from e2e_orchestrator.planning.unmet_gates import unmet_gates

_TASK_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line or the environment says instead of the file; None leaves the file's word.

    ``retries`` is the number of retries of every test, whatever its phase says; ``timeout`` is in
    seconds and the run's.
    """

    workers: int | Literal["auto"] | None = None
    retries: int | None = None
    timeout: float | None = None
    max_failures: MaxFailures | None = None
    order: Order | None = None
    pack: Packing | None = None
    warm: Warm | None = None
    services: bool = True


def build_plan(
    loaded: LoadedConfig,
    *,
    overrides: Overrides = Overrides(),
    surroundings: Surroundings | None = None,
    mistakes: Iterable[Mistake] = (),
) -> Plan:
    """Everything that would run, in the order of the file.

    Raises ConfigError with all targets and folders that do not exist, each with its place, together with
    the ``mistakes`` that were found elsewhere.
    """
    build = _Build(loaded, overrides=overrides, surroundings=surroundings or Machine())
    build.mistakes += mistakes
    return build.plan()


@dataclass(slots=True)
class _Build:
    loaded: LoadedConfig
    overrides: Overrides = field(kw_only=True)
    surroundings: Surroundings = field(kw_only=True)
    mistakes: list[Mistake] = field(default_factory=list, init=False)

    def plan(self) -> Plan:
        model = self.loaded.model
        asked = self.overrides.workers or model.workers
        workers = self.surroundings.processors() if asked in (None, "auto") else int(asked)
        phases = tuple(self._phase(phase, at) for at, phase in enumerate(model.phases))
        runners = tuple(self._runner(name, runner) for name, runner in model.runners.items())
        planned = tuple(self._service(name, service) for name, service in model.services.items())
        databases = tuple(self._database(name, one) for name, one in model.databases.items())
        for absent in absent_ports(phases, planned) if self.overrides.services else ():
            self._note(
                "phases",
                absent.at,
                says=f"{absent.what} refers to `{absent.port}`, "
                f"a port of service `{absent.service}`, which this phase does not have",
                hint="write it under the `env` of the phases that the service names, or name this phase there too",
            )
        for unmet in unmet_gates(model, phases):
            self._note(*unmet.keys, says=unmet.says, hint=unmet.hint)
        if self.mistakes:
            raise config_error(self.mistakes, file=str(self.loaded.path))
        return Plan(
            project=model.project or self.loaded.root.name or "project",
            config=str(self.loaded.path),
            root=str(self.loaded.root),
            digest=self.loaded.digest,
            timeout=self.overrides.timeout or model.timeout,
            workers=workers,
            phases=settle_needs(phases),
            runners=runners,
            services=planned if self.overrides.services else (),
            databases=databases,
            retry_limits=RetryLimits(budget=model.retries.budget, breaker=model.retries.breaker),
            max_failures=self.overrides.max_failures or model.max_failures,
            secrets=model.secrets,
            order=self.overrides.order or model.order,
            gates=_gates(model.gates),
            safeguards=rules_of(model.safeguards),
            artifacts=Artifacts(screenshots=model.artifacts.screenshots, store=model.artifacts.store or None),
        )

    def _runner(self, name: str, runner: schema.Runner) -> RunnerSpec:
        cwd = self._folder(runner.cwd, "runners", name, "cwd")
        return RunnerSpec(
            name=name,
            kind=runner.kind,
            root=str(self.loaded.root),
            cwd=str(cwd),
            python=self._python(runner.python),
            json_report=runner.json_report,
            pack=self.overrides.pack or runner.pack,
            warm=self.overrides.warm or runner.warm,
            slot_databases=runner.slot_databases,
            keepdb=runner.keepdb,
            slot_caches=runner.slot_caches,
            args=runner.args,
            env=runner.env,
            coverage=CoverageSpec(**runner.coverage.model_dump()) if runner.coverage else None,
            safeguards=rules_of(self.loaded.model.safeguards),
        )

    def _python(self, python: str | None) -> str | None:
        # Joined, never resolved: the interpreter of a virtual environment is a link, and finds its
        # packages by the name it is called with.
        return str(self.loaded.root / python) if python is not None and "/" in python else python

    def _service(self, name: str, service: services.Service) -> PlannedService:
        scopes = {other: str(one.scope) for other, one in self.loaded.model.services.items()}
        phases = {other: one.phases for other, one in self.loaded.model.services.items()}
        keys = ("services", name)
        return PlannedService(
            name=name,
            command=service.command or (),
            cwd=str(self._folder(service.cwd, *keys, "cwd")),
            env={**self.loaded.model.env, **service.env},
            ready=tuple(
                probe for ready in service.ready for probe in probes_of(ready, root=self.loaded.root)
            ),
            stop=Stop(signal=service.stop.signal, grace=service.stop.grace),
            compose=self._compose(service.compose, *keys, "compose", "file"),
            task=(service.timeout or _TASK_SECONDS) if service.task else None,
            needs=service.needs if service.needs is not None else default_need(name, scopes, phases=phases),
            scope=service.scope,
            restarts=service.restart.times,
            ports=service.ports,
            phases=service.phases,
        )

    def _database(self, variable: str, database: schema.Database) -> PlannedDatabase:
        root, keys = self.loaded.root, ("databases", variable)
        if database.sql and not self.surroundings.exists(root / database.sql):
            self._note(*keys, "sql", says=f"there is no `{database.sql}`", hint=f"looked for in {root}")
        return PlannedDatabase(
            variable=variable,
            url=database.url,
            sql=str(root / database.sql) if database.sql else None,
            migrate=database.migrate,
            cwd=str(root),
            env=self.loaded.model.env,
            schema_files=tuple(
                str(root / path) for pattern in database.schema_files for path in self._files(pattern, *keys)
            ),
        )

    def _files(self, pattern: str, *keys: str | int) -> list[str]:
        root = self.loaded.root
        found = (
            self.surroundings.glob(root, pattern)
            if is_glob(pattern)
            else [pattern] * self.surroundings.exists(root / pattern)
        )
        if not found:
            self._note(
                *keys, "schema_files", says=f"nothing matches `{pattern}`", hint=f"looked for in {root}"
            )
        return found

    def _compose(self, compose: services.Compose | None, *keys: str | int) -> Compose | None:
        if compose is None:
            return None
        file = self.loaded.root / compose.file
        if not self.surroundings.exists(file):
            self._note(*keys, says=f"there is no `{compose.file}`", hint=f"looked for in {self.loaded.root}")
        return Compose(file=str(file), services=compose.services)

    def _phase(self, phase: schema.Phase, at: int) -> PlannedPhase:
        runner = self.loaded.model.runners[phase.runner]
        entries = expand(
            self._listed(phase, at, runner=runner),
            keys=("phases", at, "tests"),
            runner=ListedFrom(name=phase.runner, spec=runner, folder=self.loaded.root / runner.cwd),
            surroundings=self.surroundings,
            note=self._note,
        )
        return PlannedPhase(
            name=phase.name,
            runner=phase.runner,
            parallel=phase.parallel,
            required=phase.required,
            timeout=phase.timeout,
            tests=tuple(self._test(entry, phase=phase, runner=runner) for entry in entries),
            description=phase.description,
            needs=phase.needs,
            gates=_gates(phase.gates),
        )

    def _listed(
        self, phase: schema.Phase, at: int, *, runner: schema.Runner
    ) -> dict[str, schema.TestDetails] | tuple[str, ...]:
        """The tests as they are written, or those that the project has."""
        automatic = phase.tests == schema.AUTO
        if phase.split and not automatic:
            self._note("phases", at, "split", says="means nothing without `tests: auto`")
        if isinstance(phase.tests, dict | tuple):
            return phase.tests
        if runner.kind != "django":
            says, hint = (
                "`auto` finds only the tests of a Django project",
                "write a list, or a glob such as [tests/*.py]",
            )
            self._note("phases", at, "tests", says=says, hint=hint)
            return {}
        folder = self.loaded.root / runner.cwd
        found = discovered(folder, split=phase.split or Split.APP, surroundings=self.surroundings)
        if not found and self.surroundings.is_folder(folder):
            hint = f"looked for packages with tests.py or test_*.py below {folder}"
            self._note("phases", at, "tests", says="`auto` found no test", hint=hint)
        return {label: schema.TestDetails(target=label) for label in found}

    def _test(self, entry: Entry, *, phase: schema.Phase, runner: schema.Runner) -> Test:
        details, model = entry.details, self.loaded.model
        levels = (model, phase, details)
        args = (*runner.args, *details.args)
        cwd = self.loaded.root / runner.cwd
        if details.cwd is not None:
            cwd = self._folder(details.cwd, *entry.keys, "cwd")
        self._check_target(entry, kind=runner.kind, args=args, cwd=cwd)
        return Test(
            id=f"{phase.name}/{entry.name}",
            name=entry.name,
            phase=phase.name,
            runner=phase.runner,
            kind=runner.kind,
            target=details.target,
            cwd=str(cwd),
            args=args,
            env=_merged(model.env, runner.env, phase.env, details.env),
            timeout=details.timeout,
            retries=self._retries(model.retries, phase.retries, details.retries),
            tags=tuple(dict.fromkeys((*phase.tags, *details.tags))),
            artifacts=tuple(
                dict.fromkeys(
                    (
                        *model.artifacts.collect,
                        *(runner.coverage.files if runner.coverage else ()),
                        *phase.artifacts,
                        *details.artifacts,
                    )
                )
            ),
            watch=self._watch(*levels),
            isolation=_isolation(runner.isolation, phase.isolation, details.isolation),
            condition=what_fails(phase.when, details.when),
            **_innermost(levels, "flaky", "leaks"),
        )

    def _check_target(self, entry: Entry, *, kind: str, args: tuple[str, ...], cwd: Path) -> None:
        keys = (*entry.keys, "target")
        if unusable := unusable_command(entry.details.target, kind=kind):
            self._note(*keys, says=unusable[0], hint=unusable[1])
        if not self.surroundings.is_folder(cwd):
            return
        path = missing_path(
            entry.details.target, kind=kind, args=args, cwd=cwd, surroundings=self.surroundings
        )
        if path is not None:
            self._note(*keys, says=f"there is no `{path}`", hint=f"looked for in {cwd}")

    def _retries(self, *levels: schema.Retries | None) -> RetryPolicy:
        given: dict[str, Any] = {}
        for level in levels:
            if level is not None:
                given.update(level.model_dump(exclude_none=True, exclude={"budget", "breaker"}))
        if self.overrides.retries is not None:
            given["max"] = self.overrides.retries
        return replace(RetryPolicy(), **given)

    def _watch(self, *levels: schema.Policies) -> Watch:
        given = _innermost(levels, "slow_after", "stall_after", "exit_after")
        return replace(Watch(), **{name: seconds or None for name, seconds in given.items()})

    def _folder(self, cwd: str, *keys: str | int) -> Path:
        folder = self.loaded.root / cwd
        if not self.surroundings.is_folder(folder):
            self._note(*keys, says=f"there is no folder `{cwd}`", hint=f"looked for in {self.loaded.root}")
        return folder

    def _note(self, *keys: str | int, says: str, hint: str | None = None) -> None:
        self.mistakes.append(self.loaded.mistake(*keys, says=says, hint=hint))


def _isolation(*levels: AskedIsolation | None) -> Isolation | None:
    """What each level says, the innermost last; None if nothing is to be owned alone."""
    given: dict[str, Any] = {}
    for level in levels:
        if level is not None:
            given.update(level.model_dump(exclude_none=True))
    made = replace(Isolation(), **given)
    return made if made.wants_anything else None


def _gates(asked: PhaseGates | None) -> Gates | None:
    if asked is None:
        return None
    cases, coverage = asked.min_cases, asked.coverage if isinstance(asked, RunGates) else None
    return Gates(
        flaky=asked.flaky,
        min_tests=asked.min_tests,
        min_cases=cases.count if cases else None,
        fewer_cases=cases.below_last_green if cases else None,
        max_skipped=asked.max_skipped,
        max_duration=asked.max_duration,
        no_leaks=asked.no_leaks,
        required_tags=asked.required_tags,
        coverage=CoverageFloor(lines=coverage.lines, branches=coverage.branches) if coverage else None,
    )


def _innermost(levels: Iterable[schema.Policies], *names: str) -> dict[str, Any]:
    """What the innermost level that says something says; nothing for a name that none mentions."""
    said = ((name, getattr(level, name)) for level in levels for name in names)
    return {name: value for name, value in said if value is not None}


def _merged(*environments: Mapping[str, str]) -> Mapping[str, str]:
    """Later ones win."""
    return {name: value for environment in environments for name, value in environment.items()}
