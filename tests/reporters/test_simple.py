"""The easy base class."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import stories

from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import Reason, Status
from e2e_orchestrator.model.plan import PlannedPhase
from e2e_orchestrator.protocols import Reporter, ReporterContext
from e2e_orchestrator.reporters.simple import PhaseResult, SimpleReporter

CONTEXT = ReporterContext(output=Path("out"), run_folder=Path("out/runs/r"))


class Diary(SimpleReporter):
    def __init__(self, context: ReporterContext) -> None:
        super().__init__(context)
        self.entries: list[str] = []
        self.results: tuple[PhaseResult, ...] = ()

    def on_start(self, phases: tuple[PlannedPhase, ...]) -> None:
        self.entries.append(f"start {len(phases)}")

    async def on_phase_complete(self, result: PhaseResult) -> None:
        self.entries.append(f"{result.name} {result.status}")

    def on_complete(self, results: tuple[PhaseResult, ...], total_duration: float) -> None:
        self.results = results
        self.entries.append(f"end {total_duration:.1f}")


def kept(envelopes: Sequence[Envelope]) -> Diary:
    diary = Diary(CONTEXT)
    tell(diary, envelopes)
    return diary


def tell(reporter: Reporter, envelopes: Sequence[Envelope]) -> None:
    async def run() -> None:
        for envelope in envelopes:
            await reporter.handle(envelope)
        await reporter.close()
        await reporter.close()

    asyncio.run(run())


def test_the_hooks_are_called_in_order_and_the_last_one_once() -> None:
    assert kept(stories.red()).entries == [
        "start 4",
        "health passed",
        "backend_smoke failed",
        "frontend skipped",
        "performance skipped",
        "end 16.4",
    ]


def test_results_are_readable_and_frozen() -> None:
    phase = kept(stories.red()).results[1]
    login = phase.tests[0]
    assert (phase.name, phase.status, phase.required) == ("backend_smoke", Status.FAILED, True)
    assert (login.name, login.reason, login.error) == (
        "login",
        Reason.TEST_FAILURES,
        "exit status 1: 2 of 5 cases failed",
    )
    assert (len(login.attempts), len(login.cases), login.flaky) == (2, 5, False)
    with pytest.raises(AttributeError):
        login.name = "other"  # type: ignore[misc]


def test_a_run_that_was_cut_short_leaves_nothing_open() -> None:
    diary = kept(stories.our_crash())
    assert [(one.status, one.reason) for one in diary.results[1].tests] == [
        (Status.FAILED, Reason.INTERRUPTED),
        (Status.SKIPPED, Reason.CANCELLED),
        (Status.SKIPPED, Reason.CANCELLED),
    ]
    assert diary.entries[-1] == "end 3.8"


@pytest.mark.parametrize("envelopes", [[], stories.never_started()], ids=["nothing", "refused"])
def test_a_run_that_never_started_is_completed_all_the_same(envelopes: list[Envelope]) -> None:
    assert kept(envelopes).entries == ["end 0.0"]


def test_the_hooks_may_be_left_out() -> None:
    tell(SimpleReporter(CONTEXT), stories.green())
