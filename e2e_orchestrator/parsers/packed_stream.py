"""Splits the case stream of a pack: each test's share of it, as if the test had run alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from e2e_orchestrator.model.outcomes import Case
from e2e_orchestrator.parsers.case_stream import (
    Collected,
    Finished,
    Retried,
    Started,
    StreamEvent,
    StreamEvidence,
    read_events,
)


@dataclass(slots=True, kw_only=True)
class Share:
    """One test's part. ``own`` are the cases of its own files, beside those that run once for several tests."""

    evidence: StreamEvidence = field(default_factory=StreamEvidence)
    own: set[str] = field(default_factory=set)

    @property
    def shared_bad(self) -> list[Case]:
        """The cases of others that failed, and on which its own may depend."""
        return [case for case in self.evidence.cases.values() if case.bad and case.id not in self.own]

    @property
    def unfinished(self) -> list[str]:
        """Its own cases without a result."""
        return [one for one in self.evidence.collected if one in self.own and not self.ended(one)]

    @property
    def begun(self) -> bool:
        """Whether one of its own cases ever started."""
        return any(one in self.evidence.cases or one in self.evidence.running for one in self.own)

    def ended(self, case: str) -> bool:
        return case in self.evidence.cases and case not in self.evidence.running


@dataclass(slots=True, kw_only=True)
class PackedEvidence:
    """``whole`` is the pack's: its session and its errors; ``shares`` are by test id."""

    shares: dict[str, Share]
    whole: StreamEvidence = field(default_factory=StreamEvidence)
    flaky_fails: bool = False
    _owners: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tests: Iterable[str]) -> "PackedEvidence":
        return cls(shares={test: Share() for test in tests})

    def owners(self, case: str) -> list[str]:
        """The tests to which a case belongs."""
        return self._owners.get(case, [])

    def apply(self, event: StreamEvent) -> None:
        self.whole.apply(event)
        match event:
            case Collected(test=str(test)) if test in self.shares:
                self.flaky_fails = self.flaky_fails or event.flaky_fails
                share = self.shares[test]
                share.evidence.apply(event)
                share.own.update(() if event.shared else event.ids)
                for identity in event.ids:
                    self._owners.setdefault(identity, []).append(test)
            case Started(id=identity) | Retried(id=identity):
                self._pass_on(identity, event)
            case Finished(case=case):
                self._pass_on(case.id, event)
            case _:
                pass

    def _pass_on(self, identity: str, event: StreamEvent) -> None:
        for test in self.owners(identity):
            self.shares[test].evidence.apply(event)


def read_packed(path: Path, *, tests: Iterable[str]) -> PackedEvidence:
    """The evidence in a file that need not exist."""
    evidence = PackedEvidence.of(tests)
    read_events(path, into=evidence.whole, apply=evidence.apply)
    return evidence
