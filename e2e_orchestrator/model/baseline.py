"""The run that a run is compared with, as far as a comparison needs it: how tests ended, and of what."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from e2e_orchestrator.model.outcomes import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineTest:
    """How a test ended there; ``duration`` in seconds."""

    test: str
    status: Status
    flaky: bool = False
    duration: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFailure:
    """What went wrong there: a bad case, or a test that failed without one (``case`` is None).

    ``signature`` is what two errors of one cause share, ``title`` the line of the error that says most.
    """

    test: str
    signature: str
    title: str
    case: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Small, because every journal of a compared run holds it: passed cases are left out."""

    run_id: str
    started_at: str = ""
    exit_code: int | None = None
    tests: tuple[BaselineTest, ...] = ()
    failures: tuple[BaselineFailure, ...] = ()

    def masked(self, mask: Callable[[str], str]) -> "Baseline":
        """Every text of it through the mask, names too: unlike those of a run, nothing refers to them."""
        return replace(
            self,
            run_id=mask(self.run_id),
            started_at=mask(self.started_at),
            tests=tuple(replace(one, test=mask(one.test)) for one in self.tests),
            failures=tuple(
                replace(
                    one,
                    test=mask(one.test),
                    case=mask(one.case) if one.case is not None else None,
                    signature=mask(one.signature),
                    title=mask(one.title),
                )
                for one in self.failures
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineChosen:
    """An event: the run that this one is compared with. Follows RunStarted, at most once."""

    baseline: Baseline
    type: Literal["baseline_chosen"] = "baseline_chosen"
