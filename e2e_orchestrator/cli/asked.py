"""What somebody asked for on the command line or by the environment, before it meets the file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from e2e_orchestrator.model.plan import MaxFailures, Order, Packing, Warm

DEFAULT_CONFIG = "phases.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which plan is meant. None and empty leave it to the file; ``timeout`` in seconds.

    ``shard`` is its number and how many there are.
    """

    config: Path = Path(DEFAULT_CONFIG)
    phase: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    workers: int | Literal["auto"] | None = None
    retries: int | None = None
    timeout: float | None = None
    max_failures: MaxFailures | None = None
    no_services: bool = False
    order: Order | None = None
    pack: Packing | None = None
    durations: Path | None = None
    shard: tuple[int, int] | None = None
    warm: Warm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """How a run tells what happens, and where its results go; ``baseline`` is what it is compared with."""

    report: tuple[str, ...] = ()
    output: Path | None = None
    baseline: str | None = None
    color: Literal["auto", "always", "never"] = "auto"
    verbose: int = 0
    quiet: bool = False

    @property
    def verbosity(self) -> int:
        """-1, 0 or 1."""
        return -1 if self.quiet else min(self.verbose, 1)
