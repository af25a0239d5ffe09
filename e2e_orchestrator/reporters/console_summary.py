"""What the console says at the end: phases, what failed and why, what was odd, and go or no go."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from e2e_orchestrator.model.events import ServiceFailed
from e2e_orchestrator.model.outcomes import Reason, Status
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.reporters.comparison import comparison_of
from e2e_orchestrator.reporters.console_events import failure, gate, leaks, notice, service_failed
from e2e_orchestrator.reporters.console_line import FLAKY, Line, Style, line, quoted, sign
from e2e_orchestrator.reporters.groups import failures_of, group
from e2e_orchestrator.reporters.text import first_line, one_line
from e2e_orchestrator.reporters.timing import timing
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test
from e2e_orchestrator.reporters.wording import (
    REASON_WORDS,
    count,
    duration,
    last_sentence,
    listing,
    outcome,
)

RESULTS = "e2e-results.json"
# What is there to be read: the console cannot know which reports were asked for, but sees what they left.
_REPORTS = {
    RESULTS: "results",
    "e2e-report.html": "report",
    "junit.xml": "junit",
    "ctrf-report.json": "ctrf",
    "results.tap": "tap",
    "summary.md": "markdown",
    "gl-junit-report.xml": "gitlab",
    "gl-code-quality-report.json": "gitlab",
}
_CASES, _LINES, _TESTS, _SLOWEST = 3, 15, 25, 5
_WAITED_SECONDS, _WAITED = 10.0, 0.1


def summary(
    run: RunState, *, services: Sequence[ServiceFailed], output: Path, run_folder: Path, verbose: bool = False
) -> list[Line]:
    """Everything after the last test but the last sentence."""
    sections = (
        ("Phases", _phases(run)),
        ("Failed tests", _failed(run, output=output)),
        ("Same error", _groups(run)),
        ("Flaky tests", _flaky(run)),
        ("Not run", _not_run(run)),
        ("Carried over", _carried_over(run)),
        ("Compared", _compared(run)),
        ("Slowest tests", _slowest(run)),
        ("Timing", _timing(run, verbose=verbose)),
        ("Failed services", [one for event in services for one in service_failed(event, output=output)]),
        ("Left behind", [one for test in run.tests for one in _leaks(test)]),
        ("Gates", [gate(event) for event in run.gates]),
        ("Warnings", _warnings(run)),
        ("Reports", _reports(output=output, run_folder=run_folder)),
    )
    return [
        one
        for title, lines in sections
        if lines
        for one in (line(), line((title, Style.STRONG)), *(_indented(one) for one in lines))
    ]


def verdict(run: RunState) -> Line:
    sentence = last_sentence(run)
    return line((sentence.text, Style.GO if sentence.go else Style.NO_GO))


def _indented(one: Line) -> Line:
    return Line((("  ", Style.PLAIN), *one.spans), f"  {one.hanging}" if one.hanging else "")


def _phases(run: RunState) -> list[Line]:
    names = [one_line(phase.name, limit=40) for phase in run.phases]
    said = [_phase_says(phase, run=run) for phase in run.phases]
    wide, wider = max(map(len, names), default=0), max(map(len, said), default=0)
    return [
        _phase(phase, run=run, name=name.ljust(wide), says=says.ljust(wider))
        for phase, name, says in zip(run.phases, names, said, strict=True)
    ]


def _phase(phase: PhaseState, *, run: RunState, name: str, says: str) -> Line:
    ending = end_of_phase(phase, run=run)
    mark, style = sign(ending.status, ending.reason)
    took = duration(ending.duration) if phase.started is not None else ""
    need = "required" if phase.required else "optional"
    return line(
        (mark, style),
        (f" {name}", Style.DIM if style is Style.DIM else Style.PLAIN),
        (f"  {says}", style if style is Style.BAD else Style.DIM),
        (f"  {took:>7}  {need}", Style.DIM),
    )


def _phase_says(phase: PhaseState, *, run: RunState) -> str:
    """``3 passed``, ``3 blocked``, or every kind of end with its number."""
    ending = end_of_phase(phase, run=run)
    if ending.status is Status.SKIPPED and ending.reason is not None:
        return f"{len(phase.tests)} {REASON_WORDS[ending.reason]}"
    endings = [end_of_test(test, run=run).status for test in phase.tests]
    counts = [(status, endings.count(status)) for status in (Status.FAILED, Status.PASSED, Status.SKIPPED)]
    said = [f"{number} {status.value}" for status, number in counts if number]
    if ending.reason in (Reason.TIMEOUT, Reason.INTERRUPTED):
        said.append(REASON_WORDS[ending.reason])
    return ", ".join(said) or "no tests"


def _failed(run: RunState, *, output: Path) -> list[Line]:
    failed = [test for test in run.tests if end_of_test(test, run=run).status is Status.FAILED]
    said: list[Line] = []
    for test in failed[:_TESTS]:
        head = f" {one_line(test.test.id)}"
        said.append(line(("✗", Style.BAD), head, (f"  {outcome(test, run=run)}", Style.BAD)))
        said += failure(test, run=run, output=output, cases=_CASES, lines=_LINES)
    if len(failed) > _TESTS:
        said.append(line((f"+ {count(len(failed) - _TESTS, 'more failed test')}", Style.DIM)))
    return said


def _groups(run: RunState) -> list[Line]:
    """Only what several tests share: the rest is said already."""
    said: list[Line] = []
    for one in group(failures_of(run)):
        if len(one.tests) > 1:
            said.append(line(("✗", Style.BAD), f" {count(len(one.tests), 'test')}: {one.title}"))
            said.append(line((f"    {listing(one.tests)}", Style.DIM)))
    return said


def _flaky(run: RunState) -> list[Line]:
    said: list[Line] = []
    for test in run.flaky:
        detail = f"  {outcome(test, run=run)}"
        said.append(line((FLAKY, Style.ODD), f" {one_line(test.test.id)}", (detail, Style.DIM)))
        if error := first_line(test.first_error or ""):
            said += quoted([error], style=Style.DIM)
    return said


def _not_run(run: RunState) -> list[Line]:
    """Skipped tests by reason: how many, why, and their names."""
    skipped = [
        (ending.reason.value if ending.reason else "", test, ending.message)
        for test in run.tests
        for ending in [end_of_test(test, run=run)]
        if ending.status is Status.SKIPPED
    ]
    said: list[Line] = []
    for reason, found in groupby(sorted(skipped, key=lambda one: one[0]), key=lambda one: one[0]):
        members = list(found)
        words = REASON_WORDS[Reason(reason)] if reason else "skipped"
        why = next((message for _, _, message in members if message), None)
        because = f": {one_line(why)}" if why else ""
        said.append(line(f"{len(members)} {words}{because}"))
        said.append(line((f"    {listing([test.test.id for _, test, _ in members])}", Style.DIM)))
    return said


def _carried_over(run: RunState) -> list[Line]:
    """What a rerun did not run, by the run that did."""
    said: list[Line] = []
    for run_id in dict.fromkeys(test.carried_from or "" for test in run.carried_over):
        tests = [test.test.id for test in run.carried_over if test.carried_from == run_id]
        said.append(line(f"{len(tests)} from run {one_line(run_id)}"))
        said.append(line((f"    {listing(tests)}", Style.DIM)))
    return said


def _compared(run: RunState) -> list[Line]:
    found = comparison_of(run)
    return [line(one_line(found.sentence, limit=400))] if found else []


def _slowest(run: RunState) -> list[Line]:
    slowest = run.slowest(_SLOWEST)
    if len(slowest) < 2:  # noqa: PLR2004 - the slowest of one test is no news.
        return []
    return [line((f"{duration(test.duration):>7}  ", Style.DIM), one_line(test.test.id)) for test in slowest]


def _timing(run: RunState, *, verbose: bool) -> list[Line]:
    """How well the slots were used; unless asked, only of a run that waited for single tests."""
    told = timing(run)
    total = told.total
    waited = total.makespan - total.lower_bound
    if not total.makespan or not (verbose or waited > max(_WAITED_SECONDS, _WAITED * total.makespan)):
        return []
    expected = f", {duration(told.expected)} were expected" if told.expected is not None else ""
    slots = f"{total.utilisation:.0%} of {count(told.slots, 'slot')} used"
    said = [
        line(
            f"{duration(total.makespan)} for {duration(total.busy)} of tests",
            (
                f"  {slots}, at least {duration(total.lower_bound)} in any order{expected}",
                Style.DIM,
            ),
        )
    ]
    for end in told.critical_path:
        alone = f", alone for {duration(end.alone)}" if round(end.alone, 1) else ""
        detail = f"  {duration(end.duration)}, ended phase {one_line(end.phase)}{alone}"
        said.append(line(f"  {one_line(end.test)}", (detail, Style.DIM)))
    return said


def _leaks(test: TestState) -> list[Line]:
    left = [leak for attempt in test.attempts for leak in attempt.leaked]
    return leaks(test.test.id, left) if left else []


def _warnings(run: RunState) -> list[Line]:
    broken = (f"reporter {name} failed: {message}" for name, message in run.broken_reporters.items())
    return [notice(text) for text in _without_repeats([*run.warnings, *broken])]


def _without_repeats(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _reports(*, output: Path, run_folder: Path) -> list[Line]:
    said: list[tuple[str, Path]] = []
    for file, name in _REPORTS.items():
        if (run_folder / file).is_file():
            newest = output / file
            said.append((name, newest if newest.is_file() else run_folder / file))
    if run_folder.is_dir():
        said.append(("run", run_folder))
    return [line((f"{name:<9}", Style.DIM), one_line(str(path), limit=400)) for name, path in said]
