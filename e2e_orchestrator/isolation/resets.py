"""Before which attempts a slot's world is made anew. Pure."""

from dataclasses import dataclass
from typing import assert_never

from e2e_orchestrator.model.isolation import Isolation, Reset
from e2e_orchestrator.model.plan import Test


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """By whom a world was used last."""

    phase: str


def is_due(last: LastUse | None, *, test: Test, number: int) -> bool:
    """Whether attempt ``number`` of a test needs a fresh world, where there is a used one; never if unused."""
    if last is None:
        return False
    match (test.isolation or Isolation()).reset:
        case Reset.PER_TEST:
            return True
        case Reset.PER_PHASE:
            return last.phase != test.phase
        case Reset.ON_RETRY:
            return number > 1
        case Reset.NEVER:
            return False
        case unknown:
            assert_never(unknown)
