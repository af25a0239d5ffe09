"""What the workers of a Django run found, told the way Django tells it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from e2e_orchestrator.contrib.junit_file import write_junit
from e2e_orchestrator.contrib.running import UNHAPPY, Ended
from e2e_orchestrator.model.outcomes import Case, CaseStatus

_LETTERS = {
    CaseStatus.PASSED: ".",
    CaseStatus.FAILED: "F",
    CaseStatus.ERROR: "E",
    CaseStatus.TIMEOUT: "T",
    CaseStatus.SKIPPED: "s",
    CaseStatus.XFAILED: "x",
    CaseStatus.XPASSED: "u",
    CaseStatus.FLAKY: ".",
    CaseStatus.NOT_RUN: "-",
}
_COUNTED = (
    ("failures", CaseStatus.FAILED),
    ("errors", CaseStatus.ERROR),
    ("timeouts", CaseStatus.TIMEOUT),
    ("not run", CaseStatus.NOT_RUN),
    ("skipped", CaseStatus.SKIPPED),
    ("expected failures", CaseStatus.XFAILED),
)


@dataclass(slots=True, kw_only=True)
class Results:
    """``verbosity`` is Django's: 0 says nothing while it runs, 2 and above name every case."""

    workers: int
    verbosity: int = 1
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    ended: list[Ended] = field(default_factory=list)
    seconds: float = 0.0

    def hear(self, ended: Ended) -> None:
        self.ended.append(ended)
        for case in ended.attempt.cases:
            if self.verbosity > 1:
                self._say(f"{case.id} ... {case.status}")
            elif self.verbosity == 1:
                self.stream.write(_LETTERS[case.status])
        if ended.unexplained and self.verbosity:
            self.stream.write("E")
        self.stream.flush()

    @property
    def cases(self) -> list[Case]:
        return [case for ended in self.ended for case in ended.attempt.cases]

    @property
    def failures(self) -> int:
        return sum(case.bad for case in self.cases) + sum(one.unexplained for one in self.ended)

    def show(self, *, seconds: float, evidence: Path | None) -> None:
        """The failures, the count and the verdict."""
        self.seconds = seconds
        self._say("")
        for title, text in self._troubles():
            self._say("=" * 70, title, "-" * 70, text, "")
        self._say("-" * 70, f"Ran {self._counted(len(self.cases), 'test')} in {seconds:.3f}s", "")
        self._say(f"{'FAILED' if self.failures else 'OK'}{self._tally()}")
        if self.failures and evidence:
            self._say(f"What the workers printed: {evidence}")

    def show_benchmark(self, *, databases: int) -> None:
        """What one process would have needed is measured: its start once, and every case."""
        busy = sum(ended.attempt.duration for ended in self.ended)
        starts = [
            ended.attempt.duration - sum(case.duration for case in ended.attempt.cases)
            for ended in self.ended
        ]
        alone = max(starts, default=0.0) + sum(case.duration for case in self.cases)
        share = 1 - self.seconds / alone if alone else 0.0
        than = f"{abs(share):.0%} {'faster' if share >= 0 else 'slower'} than the {alone:.1f}s of one process"
        use = busy / (self.workers * self.seconds) if self.seconds else 0.0
        errors = sum(ended.infrastructure for ended in self.ended)
        self._say(
            f"[CONCURRENT] Ran {self._counted(len(self.cases), 'test')} with {self._counted(self.workers, 'worker')}",
            f"[CONCURRENT] Tests completed in {self.seconds:.1f}s ({than})",
            f"[CONCURRENT] Worker utilization: {use:.0%}",
            f"[CONCURRENT] Database operations: {self._counted(databases, 'database')} made, "
            f"{self._counted(errors, 'error')}",
        )

    def write_junit(self, path: Path) -> None:
        write_junit(path, self.ended)

    def _troubles(self) -> Iterator[tuple[str, str]]:
        for ended in self.ended:
            for case in ended.attempt.cases:
                if case.bad or case.status is CaseStatus.NOT_RUN:
                    yield f"{UNHAPPY[case.status]}: {case.id}", case.message or ""
            if ended.unexplained:
                yield (
                    f"ERROR: {ended.suite} ({ended.attempt.verdict.reason})",
                    ended.attempt.verdict.message or "",
                )

    def _tally(self) -> str:
        counts = [(word, sum(case.status is status for case in self.cases)) for word, status in _COUNTED]
        counts.append(("modules", sum(ended.unexplained for ended in self.ended)))
        said = ", ".join(f"{word}={count}" for word, count in counts if count)
        return f" ({said})" if said else ""

    def _say(self, *lines: str) -> None:
        self.stream.writelines(f"{line}\n" for line in lines)

    @staticmethod
    def _counted(count: int, what: str) -> str:
        return f"{count} {what}" if count == 1 else f"{count} {what}s"
