"""From the state of a run to its exit code: one function, the same for a live run and a replay."""

from collections.abc import Iterator
from dataclasses import dataclass

from e2e_orchestrator.model.outcomes import Reason, Status
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState

SIGNAL_CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunVerdict:
    exit_code: int
    why: str

    @property
    def success(self) -> bool:
        return self.exit_code == 0


def counts(state: RunState) -> dict[str, int]:
    """The tests by their end, for the last line."""
    statuses = [test.verdict.status for test in state.tests]
    return {
        "tests": len(statuses),
        "passed": statuses.count(Status.PASSED),
        "failed": len(state.failed),
        "skipped": statuses.count(Status.SKIPPED),
        "flaky": len(state.flaky),
        "carried_over": len(state.carried_over),
    }


def judge_phase(tests: list[TestState]) -> tuple[Status, Reason | None]:
    """Failed if any of its tests failed, skipped if all were, else passed."""
    verdicts = [test.verdict for test in tests]
    failures = [verdict for verdict in verdicts if verdict.failed]
    if failures:
        return Status.FAILED, failures[0].reason
    if all(verdict.status is Status.SKIPPED for verdict in verdicts):
        return Status.SKIPPED, verdicts[0].reason if verdicts else None
    return Status.PASSED, Reason.FLAKY if any(verdict.flaky for verdict in verdicts) else None


def judge_run(state: RunState) -> RunVerdict:
    """The exit code of the contract, with the sentence that explains it."""
    why = "every required phase passed"
    if state.shard and not any(state.tests):
        why = f"nothing to do in shard {state.shard.name}"
    return next(_objections(state), RunVerdict(exit_code=0, why=why))


def interrupted(signal: str) -> RunVerdict:
    return RunVerdict(exit_code=SIGNAL_CODES[signal], why=f"interrupted by {signal}")


def _objections(state: RunState) -> Iterator[RunVerdict]:
    """Everything that keeps a run from being green, the weightiest first."""
    if state.cancelled in SIGNAL_CODES:
        yield interrupted(state.cancelled)
    for service in state.services.values():
        if service.status == "failed" and _matters(service.name, state):
            yield RunVerdict(exit_code=5, why=f"service {service.name} failed: {service.message}")
    required = [phase for phase in state.phases if phase.required]
    if failed := [phase for phase in required if phase.status is Status.FAILED]:
        yield RunVerdict(exit_code=5 if _only_infrastructure(failed) else 1, why=_named("failed", failed))
    if unfinished := [phase for phase in required if _cut_short(phase)]:
        yield RunVerdict(exit_code=1, why=_named("did not run to its end", unfinished))
    if state.shard is None:  # A shard may well be empty, or all skips: this is asked of the whole.
        yield from _nothing_ran(state, required)
    optional = {phase.name for phase in state.phases if not phase.required}
    if broken := [gate for gate in state.gates if not gate.holds and gate.phase not in optional]:
        said = "; ".join(f"gate {gate.name} did not hold: {gate.message}" for gate in broken)
        yield RunVerdict(exit_code=3, why=f"required phases passed, but {said}")


def _nothing_ran(state: RunState, required: list[PhaseState]) -> Iterator[RunVerdict]:
    if not any(test.verdict.status in (Status.PASSED, Status.FAILED) for test in state.tests):
        yield RunVerdict(exit_code=4, why="nothing ran: every test was skipped")
    if idle := [phase for phase in required if _is_idle(phase)]:
        yield RunVerdict(exit_code=1, why=_named("ran nothing, because every test was skipped", idle))


def _is_idle(phase: PhaseState) -> bool:
    """Skipped by the suite itself, though perhaps not all of it: what a condition left out proves nothing either."""
    reasons = {test.verdict.reason for test in phase.tests}
    return phase.status is Status.SKIPPED and Reason.ALL_SKIPPED in reasons


def _matters(label: str, state: RunState) -> bool:
    """Not if only tests of optional phases could have had the service."""
    planned = state.plan.services if state.plan else ()
    required = {phase.name for phase in state.phases if phase.required}
    mine = [one for one in planned if label == one.name or label.startswith(f"{one.name} (")]
    return not mine or any(not one.phases or required & set(one.phases) for one in mine)


def _cut_short(phase: PhaseState) -> bool:
    return any(test.verdict.reason in (Reason.BLOCKED, Reason.CANCELLED) for test in phase.tests)


def _only_infrastructure(phases: list[PhaseState]) -> bool:
    return all(
        test.verdict.reason is Reason.INFRASTRUCTURE
        for phase in phases
        for test in phase.tests
        if test.verdict.failed
    )


def _named(what: str, phases: list[PhaseState]) -> str:
    names = ", ".join(phase.name for phase in phases)
    return f"required phase {names} {what}" if len(phases) == 1 else f"required phases {what}: {names}"
