"""Runs what a runner wants to have done after the last test, however the run ended."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.protocols import ClosingRunner, Runner

_LOG = "closing.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """``environ`` is what every child of the run gets; ``folder`` the run's own."""

    supervisor: Supervisor
    environ: Mapping[str, str]
    run_id: str
    folder: Path

    async def close(self, runner: Runner, *, seconds: float) -> str | None:
        """Why something could not be undone within so many seconds; None if all is well."""
        if not isinstance(runner, ClosingRunner):
            return None
        said: list[str] = []
        for command in runner.closing(run_id=self.run_id, folder=self.folder):
            output = self.folder / _LOG
            child = await self.supervisor.start(
                command.argv, cwd=command.cwd, env={**self.environ, **command.env}, output=output
            )
            try:
                async with asyncio.timeout(seconds):
                    ended = await child.ended()
                if ended.exit_status != 0:
                    said.append(ended.start_error or tail_of(output).strip())
            except TimeoutError:
                said.append(f"not done after {seconds:g} s")
            finally:
                child.kill()
        return "; ".join(said) or None
