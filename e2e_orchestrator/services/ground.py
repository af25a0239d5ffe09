"""What every service of a run stands on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e_orchestrator.process.ports import Ports
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.protocols import Cancellation, Emit


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """``logs`` is the folder for the output of services, below ``output``; ``environ`` the caller's."""

    supervisor: Supervisor
    environ: Mapping[str, str]
    run_id: str
    logs: Path
    output: Path
    cancellation: Cancellation
    emit: Emit
    ports: Ports = field(default_factory=Ports)
