"""Suites of a program that runs us from inside, as a plan of one phase, and its results as they come."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.model.events import AttemptFinished, Envelope
from e2e_orchestrator.model.names import DATABASES
from e2e_orchestrator.model.outcomes import Attempt, CaseStatus, Reason
from e2e_orchestrator.model.plan import MaxFailures, Plan, PlannedPhase, RetryPolicy, RunnerSpec, Test
from e2e_orchestrator.planning.surroundings import Machine
from e2e_orchestrator.session import Options, Result, run

LONGEST_RUN = 86400.0
_PHASE = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What one process runs: ``name`` is unique, ``target`` and ``args`` are the runner's."""

    name: str
    target: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the suites are to be run; ``timeout`` is each suite's, in seconds, None for no limit."""

    workers: int
    timeout: float | None = None
    stop_at_first: bool = False


def processors() -> int:
    return Machine().processors()


def plan_of(suites: Sequence[Suite], *, runner: RunnerSpec, wish: Wish) -> Plan:
    """Each suite once, side by side, no second attempts: the caller's results are to be its own."""
    tests = tuple(
        Test(
            id=f"{_PHASE}/{suite.name}",
            name=suite.name,
            phase=_PHASE,
            runner=runner.name,
            kind=runner.kind,
            target=suite.target,
            cwd=runner.cwd or runner.root,
            args=suite.args,
            timeout=wish.timeout,
            retries=RetryPolicy(max=0),
        )
        for suite in suites
    )
    phase = PlannedPhase(
        name=_PHASE,
        runner=runner.name,
        parallel=True,
        required=True,
        timeout=LONGEST_RUN,
        tests=tests,
    )
    return Plan(
        project=Path(runner.root).name or "project",
        config="",
        root=runner.root,
        timeout=LONGEST_RUN,
        workers=wish.workers,
        phases=(phase,),
        runners=(runner,),
        max_failures=MaxFailures(count=1, immediate=True) if wish.stop_at_first else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A suite with its only attempt; ``slot`` is the worker that ran it."""

    suite: str
    attempt: Attempt

    @property
    def cut_short(self) -> bool:
        """It was ended because nobody wanted to know any more."""
        return self.attempt.verdict.reason is Reason.INTERRUPTED

    @property
    def unexplained(self) -> bool:
        """It failed, and none of its cases did: a crash, a limit, a module that cannot be loaded."""
        blamed = self.cut_short or any(case.bad for case in self.attempt.cases)
        return self.attempt.verdict.failed and not blamed

    @property
    def infrastructure(self) -> bool:
        return self.attempt.verdict.reason is Reason.INFRASTRUCTURE


class Listener:
    """A reporter that hands every suite on as soon as it has ended."""

    def __init__(self, heard: Callable[[Ended], None]) -> None:
        self._heard = heard

    async def handle(self, envelope: Envelope) -> None:
        if isinstance(envelope.event, AttemptFinished):
            suite = envelope.event.test.removeprefix(f"{_PHASE}/")
            self._heard(Ended(suite=suite, attempt=_as_far_as_it_came(envelope.event.attempt)))

    async def close(self) -> None:
        """Nothing is held back."""


def _as_far_as_it_came(attempt: Attempt) -> Attempt:
    """What was ended because another suite had failed has no failures of its own."""
    if attempt.verdict.reason is not Reason.INTERRUPTED:
        return attempt
    done = tuple(case for case in attempt.cases if not case.bad and case.status is not CaseStatus.NOT_RUN)
    return replace(attempt, cases=done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """``evidence`` is the folder with everything the workers printed, None if all was well and it is gone."""

    result: Result
    databases: int
    evidence: Path | None


def run_suites(plan: Plan, *, heard: Callable[[Ended], None], enough: CancelToken | None = None) -> Finished:
    """Runs the plan to its end, or until the caller has ``enough``. Raises KeyboardInterrupt if the user did not want it to go on.

    Raises UsageError and InfrastructureError before anything was started.
    """
    asked = os.environ.get("E2E_ORCHESTRATE_OUTPUT")
    output = Path(asked) if asked else Path(tempfile.mkdtemp(prefix="e2e-orchestrator-"))
    options = Options(
        output=output,
        reporters=(),
        environ=dict(os.environ),
        listeners={"caller": Listener(heard)},
        cancellation=enough or CancelToken(),
    )
    result = asyncio.run(run(plan, options))
    databases = _made(result.folder)
    done = not asked and result.exit_code == 0
    if done:
        shutil.rmtree(output, ignore_errors=True)
    if result.exit_code > 128:  # noqa: PLR2004 - how a shell tells of a signal.
        raise KeyboardInterrupt
    return Finished(result=result, databases=databases, evidence=None if done else output)


def _made(folder: Path) -> int:
    """How many databases the run made; those it could not drop are still in its ledger."""
    made: set[str] = set()
    ledger = folder / DATABASES
    for path in (ledger, ledger.with_name("dropped.jsonl")):
        with suppress(OSError):
            made.update(path.read_text(encoding="utf-8").splitlines())
    return len(made)


UNHAPPY = {
    CaseStatus.FAILED: "FAIL",
    CaseStatus.ERROR: "ERROR",
    CaseStatus.TIMEOUT: "TIMEOUT",
    CaseStatus.NOT_RUN: "NOT RUN",
}
