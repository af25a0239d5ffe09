"""A test runner for Django that gives each test module to a worker, each with databases of its own."""

import os
import sys
import time
import unittest
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections
from django.test.runner import DiscoverRunner

from e2e_orchestrator.contrib.packing import Part, packed
from e2e_orchestrator.contrib.workers import asked_workers, inside_a_run, opted_out
from e2e_orchestrator.model.safeguards import WORDS
from e2e_orchestrator.safety import words
from e2e_orchestrator.safety.django_settings import Guard

if TYPE_CHECKING:
    from e2e_orchestrator.contrib.running import Suite

_VENDORS = frozenset({"postgresql", "mysql", "sqlite"})
_LOADING = "unittest.loader._FailedTest."
_TIMEOUT = 300.0
_PACKS_OF_A_WORKER = 2  # One would be the cheapest, and as slow as the slowest of them.


class ConcurrentTestRunner(DiscoverRunner):
    """``TEST_RUNNER = "e2e_orchestrator.contrib.django.ConcurrentTestRunner"``.

    ``CONCURRENT_TEST_CONFIG`` in the settings may hold ``workers``, ``timeout`` (seconds, of a worker with
    its modules), ``benchmark``, ``junit_xml``, and ``allow``: names of databases that look like production
    and are none, or such parts of targets as the file of a run has them. Options win over the environment, and that over the settings.
    """

    def __init__(
        self,
        *,
        benchmark: bool = False,
        junitxml: str | None = None,
        workers: int | None = None,
        worker_timeout: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        configured: Mapping[str, Any] = getattr(settings, "CONCURRENT_TEST_CONFIG", {})
        self.benchmark = benchmark or bool(configured.get("benchmark"))
        self.junitxml = junitxml or configured.get("junit_xml")
        self.worker_timeout = worker_timeout or configured.get("timeout") or _TIMEOUT
        self._asked = workers or (self.parallel if self.parallel > 1 else None)
        self._configured = configured.get("workers")

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--benchmark", action="store_true", help="Says what running side by side brought."
        )
        parser.add_argument("--junitxml", metavar="PATH", help="Writes the results as JUnit XML.")
        parser.add_argument(
            "--workers", type=int, metavar="N", help="Modules at once; default: the processors."
        )
        parser.add_argument(
            "--worker-timeout", type=float, metavar="SECONDS", help="Limit of one worker's modules."
        )

    def run_tests(self, test_labels: Sequence[str], **options: Any) -> int:
        if inside_a_run(os.environ):
            return int(super().run_tests(test_labels, **options))
        self._refuse_production()
        why = self._reason_for_one_process()
        if why is None:
            suites = list(self._suites(test_labels))
            why = self._reason_of(suites)
        if why is not None:
            self.log(f"Running in this process, one test after the other: {why}.")
            return int(super().run_tests(test_labels, **options))
        return self._run_side_by_side(suites)

    def _refuse_production(self) -> None:
        guard = Guard(words, words=WORDS)
        guard.allow_what_settings_say(settings)
        found = list(guard.refusals(connections, environ=os.environ, debug=settings.DEBUG))
        if self._reason_for_one_process() is not None:  # Else each worker has names of its own.
            found += guard.refused_names(connections)
        if found:
            entries = ", ".join(dict.fromkeys(str(target) for _, target in found))
            why = "; ".join(dict.fromkeys(why for why, _ in found))
            raise CommandError(
                f"{why}. Nothing was started. If it is meant, add {entries} to CONCURRENT_TEST_CONFIG['allow'] in "
                "the settings."
            )

    def _workers(self) -> int:
        # The engine and what it needs cost 270 ms: only the process that distributes pays.
        from e2e_orchestrator.contrib.running import processors  # noqa: PLC0415

        try:
            asked = asked_workers(os.environ)
        except ValueError as error:
            raise CommandError(str(error)) from None
        return int(self._asked or asked or self._configured or processors())

    def _reason_for_one_process(self) -> str | None:
        if opted_out(os.environ):
            return "DJANGO_ENABLE_CONCURRENT says no"
        if self.pdb:
            return "a debugger needs the terminal"
        if _project() is None:
            return "there is no manage.py beside the program or in this folder"
        if self._workers() == 1:
            return "there is one worker"
        used = [connections[alias] for alias in connections]
        vendors = {one.vendor for one in used if not one.settings_dict["ENGINE"].endswith(".dummy")}
        unknown = sorted(vendors - _VENDORS)
        return f"databases of {', '.join(unknown)} cannot be had more than once" if unknown else None

    def _reason_of(self, suites: "Sequence[Suite]") -> str | None:
        if len(suites) < 2:  # noqa: PLR2004 - nothing to put side by side.
            return "there is no more than one module of tests"
        return None

    def _suites(self, labels: Sequence[str]) -> "Iterator[Suite]":
        """The modules, narrowed to what the labels name, a few of them in each: every start has its price."""
        from e2e_orchestrator.contrib.running import Suite  # noqa: PLC0415 - see above.

        self.parallel = 0  # Ours are the workers.
        self.setup_test_environment()
        try:
            modules: dict[str, list[str]] = {}
            for test in _flatten(self.build_suite(labels)):
                modules.setdefault(_module_of(test), []).append(test.id())
        finally:
            self.teardown_test_environment()
        narrowed = [
            Part(
                name=module,
                labels=(module,) if not labels or any(_covers(one, module) for one in labels) else tuple(ids),
                size=len(ids),
            )
            for module, ids in modules.items()
        ]
        for pack in packed(narrowed, packs=self._workers() * _PACKS_OF_A_WORKER):
            more = f" and {len(pack) - 1} more" if len(pack) > 1 else ""
            labels_of_pack = (label for part in pack for label in part.labels)
            yield Suite(name=f"{pack[0].name}{more}", target=" ".join(labels_of_pack), args=self._arguments())

    def _arguments(self) -> tuple[str, ...]:
        """Those of our own that the workers need too."""
        own = f"{type(self).__module__}.{type(self).__qualname__}"
        words = [f"--testrunner={own}"]
        words += [f"--tag={one}" for one in sorted(self.tags)]
        words += [f"--exclude-tag={one}" for one in sorted(self.exclude_tags)]
        words += [f"-k{one}" for one in self.test_name_patterns or ()]
        switches = ("failfast", "reverse", "debug_mode", "debug_sql", "buffer")
        words += [f"--{one.replace('_', '-')}" for one in switches if getattr(self, one)]
        return tuple(words)

    def _run_side_by_side(self, suites: "Sequence[Suite]") -> int:
        # See _workers.
        from e2e_orchestrator.contrib.django.results import Results  # noqa: PLC0415
        from e2e_orchestrator.contrib.running import Wish, plan_of, run_suites  # noqa: PLC0415
        from e2e_orchestrator.errors import OrchestratorError  # noqa: PLC0415
        from e2e_orchestrator.model.plan import RunnerSpec  # noqa: PLC0415

        root = str(_project())
        workers = min(self._workers(), len(suites))
        runner = RunnerSpec(
            name="django", kind="django", root=root, cwd=root, python=sys.executable, keepdb=self.keepdb
        )
        wish = Wish(workers=workers, timeout=self.worker_timeout, stop_at_first=self.failfast)
        results = Results(workers=workers, verbosity=self.verbosity)
        self.log(f"Running {len(suites)} groups of modules with {workers} workers.")
        began = time.monotonic()
        try:
            finished = run_suites(plan_of(suites, runner=runner, wish=wish), heard=results.hear)
        except OrchestratorError as error:
            raise CommandError(str(error)) from error
        results.show(seconds=time.monotonic() - began, evidence=finished.evidence)
        if self.benchmark:
            results.show_benchmark(databases=finished.databases)
        if self.junitxml:
            results.write_junit(Path(self.junitxml))
        return results.failures or int(finished.result.exit_code != 0)


def _project() -> Path | None:
    """The folder of manage.py."""
    folders = (Path(sys.argv[0]).absolute().parent, Path.cwd())
    return next((folder for folder in folders if (folder / "manage.py").is_file()), None)


def _flatten(suite: Iterable[Any]) -> Iterator[unittest.TestCase]:
    for one in suite:
        if isinstance(one, unittest.TestCase):
            yield one
        else:
            yield from _flatten(one)


def _module_of(test: unittest.TestCase) -> str:
    """A module that could not be loaded is one as well: its worker tells why."""
    identity = test.id()
    return identity.removeprefix(_LOADING) if identity.startswith(_LOADING) else type(test).__module__


def _covers(label: str, module: str) -> bool:
    return Path(label).is_dir() or module == label or module.startswith(f"{label}.")
