"""What is running right now: the area that a watched terminal repaints, and the heartbeat of a log."""

from collections.abc import Sequence

from e2e_orchestrator.model.outcomes import BAD_CASES, Status
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.console_line import (
    BAR,
    BAR_END,
    BAR_REST,
    FAILED,
    PASSED,
    SEPARATOR,
    WAITING,
    WITHIN,
    Line,
    Span,
    Style,
    line,
)
from e2e_orchestrator.reporters.text import clip, one_line
from e2e_orchestrator.reporters.wording import count, duration

_SHOWN = 8
_NARROW, _WIDE_BAR, _NARROW_BAR = 90, 32, 16


def running_area(run: RunState, *, now: float, columns: int) -> list[Line]:
    """At most eight running tests, and a bar over all tests; ``now`` in seconds of the run."""
    running = sorted(run.running, key=lambda test: test.slot if test.slot is not None else 0)
    widest = columns // 2
    width = max((len(clip(one_line(test.test.id), limit=widest)) for test in running), default=0)
    said = [line(), *(_running(test, now=now, width=width) for test in running[:_SHOWN])]
    if len(running) > _SHOWN:
        said.append(line((f"    + {len(running) - _SHOWN} more", Style.DIM)))
    said += [_starting(name) for name in starting_services(run)]
    return [*said, _bar(run, now=now, columns=columns)]


def heartbeat(run: RunState, *, now: float) -> Line:
    """One line that proves the run alive and names what it is waiting for."""
    running = sorted(run.running, key=lambda test: test.started or 0.0)
    said = [_since(test, now=now) for test in running[:_SHOWN]]
    if len(running) > _SHOWN:
        said.append(f"{len(running) - _SHOWN} more")
    said += [f"service {name} is starting" for name in starting_services(run)]
    what = ", ".join(said) or "nothing is running"
    return line((f"{WAITING} {duration(now)} {SEPARATOR} {what}", Style.DIM))


def starting_services(run: RunState) -> Sequence[str]:
    return [one_line(service.name) for service in run.services.values() if service.status == "starting"]


def _since(test: TestState, *, now: float) -> str:
    elapsed = duration(max(now - (test.started or 0.0), 0.0))
    attempt = f", attempt {test.number} of {test.max_attempts}" if test.number > 1 else ""
    case = f" ({_case(test)})" if test.case else ""
    return f"{one_line(test.test.id)} for {elapsed}{attempt}{case}"


def _running(test: TestState, *, now: float, width: int) -> Line:
    elapsed = duration(max(now - (test.started or 0.0), 0.0))
    name = clip(one_line(test.test.id), limit=width).ljust(width)
    attempt = f"  attempt {test.number}/{test.max_attempts}" if test.number > 1 else ""
    return line(
        (f"{test.slot if test.slot is not None else '':>3} ", Style.DIM),
        name,
        (f" {elapsed:>7}", Style.DIM),
        (attempt, Style.ODD),
        *_live_cases(test),
        (f"  {WITHIN} {_case(test)}" if test.case else "", Style.DIM),
    )


def _case(test: TestState) -> str:
    """The running case, without the file that the test's name stands for already."""
    return one_line((test.case or "").removeprefix(test.test.target), limit=120).lstrip(":\u203a ")


def _live_cases(test: TestState) -> list[Span]:
    """How many cases of the attempt that runs are through: ``12✓ 1✗``."""
    bad = sum(test.live[status] for status in BAD_CASES)
    good = test.live.total() - bad
    spans: list[Span] = [(f"  {good}{PASSED}", Style.DIM)] if good else []
    return [*spans, (f"  {bad}{FAILED}", Style.BAD)] if bad else spans


def _starting(name: str) -> Line:
    return line((f"  {WAITING} service {name} is starting", Style.DIM))


def _bar(run: RunState, *, now: float, columns: int) -> Line:
    total = len(list(run.tests))
    width = _NARROW_BAR if columns < _NARROW else _WIDE_BAR
    filled = width * run.done // total if total else 0
    failed, flaky = len(run.failed), len(run.flaky)
    style = Style.BAD if failed else Style.GOOD
    end = BAR_END if 0 < filled < width else ""
    rest = BAR_REST * (width - filled)
    waiting = sum(test.verdict.status is Status.PENDING for test in run.tests)
    return line(
        "    ",
        (BAR * (filled - len(end)) + end, style),
        (rest, Style.DIM),
        f"  {run.done}/{total}",
        (f"  {failed} failed" if failed else "", Style.BAD),
        (f"  {flaky} flaky" if flaky else "", Style.ODD),
        (f"  {count(waiting, 'test')} waiting" if waiting else "", Style.DIM),
        (f"  {duration(now)}", Style.DIM),
        (f"  {SEPARATOR} ending: {one_line(run.cancelled)}" if run.cancelled else "", Style.ODD),
    )
