"""What one invocation of Playwright says about each of the tests that it carried.

A test is decided only if its run alone would have come to the same; of all others the reason is named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from e2e_orchestrator.model.command import AttemptSpec, Completed, Judged, Limit
from e2e_orchestrator.model.outcomes import CaseStatus
from e2e_orchestrator.model.packs import PackJudged, PackSpec, Undecided
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.parsers.case_stream import ProblemKind, SessionFinished, StreamEvidence
from e2e_orchestrator.parsers.packed_stream import PackedEvidence, Share
from e2e_orchestrator.runners.playwright_target import own_path

STOPPED_EARLY = "Testing stopped early after"
_INTERRUPTED = 130
_OF_ALL = frozenset({Limit.PHASE, Limit.RUN})

Judge = Callable[[Test, AttemptSpec, Completed, StreamEvidence], Judged]


def sort_out(
    spec: PackSpec,
    completed: Completed,
    evidence: PackedEvidence,
    *,
    lost: Mapping[str, Completed],
    judge: Judge,
) -> PackJudged:
    """Every test of the pack, judged as if it had run alone, or undecided.

    ``lost`` are those because of which we ended the pack, with how each of them ended.
    """
    sorting = _Sorting(spec=spec, completed=completed, evidence=evidence, lost=lost, judge=judge)
    return {test.id: sorting.decide(test) for test in spec.pack.tests}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorting:
    spec: PackSpec
    completed: Completed
    evidence: PackedEvidence
    lost: Mapping[str, Completed]
    judge: Judge

    def decide(self, test: Test) -> Judged | Undecided:
        share = self.evidence.shares[test.id]
        if test.id in self.lost:
            return self._judged(test, share, self.lost[test.id])
        if self._we_ended_it:
            return self._cut_short(test, share)
        if why := self._broken:
            return self._in_a_broken_pack(test, share, why)
        return self._in_a_whole_pack(test, share)

    @property
    def _we_ended_it(self) -> bool:
        return bool(self.lost or self.completed.limit or self.completed.interrupted)

    @property
    def _errors(self) -> list[str]:
        found = [problem.message for problem in self.evidence.whole.of_kind(ProblemKind.ERROR)]
        return [text for text in found if STOPPED_EARLY not in text]

    @property
    def _end(self) -> str | None:
        return self.evidence.whole.finished.status if self.evidence.whole.finished else None

    @property
    def _broken(self) -> str | None:
        """Why the exit status, the errors and the end say nothing about any single test."""
        whole, status = self.evidence.whole, self.completed.exit_status
        if whole.started is None or whole.started.writer is None:
            return f"Playwright began no session (exit status {status})"
        if self._errors:
            return f"an error outside of any test: {self._errors[0].strip().partition(chr(10))[0]}"
        if self._end not in ("passed", "failed"):
            return f"Playwright's session {self._end or 'did not finish'} (exit status {status})"
        if whole.running or whole.overflow:
            return "Playwright's case stream is not complete"
        expected = max((self._exit_of(share) for share in self.evidence.shares.values()), default=0)
        if status != expected or (status == 0) != (self._end == "passed"):
            return f"exit status {status} is explained by no test"
        return None

    def _exit_of(self, share: Share) -> int:
        """What Playwright would have ended with, had it run this share alone."""
        cases = share.evidence.cases.values()
        flaky = self.evidence.flaky_fails and any(case.status is CaseStatus.FLAKY for case in cases)
        return int(flaky or any(case.bad for case in cases))

    def _in_a_whole_pack(self, test: Test, share: Share) -> Judged | Undecided:
        if not share.own:
            return Undecided(why="none of its cases are in the pack", suspect=True)
        blocked = share.shared_bad
        not_run = [case for case in share.evidence.cases.values() if case.status is CaseStatus.NOT_RUN]
        if (share.unfinished or not_run) and not blocked and self._stopped_early:
            return Undecided(why="Playwright stopped early (maxFailures) before all of its cases ran")
        if share.unfinished and not blocked:
            return Undecided(why=f"{len(share.unfinished)} of its cases have no result")
        return self._judged(test, share, replace(self.completed, exit_status=self._exit_of(share)))

    @property
    def _stopped_early(self) -> bool:
        texts = (problem.message for problem in self.evidence.whole.of_kind(ProblemKind.ERROR))
        return any(STOPPED_EARLY in text for text in texts)

    def _in_a_broken_pack(self, test: Test, share: Share, why: str) -> Judged | Undecided:
        """A case that failed has failed; everything else has to be seen again."""
        bad = self._exit_of(share)
        if not bad or not _complete(share):
            return Undecided(why=why, suspect=self._is_suspect(test, share))
        if self.evidence.whole.running and not self._errors:
            # It broke while others ran. Alone, this test would have been over by then, and failed.
            return self._judged(test, share, replace(self.completed, exit_status=bad))
        stream = replace(share.evidence, problems=list(self.evidence.whole.problems))
        stream.started, stream.finished = self.evidence.whole.started, self.evidence.whole.finished
        return self.judge(test, self.spec.specs[test.id], self.completed, stream)

    def _is_suspect(self, test: Test, share: Share) -> bool:
        """It was running when everything ended, or an error names its files."""
        path = own_path(test)
        named = path is not None and any(str(path) in text for text in self._errors)
        return named or bool(share.own & share.evidence.running.keys())

    def _cut_short(self, test: Test, share: Share) -> Judged | Undecided:
        """We ended the pack while this test may have been over, under way or still to come."""
        bad = self._exit_of(share)
        if _complete(share) and (bad or self._ended_in_order):
            ended = replace(self.completed, exit_status=bad, limit=None, limit_seconds=None, interrupted=None)
            return self._judged(test, share, ended)
        if self._is_under_way(test) and (self.completed.limit in _OF_ALL or self.completed.interrupted):
            return self._judged(test, share, self.completed)
        cause = f"{', '.join(self.lost) or 'the pack'} had to be ended"
        return Undecided(why=f"{cause} {'while it was under way' if share.begun else 'before it began'}")

    def _is_under_way(self, test: Test) -> bool:
        """Where nothing ran, before the first case or between two, the next ones would have, alone."""
        open_tests = [one for one in self.spec.pack.tests if not _complete(self.evidence.shares[one.id])]
        begun = [one for one in open_tests if self.evidence.shares[one.id].begun]
        return test in (begun or open_tests[: self.spec.pack.width])

    @property
    def _ended_in_order(self) -> bool:
        """Asked to end, Playwright tore everything down, and had nothing to object but that it was asked."""
        status = self.completed.exit_status
        return status == _INTERRUPTED and self._end == "interrupted" and not self._errors

    def _judged(self, test: Test, share: Share, completed: Completed) -> Judged:
        """With the stream that the test alone would have left."""
        stream = replace(share.evidence)
        stream.started = self.evidence.whole.started
        if completed.limit is None and completed.interrupted is None:
            end = "failed" if completed.exit_status else "passed"
            stream.finished = SessionFinished(exit_status=completed.exit_status, status=end)
        judged = self.judge(test, self.spec.specs[test.id], completed, stream)
        return replace(judged, exit_status=completed.exit_status)


def _complete(share: Share) -> bool:
    """All of its own cases have their result, and so have those that they depend on."""
    return bool(share.own) and not share.unfinished and not share.evidence.running
