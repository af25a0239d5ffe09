"""What is new in a run against its baseline: by test, and by the signature of the errors.

``web/src/data/compare.ts`` says the same in the page of the HTML report; a test holds the two together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from e2e_orchestrator.model.baseline import Baseline, BaselineFailure, BaselineTest
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.groups import failures_of, group
from e2e_orchestrator.reporters.unfinished import end_of_test
from e2e_orchestrator.reporters.wording import count


class Change(StrEnum):
    """``not run``: it says nothing about now, because what it is about did not run."""

    NEW = "new"
    STILL = "still"
    FIXED = "fixed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedError:
    """The failures of one signature: how many there were, and are."""

    change: Change
    signature: str
    title: str
    before: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Ids of tests by what became of them, those of this run in its order, then those it does not have."""

    baseline: Baseline
    new: tuple[str, ...]
    still: tuple[str, ...]
    fixed: tuple[str, ...]
    flaky: tuple[str, ...]
    not_run: tuple[str, ...]
    errors: tuple[ChangedError, ...]

    @property
    def sentence(self) -> str:
        """Everything in one line."""
        new_errors = sum(one.change is Change.NEW for one in self.errors)
        by_error = f" ({count(new_errors, 'new error')})" if self.new or new_errors else ""
        said = [f"{count(len(self.new), 'new failure')}{by_error}", f"{len(self.still)} still failing"]
        said += [f"{len(self.fixed)} fixed", f"{len(self.flaky)} flaky", f"{len(self.not_run)} not run"]
        return f"{', '.join(said)}, against run {self.baseline.run_id}"


def comparison_of(run: RunState) -> Comparison | None:
    """None of a run that is compared with nothing."""
    baseline = run.baseline
    if baseline is None:
        return None
    before = {one.test: one for one in tests_to_compare(run, baseline)}
    changes = {state.test.id: _change(state, before.get(state.test.id), run=run) for state in run.tests}
    gone = tuple(
        test for test, one in before.items() if test not in changes and one.status is not Status.SKIPPED
    )

    def those(change: Change) -> tuple[str, ...]:
        return tuple(test for test, found in changes.items() if found is change)

    return Comparison(
        baseline=baseline,
        new=those(Change.NEW),
        still=those(Change.STILL),
        fixed=those(Change.FIXED),
        flaky=tuple(state.test.id for state in run.flaky),
        not_run=(*those(Change.NOT_RUN), *gone),
        errors=tuple(_errors(run, baseline)),
    )


def tests_to_compare(run: RunState, baseline: Baseline) -> Iterator[BaselineTest]:
    """Without those of other shards: that they did not run here is no news."""
    own = {state.test.id for state in run.tests}
    elsewhere = set(run.shard.tests) - own if run.shard else set()
    return (one for one in baseline.tests if one.test not in elsewhere)


def _change(state: TestState, before: BaselineTest | None, *, run: RunState) -> Change | None:
    """None of what was good and is, and of what the baseline does not have."""
    now = end_of_test(state, run=run).status
    failed_before = before is not None and before.status is Status.FAILED
    if now is Status.FAILED:
        return Change.STILL if failed_before else Change.NEW
    if now is Status.SKIPPED:
        ran_before = before is not None and before.status is not Status.SKIPPED
        return Change.NOT_RUN if ran_before else None
    return Change.FIXED if failed_before else None


def _errors(run: RunState, baseline: Baseline) -> Iterator[ChangedError]:
    """The biggest group first; then what is gone, in the baseline's order."""
    before: dict[str, list[BaselineFailure]] = {}
    compared = {one.test for one in tests_to_compare(run, baseline)}
    for failure in baseline.failures:
        if failure.test in compared:
            before.setdefault(failure.signature, []).append(failure)
    for one in group(failures_of(run)):
        was = len(before.pop(one.signature, ()))
        change = Change.STILL if was else Change.NEW
        yield ChangedError(
            change=change, signature=one.signature, title=one.title, before=was, now=len(one.failures)
        )
    ran = {state.test.id for state in run.tests if end_of_test(state, run=run).status is not Status.SKIPPED}
    for signature, failures in before.items():
        # An error is fixed if somebody looked: of tests that did not run nobody knows.
        change = Change.FIXED if any(one.test in ran for one in failures) else Change.NOT_RUN
        title = failures[0].title
        yield ChangedError(change=change, signature=signature, title=title, before=len(failures), now=0)
