"""An executor that does as it is told, and a whole run on it: policy without processes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.virtual import run_virtually, virtual_clock

from e2e_orchestrator.engine.bus import EventBus
from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.engine.engine import Engine
from e2e_orchestrator.engine.phase_run import Place
from e2e_orchestrator.engine.surroundings import NoSurroundings
from e2e_orchestrator.engine.verdict import RunVerdict, judge_run
from e2e_orchestrator.model.command import AttemptSpec, Deadline
from e2e_orchestrator.model.events import CancelRequested, Envelope, RetryScheduled, RunFinished, RunStarted
from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus, Reason, Verdict, because, passed
from e2e_orchestrator.model.plan import Plan, Test
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import Cancellation, Emit, Surroundings


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one attempt comes to, after so many seconds."""

    verdict: Verdict = field(default_factory=passed)
    seconds: float = 1.0
    cases: tuple[Case, ...] = ()
    exit_status: int = 0


def fails(reason: Reason = Reason.TEST_FAILURES, *, seconds: float = 1.0, **cases: str) -> Step:
    """A failed attempt; keywords are its cases and their states."""
    made = tuple(
        Case(id=name, status=CaseStatus(word), message=f"{name} broke" if word == "failed" else None)
        for name, word in cases.items()
    )
    return Step(verdict=because(reason, None if made else "boom"), seconds=seconds, cases=made)


def passes(*, seconds: float = 1.0, **cases: str) -> Step:
    made = tuple(Case(id=name, status=CaseStatus(word)) for name, word in cases.items())
    return Step(seconds=seconds, cases=made)


@dataclass(kw_only=True)
class ScriptedExecutor:
    """Takes the next step of a test's script; a test without a script, or past its end, passes in a second.

    ``started`` lists (time, test id, slot) in order of start.
    """

    script: dict[str, Sequence[Step]] = field(default_factory=dict)
    started: list[tuple[float, str, int]] = field(default_factory=list)
    only: list[tuple[str, ...]] = field(default_factory=list)

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        loop = asyncio.get_running_loop()
        self.started.append((loop.time(), test.name, spec.slot))
        self.only.append(spec.only)
        steps = self.script.get(test.name, ())
        step = steps[spec.number - 1] if spec.number <= len(steps) else Step()
        began = loop.time()
        verdict = step.verdict
        cancelled = asyncio.ensure_future(cancellation.wait())
        work = asyncio.ensure_future(asyncio.sleep(step.seconds))
        await asyncio.wait(
            {cancelled, work}, timeout=deadline.at - loop.time(), return_when="FIRST_COMPLETED"
        )
        if not work.done():
            verdict = because(Reason.INTERRUPTED if cancelled.done() else Reason.TIMEOUT, str(deadline.limit))
        for future in (cancelled, work):
            future.cancel()
        return Attempt(
            number=spec.number,
            started_at="",
            duration=loop.time() - began,
            verdict=verdict,
            slot=spec.slot,
            exit_status=step.exit_status,
            cases=step.cases,
        )


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a scripted run came to."""

    state: RunState
    verdict: RunVerdict
    envelopes: list[Envelope]
    started: list[tuple[float, str, int]]
    only: list[tuple[str, ...]]

    @property
    def order(self) -> list[str]:
        return [name for _, name, _ in self.started]

    @property
    def ends(self) -> dict[str, str]:
        """Test name -> its end in one word: the reason, or the status."""
        return {
            state.test.name: str(state.verdict.reason or state.verdict.status) for state in self.state.tests
        }

    @property
    def pauses(self) -> list[float]:
        return [one.event.delay for one in self.envelopes if isinstance(one.event, RetryScheduled)]


def play(
    plan: Plan,
    *,
    script: dict[str, Sequence[Step]] | None = None,
    cancel_at: float | None = None,
    executor: ScriptedExecutor | None = None,
    surroundings: Surroundings | None = None,
) -> Story:
    """Runs a plan on a scripted executor in virtual time; optionally a SIGINT after some seconds."""
    executor = executor or ScriptedExecutor(script=script or {})
    return run_virtually(_play(plan, executor, cancel_at, surroundings or NoSurroundings()))


async def _play(
    plan: Plan, executor: ScriptedExecutor, cancel_at: float | None, surroundings: Surroundings
) -> Story:
    envelopes: list[Envelope] = []
    clock = virtual_clock()
    bus = EventBus(append=envelopes.append, redact=lambda event: event, clock=clock)
    token = CancelToken()
    place = Place(run_id="r", output=Path("/out"), folder=Path("/out/runs/r"))
    engine = Engine(
        executor=executor,
        publish=bus.publish,
        cancellation=token,
        place=place,
        clock=clock,
        uniform=_lowest,
        surroundings=surroundings,
    )
    await bus.publish(RunStarted(run_id="r", started_at="", version="0", plan=plan))
    interrupter = asyncio.create_task(_interrupt(cancel_at, token, bus)) if cancel_at is not None else None
    await engine.run(plan)
    verdict = judge_run(bus.state)
    if interrupter:
        interrupter.cancel()
    await bus.publish(RunFinished(exit_code=verdict.exit_code, success=verdict.success, duration=0.0, why=""))
    await bus.close(patience=1.0)
    return Story(
        state=bus.state, verdict=verdict, envelopes=envelopes, started=executor.started, only=executor.only
    )


async def _interrupt(after: float, token: CancelToken, bus: EventBus) -> None:
    await asyncio.sleep(after)
    token.request("SIGINT")
    await bus.publish(CancelRequested(why="SIGINT"))


_lowest: Callable[[float, float], float] = min
