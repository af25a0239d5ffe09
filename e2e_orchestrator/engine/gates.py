"""Rules over the finished run: each says what it found, whether it holds, and can turn go into no go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isclose

from e2e_orchestrator.model.events import CoverageMeasured, GateEvaluated
from e2e_orchestrator.model.gates import AtMost, Gates, LastGreen
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.model.plan import FlakyPolicy
from e2e_orchestrator.model.shortened import shortened
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState

_NO_RUN = (CaseStatus.SKIPPED, CaseStatus.NOT_RUN)
# Of one shard these can be said: whatever breaks one there breaks the whole.
_OF_A_SHARD = frozenset({"no_leaks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What a set of gates is asked of: the whole run, or one phase."""

    gates: Gates
    tests: Sequence[TestState]
    seconds: float
    last_green: LastGreen | None
    last_cases: int | None
    coverage: CoverageMeasured | None = None
    phase: str | None = None

    def said(
        self, gate: str, *, holds: bool, message: str, found: float | None = None, wanted: float | None = None
    ) -> GateEvaluated:
        return GateEvaluated(
            gate=gate,
            holds=holds,
            message=message,
            phase=self.phase,
            found=None if found is None else float(found),
            wanted=None if wanted is None else float(wanted),
        )


def evaluate(state: RunState) -> Iterator[GateEvaluated]:
    """The gates that the plan asks for, in a fixed order: those of the run, then those of its phases."""
    yield from _flaky_policy(state)
    for scope in _scopes(state):
        for name, rule in _RULES.items():
            if state.shard is None or name in _OF_A_SHARD:
                yield from rule(scope)


def measured_cases(tests: Sequence[TestState]) -> int:
    """The cases that ran, whatever became of them."""
    return sum(count for test in tests for status, count in test.counts.items() if status not in _NO_RUN)


def _ran(test: TestState) -> bool:
    """What could not even be started has not run, though it failed."""
    verdict = test.verdict
    return verdict.status is Status.PASSED or (
        verdict.status is Status.FAILED and verdict.reason is not Reason.INFRASTRUCTURE
    )


def _scopes(state: RunState) -> Iterator[_Scope]:
    plan = state.plan
    if plan is None:
        return
    green = plan.last_green
    cases = green.cases if green else {}
    if plan.gates:
        yield _Scope(
            gates=plan.gates,
            tests=list(state.tests),
            seconds=state.mono,
            last_green=green,
            last_cases=sum(cases.get(phase.name, 0) for phase in state.phases),
            coverage=state.coverage,
        )
    for phase in state.phases:
        if phase.phase.gates and not _never_began(phase):
            yield _Scope(
                gates=phase.phase.gates,
                tests=phase.tests,
                seconds=phase.duration,
                last_green=green,
                last_cases=cases.get(phase.name),
                phase=phase.name,
            )


def _never_began(phase: PhaseState) -> bool:
    """Blocked or cancelled: the run is red already, and a second reason would only hide the first."""
    return phase.started is None and not any(test.attempts for test in phase.tests)


def _flaky_policy(state: RunState) -> Iterator[GateEvaluated]:
    """``flaky: fail``: no test of a required phase may need a second try."""
    strict = [
        test
        for phase in state.phases
        if phase.required
        for test in phase.tests
        if test.test.flaky is FlakyPolicy.FAIL
    ]
    if not strict:
        return
    found = [test.test.id for test in strict if test.verdict.flaky]
    message = f"flaky: {shortened(found)}" if found else "no test needed a second try"
    yield GateEvaluated(gate="flaky", holds=not found, message=message)


def _flaky(scope: _Scope) -> Iterator[GateEvaluated]:
    if scope.gates.flaky is None:
        return
    found = [test.test.id for test in scope.tests if test.verdict.flaky]
    ran = sum(map(_ran, scope.tests))
    yield _at_most(scope, "flaky test", found, of=ran, limit=scope.gates.flaky)


def _max_skipped(scope: _Scope) -> Iterator[GateEvaluated]:
    """Skipped cases, and tests that were skipped without a word about their cases."""
    if scope.gates.max_skipped is None:
        return
    found: list[str] = []
    total = 0
    for test in scope.tests:
        cases = test.cases
        total += max(len(cases), 1)
        found += [case.id for case in cases if case.status is CaseStatus.SKIPPED]
        found += [test.test.id] if not cases and test.verdict.status is Status.SKIPPED else []
    yield _at_most(scope, "skipped case", found, of=total, limit=scope.gates.max_skipped)


def _at_most(scope: _Scope, noun: str, found: Sequence[str], *, of: int, limit: AtMost) -> GateEvaluated:
    gate = f"max_{noun.split(maxsplit=1)[0]}"
    names = f": {shortened(found)}" if found else ""
    if limit.share is not None:
        share = len(found) / of if of else 0.0
        message = f"{len(found)} of {of} are {noun}s ({share:.1%}), at most {100 * limit.share:g}%{names}"
        return scope.said(
            gate,
            holds=share <= limit.share or isclose(share, limit.share),
            message=message,
            found=share,
            wanted=limit.share,
        )
    most = limit.count or 0
    message = f"{_so_many(len(found), noun)}, at most {most}{names}"
    return scope.said(gate, holds=len(found) <= most, message=message, found=len(found), wanted=most)


def _so_many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _min_tests(scope: _Scope) -> Iterator[GateEvaluated]:
    if (least := scope.gates.min_tests) is None:
        return
    ran = sum(map(_ran, scope.tests))
    message = f"{_so_many(ran, 'test')} ran, at least {least}"
    yield scope.said("min_tests", holds=ran >= least, message=message, found=ran, wanted=least)


def _min_cases(scope: _Scope) -> Iterator[GateEvaluated]:
    ran = measured_cases(scope.tests)
    if (least := scope.gates.min_cases) is not None:
        message = f"{_so_many(ran, 'case')} ran, at least {least}"
        yield scope.said("min_cases", holds=ran >= least, message=message, found=ran, wanted=least)
    if (fewer := scope.gates.fewer_cases) is None:
        return
    if scope.last_green is None or scope.last_cases is None:
        message = f"{_so_many(ran, 'case')} ran; there is no green run before to compare with"
        yield scope.said("fewer_cases", holds=True, message=message, found=ran)
        return
    least = max(scope.last_cases - fewer, 0)
    allowed = f", {fewer} fewer allowed" if fewer else ""
    message = f"{_so_many(ran, 'case')} ran, {scope.last_cases} in the last green run {scope.last_green.run_id}{allowed}"
    yield scope.said("fewer_cases", holds=ran >= least, message=message, found=ran, wanted=least)


def _max_duration(scope: _Scope) -> Iterator[GateEvaluated]:
    if (most := scope.gates.max_duration) is None:
        return
    message = f"took {scope.seconds:.1f} s, at most {most:g} s"
    yield scope.said(
        "max_duration", holds=scope.seconds <= most, message=message, found=scope.seconds, wanted=most
    )


def _no_leaks(scope: _Scope) -> Iterator[GateEvaluated]:
    if not scope.gates.no_leaks:
        return
    found = [test.test.id for test in scope.tests if any(attempt.leaked for attempt in test.attempts)]
    message = f"left processes behind: {shortened(found)}" if found else "no test left a process behind"
    yield scope.said("no_leaks", holds=not found, message=message, found=len(found), wanted=0)


def _required_tags(scope: _Scope) -> Iterator[GateEvaluated]:
    if not (wanted := scope.gates.required_tags):
        return
    ran = {tag for test in scope.tests if _ran(test) for tag in test.test.tags}
    lacking = [tag for tag in wanted if tag not in ran]
    message = (
        f"no test ran with tag {shortened(lacking)}" if lacking else f"tests ran with {shortened(wanted)}"
    )
    yield scope.said(
        "required_tags",
        holds=not lacking,
        message=message,
        found=len(wanted) - len(lacking),
        wanted=len(wanted),
    )


def _coverage(scope: _Scope) -> Iterator[GateEvaluated]:
    if (floor := scope.gates.coverage) is None:
        return
    got = scope.coverage
    asked = (
        ("lines", floor.lines, got.lines if got else None),
        ("branches", floor.branches, got.branches if got else None),
    )
    for what, least, counts in asked:
        if least is None:
            continue
        gate = f"coverage of {what}"
        if counts is None or not counts.total:
            why = got.problem if got and got.problem else f"no {what} were measured"
            yield scope.said(gate, holds=False, message=f"{why}, at least {least:g}%", wanted=least)
            continue
        percent = 100 * counts.covered / counts.total
        message = f"{percent:.2f}% of {what} ({counts.covered} of {counts.total}), at least {least:g}%"
        yield scope.said(gate, holds=percent >= least, message=message, found=percent, wanted=least)


# In the order in which they are told.
_RULES: dict[str, Callable[[_Scope], Iterator[GateEvaluated]]] = {
    "flaky": _flaky,
    "min_tests": _min_tests,
    "min_cases": _min_cases,
    "max_skipped": _max_skipped,
    "max_duration": _max_duration,
    "no_leaks": _no_leaks,
    "required_tags": _required_tags,
    "coverage": _coverage,
}
