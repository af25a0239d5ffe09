"""What the console says while a run goes on: a few lines for each event that somebody cares about."""

from collections.abc import Sequence
from pathlib import Path

from e2e_orchestrator.config.values import format_size
from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import RunStarted, ServiceFailed, StartChosen
from e2e_orchestrator.model.outcomes import Case, Leak, Reason
from e2e_orchestrator.model.storing import ArtifactsAwaited
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.reporters.console_line import (
    FAILED,
    PASSED,
    RETRY,
    SEPARATOR,
    SERVICE,
    WAITING,
    WARNING,
    WITHIN,
    Line,
    Style,
    case_sign,
    line,
    quoted,
    sign,
)
from e2e_orchestrator.reporters.paths import line_of
from e2e_orchestrator.reporters.text import first_line, lines_that_matter, one_line, tail
from e2e_orchestrator.reporters.unfinished import Ending, end_of_test
from e2e_orchestrator.reporters.wording import count, duration, outcome

_WIDEST_NAME, _NARROWEST_NAME, _BESIDE_NAME = 48, 16, 50
_LEAKS = 5
FIRST_LINES = 5
LOG_LINES = 10
_SERVICE_LINES = 5


def name_width(run: RunState, *, columns: int) -> int:
    """How wide the column of test ids is; a longer id takes what it needs."""
    longest = max((len(one_line(test.test.id)) for test in run.tests), default=0)
    return min(longest, _WIDEST_NAME, max(columns - _BESIDE_NAME, _NARROWEST_NAME))


def opening(event: RunStarted) -> list[Line]:
    plan = event.plan
    facts = [
        f"{count(len(plan.tests), 'test')} in {count(len(plan.phases), 'phase')}",
        count(plan.workers, "worker"),
    ]
    if plan.left_out:
        facts.insert(1, f"{len(plan.left_out)} left out")
    if event.shard:
        facts.append(f"shard {event.shard.name}")
    if event.merged_from:
        facts.append(f"merged from {count(len(event.merged_from), 'run')}")
    if event.rerun_of:
        facts.append(f"rerun of {event.rerun_of}")
    said = "".join(f" {SEPARATOR} {one_line(fact)}" for fact in facts)
    return [line((one_line(plan.project) or "run", Style.STRONG), (said, Style.DIM))]


def phase_header(phase: PhaseState) -> list[Line]:
    planned = phase.phase
    facts = [count(len(planned.tests), "test")]
    if len(planned.tests) > 1:
        facts.append("in parallel" if planned.parallel else "one after the other")
    if not planned.required:
        facts.append("optional")
    if carried := sum(test.carried_from is not None for test in phase.tests):
        facts.append(f"{carried} carried over")
    said = "".join(f" {SEPARATOR} {fact}" for fact in facts)
    return [line(), line((one_line(phase.name), Style.STRONG), (said, Style.DIM))]


def finished_test(test: TestState, *, run: RunState, done: int, width: int) -> Line:
    """``( 3/26) ✓ phase/test   1.2s  5 cases``."""
    ending = end_of_test(test, run=run)
    total = len(list(run.tests))
    mark, style = sign(ending.status, ending.reason)
    detail = style if style in (Style.BAD, Style.ODD) else Style.DIM
    name = one_line(test.test.id).ljust(width)
    return line(
        (f"({done:{len(str(total))}}/{total}) ", Style.DIM),
        (mark, style),
        (f" {name}", Style.DIM if style is Style.DIM else Style.PLAIN),
        (f"  {duration(ending.duration):>7}  " if test.attempts else f"  {'':>7}  ", Style.DIM),
        (outcome(test, run=run), detail),
    )


def failure(
    test: TestState, *, run: RunState, output: Path, cases: int = 1, lines: int = FIRST_LINES
) -> list[Line]:
    """The first bad cases of a failed test with the lines that matter, and where its log is."""
    bad = [case for case in test.cases if case.bad]
    said = _message(end_of_test(test, run=run), bad, limit=lines)
    for case in bad[:cases]:
        said += _bad_case(case, limit=lines)
    if len(bad) > cases:
        said.append(line((f"    + {count(len(bad) - cases, 'more failed case')}", Style.DIM)))
    if test.attempts and (log := test.attempts[-1].output):
        if not bad:
            said += quoted(tail(log.tail, limit=lines), style=Style.DIM)
        said.append(line((f"    output {one_line(str(output / log.path), limit=400)}", Style.DIM)))
    for one in test.attempts[-1].services if test.attempts else ():
        if one.tail.strip():
            where = f"{output / one.log} from byte {one.begin}"
            head = f"    {one_line(one.service)} said meanwhile ({one_line(where, limit=400)})"
            said += [line((head, Style.DIM)), *quoted(tail(one.tail, limit=_SERVICE_LINES), style=Style.DIM)]
    return said


def _message(ending: Ending, bad: list[Case], *, limit: int) -> list[Line]:
    """The verdict's own message, unless the cases are about to say more."""
    message = ending.message
    if not message or (bad and ending.reason is Reason.TEST_FAILURES):
        return []
    return quoted(lines_that_matter(message, limit=limit))


def _bad_case(case: Case, *, limit: int) -> list[Line]:
    number = line_of(case)
    place = f"  {one_line(case.file)}:{number}" if case.file and number else ""
    head = line((f"    {FAILED} ", Style.BAD), one_line(case.id), (place, Style.DIM))
    return [head, *quoted(lines_that_matter(case.message or case.status.value, limit=limit))]


def retry(test: TestState, *, event: events.RetryScheduled) -> Line:
    """An attempt failed, or did not run what had failed before, and there will be another one."""
    pause = f" in {event.delay:g}s" if event.delay else ""
    left_out = test.attempts and not test.attempts[-1].verdict.failed
    ended = "left out what had failed" if left_out else "failed"
    said = f"attempt {test.number} {ended}, attempt {test.number + 1} of {test.max_attempts}{pause}"
    why = one_line(event.why, limit=120)
    error = first_line(test.first_error or "", limit=120)
    reason = f" {SEPARATOR} {error or why}" if error or why else ""
    return line((f"  {RETRY} ", Style.ODD), one_line(test.test.id), (f"  {said}{reason}", Style.DIM))


def slow(test: TestState, *, elapsed: float) -> Line:
    case = f" {WITHIN} {one_line(test.case, limit=120)}" if test.case else ""
    return line(
        (f"{WARNING} ", Style.ODD), one_line(test.test.id), (f"  slow: {duration(elapsed)}{case}", Style.DIM)
    )


def leaks(test_id: str, left: Sequence[Leak]) -> list[Line]:
    """Processes that outlived their test; they are gone by now."""
    head = line(
        (f"{WARNING} ", Style.ODD),
        f"{one_line(test_id)} left {len(left)} {'process' if len(left) == 1 else 'processes'} behind",
    )
    shown = [f"{leak.pid}  {one_line(leak.command, limit=160)}" for leak in left[:_LEAKS]]
    more = [f"+ {len(left) - _LEAKS} more"] if len(left) > _LEAKS else []
    return [head, *quoted([*shown, *more], style=Style.DIM)]


def gate(event: events.GateEvaluated) -> Line:
    mark, style = (PASSED, Style.GOOD) if event.holds else (FAILED, Style.BAD)
    return line(
        (mark, style), f" gate {one_line(event.name)}", (f"  {one_line(event.message, limit=400)}", Style.DIM)
    )


def case_line(test_id: str, case: Case) -> Line:
    return line(
        "  ",
        case_sign(case.status),
        (f" {one_line(test_id)} {WITHIN} ", Style.DIM),
        one_line(case.id),
        (f"  {duration(case.duration)}", Style.DIM),
    )


def service_ready(event: events.ServiceReady) -> Line:
    said = f" service {one_line(event.service)} ready"
    return line((SERVICE, Style.GOOD), said, (f" after {duration(event.duration)}", Style.DIM))


def service_failed(event: ServiceFailed, *, output: Path) -> list[Line]:
    said = f" service {one_line(event.service)} failed: {one_line(event.message, limit=400)}"
    lines = [line((FAILED, Style.BAD), said), *quoted(tail(event.tail, limit=LOG_LINES))]
    if event.log:
        lines.append(line((f"    log {one_line(str(output / event.log), limit=400)}", Style.DIM)))
    return lines


def lease_acquired(event: events.LeaseAcquired) -> Line:
    done = "reset" if event.reset else "owns"
    said = f"  slot {event.slot} {done} {one_line(event.resource)}: {one_line(event.name)}"
    return line((said, Style.DIM), (f"  {duration(event.duration)}", Style.DIM))


def lease_not_released(event: events.LeaseReleased) -> Line:
    return notice(f"{event.name} could not be removed: {event.message}")


def service_restarting(event: events.ServiceRestarting) -> Line:
    said = f" service {one_line(event.service)} {one_line(event.message, limit=400)}"
    return line(
        (f"{WARNING}", Style.ODD), said, (f"  started again ({event.number} of {event.limit})", Style.DIM)
    )


def start_chosen(event: StartChosen) -> Line:
    said = f"{one_line(event.runner)} starts {event.way}: {one_line(event.why, limit=300)}"
    return line((said, Style.DIM))


def artifacts_awaited(event: ArtifactsAwaited) -> Line:
    what = f"{count(event.files, 'artifact')} ({format_size(event.size)})"
    where = one_line(event.address, limit=200)
    said = f"{WAITING} waiting for {what} to be stored in {where}, for {event.seconds:g}s at most"
    return line((said, Style.DIM))


def notice(text: str) -> Line:
    return line((f"{WARNING} ", Style.ODD), one_line(text, limit=400))


def is_interesting(test: TestState) -> bool:
    """Whether a finished test gets its failure shown at once."""
    return test.verdict.failed and test.verdict.reason is not Reason.INTERRUPTED
