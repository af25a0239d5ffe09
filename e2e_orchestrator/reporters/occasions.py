"""When a run is worth a message: always, when it failed, or when it ended otherwise than the one before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext

RESULTS = "e2e-results.json"


class Occasion(StrEnum):
    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    ON_CHANGE = "on-change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasions:
    """Made before the run begins: ``before`` is the run whose results lie in the output folder then."""

    asked: Occasion = Occasion.ALWAYS
    before: Mapping[str, object] | None = None

    def call_for(self, run: RunState) -> bool:
        """A run without a known predecessor is a change if it failed."""
        success, before = run.finished is not None and run.finished.success, self._before(run)
        match self.asked:
            case Occasion.ALWAYS:
                return True
            case Occasion.ON_FAILURE:
                return not success
            case Occasion.ON_CHANGE:
                return success is not before if before is not None else not success

    def recovered(self, run: RunState) -> bool:
        """It passed, and the one before had not."""
        return run.finished is not None and run.finished.success and self._before(run) is False

    def _before(self, run: RunState) -> bool | None:
        if self.before is None or self.before.get("run_id") == run.run_id:
            return None
        return self.before.get("success") is True


def occasions(context: ReporterContext, *, variable: str) -> Occasions:
    """What ``variable`` asks for, and how the run before ended. Raises UsageError for an unknown word."""
    word = context.environ.get(variable, "").strip() or Occasion.ALWAYS
    if word not in list(Occasion):
        raise UsageError(
            f"{variable}={word}: no occasion for a message", hint=f"write one of: {', '.join(Occasion)}"
        )
    return Occasions(asked=Occasion(word), before=_read(context.output / RESULTS))


def _read(path: Path) -> Mapping[str, object] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
