"""The words that every report for people uses: counts, durations, outcomes, and the sentence at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2e_orchestrator.model.events import RunFinished
from e2e_orchestrator.model.outcomes import BAD_CASES, CaseStatus, Reason, Status
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.text import one_line
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test

_MINUTE, _HOUR = 60, 3600
_NAMES_SHOWN = 5

REASON_WORDS: dict[Reason, str] = {
    Reason.FLAKY: "flaky",
    Reason.TEST_FAILURES: "failed",
    Reason.COLLECTION_ERROR: "could not be loaded",
    Reason.NO_TESTS: "has no cases",
    Reason.TIMEOUT: "timed out",
    Reason.USAGE_ERROR: "was refused by its tool",
    Reason.CRASH: "crashed",
    Reason.EVIDENCE_MISSING: "could not be proven to have passed",
    Reason.INFRASTRUCTURE: "its environment failed",
    Reason.INTERRUPTED: "interrupted",
    Reason.ALL_SKIPPED: "skipped by the suite",
    Reason.BLOCKED: "blocked",
    Reason.CANCELLED: "cancelled",
    Reason.CONDITION: "its condition is false",
}

_CODE_WORDS = {
    4: "nothing to run",
    5: "the environment failed, not the tests",
    6: "refused by a safeguard",
    70: "e2e-orchestrate itself failed, please report it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """The verdict of a run in one line."""

    go: bool
    text: str


def duration(seconds: float) -> str:
    """``0.4s``, ``59.9s``, ``1m 05s``, ``2h 03m``."""
    whole = int(seconds)
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f}s"
    if round(seconds) < _HOUR:
        return f"{round(seconds) // _MINUTE}m {round(seconds) % _MINUTE:02}s"
    return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"


def count(number: int, noun: str) -> str:
    """``1 test``, ``2 tests``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listing(names: Sequence[str]) -> str:
    """The first names and how many more there are."""
    shown = ", ".join(one_line(name, limit=80) for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def outcome(test: TestState, *, run: RunState) -> str:
    """What to say of a finished test behind its name and duration."""
    ending = end_of_test(test, run=run)
    counts = test.counts
    tried = f" after {len(test.attempts)} attempts" if len(test.attempts) > 1 else ""
    if ending.reason is Reason.FLAKY:
        return f"flaky: passed on attempt {len(test.attempts)}, {cases(counts)}"
    if ending.reason is Reason.TEST_FAILURES and (bad := sum(counts.get(one, 0) for one in BAD_CASES)):
        return f"{bad} of {count(sum(counts.values()), 'case')} failed{tried}"
    if ending.reason is not None:
        return f"{REASON_WORDS[ending.reason]}{tried}"
    return cases(counts) if ending.status is Status.PASSED else f"{ending.status.value}{tried}"


def cases(counts: Mapping[CaseStatus, int]) -> str:
    """``12 cases``, and what is not simply passed among them."""
    total = sum(counts.values())
    odd = [(one, counts.get(one, 0)) for one in (CaseStatus.FLAKY, CaseStatus.SKIPPED, CaseStatus.NOT_RUN)]
    said = [f"{number} {status.value.replace('_', ' ')}" for status, number in odd if number]
    return ", ".join([count(total, "case"), *said])


def last_sentence(run: RunState) -> Sentence:
    """GO or NO GO, and why."""
    if run.finished is None:
        why = f": {one_line(run.cancelled)}" if run.cancelled else ""
        return Sentence(go=False, text=f"NO GO: the run did not finish, {_progress(run)}{why}")
    if run.finished.success and run.finished.exit_code == 0:
        return Sentence(go=True, text=f"GO: {_achievement(run)} ({_took(run.finished.duration)})")
    return Sentence(go=False, text=f"NO GO: {_refusal(run, run.finished)}")


def _refusal(run: RunState, finished: RunFinished) -> str:
    code, why = finished.exit_code, one_line(finished.why, limit=400)
    match code:
        case 1:
            said = _failed_phases(run, required=True) or why or "a required phase failed"
        case 3:
            said = why or "a gate did not hold"
        case 130:
            said = f"interrupted by SIGINT, {_progress(run)}"
        case 143:
            said = f"terminated by SIGTERM, {_progress(run)}"
        case _:
            said = ": ".join(filter(None, (_CODE_WORDS.get(code), why))) or "the run failed"
    return f"{said} (exit code {code})"


def _achievement(run: RunState) -> str:
    tests = list(run.tests)
    if run.shard and not tests:
        return f"nothing to do in shard {run.shard.name}"
    passed = sum(test.verdict.status is Status.PASSED for test in tests)
    skipped = sum(test.verdict.status is Status.SKIPPED for test in tests)
    parts = [f"{count(passed, 'test')} passed in {count(len(run.phases), 'phase')}"]
    if run.flaky:
        parts.append(f"{len(run.flaky)} flaky")
    if skipped:
        parts.append(f"{skipped} skipped")
    if optional := _failed_phases(run, required=False):
        parts.append(optional)
    if carried := len(run.carried_over):
        parts.append(f"{carried} carried over from an earlier run")
    return ", ".join(parts)


def _failed_phases(run: RunState, *, required: bool) -> str:
    failed = [
        phase.name
        for phase in run.phases
        if phase.required is required and end_of_phase(phase, run=run).status is Status.FAILED
    ]
    kind = "required" if required else "optional"
    return f"{count(len(failed), f'{kind} phase')} failed: {listing(failed)}" if failed else ""


def _progress(run: RunState) -> str:
    endings = [end_of_test(test, run=run) for test in run.tests]
    ended = sum(one.status is not Status.SKIPPED and one.reason is not Reason.INTERRUPTED for one in endings)
    return f"{ended} of {count(len(endings), 'test')} ended"


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _MINUTE else duration(seconds)
