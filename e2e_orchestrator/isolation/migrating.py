"""Runs the command that builds a schema, as a process like every other: watched, logged, ended with the run."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.isolation import PlannedDatabase
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.references import references
from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.process.supervisor import Supervisor

_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """``environ`` is what every child gets; ``logs`` the folder for what the commands print."""

    supervisor: Supervisor
    environ: Mapping[str, str]
    logs: Path

    async def __call__(self, source: PlannedDatabase, url: str) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"migrate-{file_name(source.variable)}.log"
        given = {name: text for name, text in source.env.items() if not references(text)}  # Ports come later.
        env = {**self.environ, **given, source.variable: url}
        child = await self.supervisor.start(source.migrate, cwd=Path(source.cwd), env=env, output=log)
        try:
            async with asyncio.timeout(_SECONDS):
                ended = await child.ended()
        except TimeoutError:
            raise self._failed(source, f"took longer than {_SECONDS:g} s", log) from None
        finally:
            child.kill()
        if ended.exit_status != 0:
            why = ended.start_error or f"ended with exit status {ended.exit_status}"
            raise self._failed(source, why, log)

    def _failed(self, source: PlannedDatabase, why: str, log: Path) -> InfrastructureError:
        return InfrastructureError(
            f"databases.{source.variable}.migrate {why}: {' '.join(tail_of(log, size=1000).split())}",
            hint=f"its log: {log}",
        )
