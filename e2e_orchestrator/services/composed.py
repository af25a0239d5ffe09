"""The containers behind one service, from the call that makes them to the proof that none is left."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from e2e_orchestrator.model.service import Compose
from e2e_orchestrator.services import compose
from e2e_orchestrator.services.containers import Containers


class Composed:
    """``run`` is the run's folder: what is made is noted there, for whoever cleans up after a run that was killed."""

    def __init__(self, what: Compose, *, project: str, environ: Mapping[str, str], run: Path) -> None:
        self._what, self._project, self._environ, self._run = what, project, environ, run
        self._driver: compose.Driver | None = None
        self._expected: frozenset[str] = frozenset()

    async def up(self) -> tuple[str, ...]:
        """What starts them. Raises InfrastructureError if no program can."""
        if self._driver is None:
            self._driver = await asyncio.to_thread(compose.find_driver, self._what, environ=self._environ)
        self._expected = frozenset()
        self._containers(self._driver).note(self._run)
        return compose.up(self._what, self._project, driver=self._driver)

    def stop(self, *, grace: float) -> tuple[str, ...] | None:
        """What asks them to end; None if they were never started."""
        if self._driver is None:
            return None
        return compose.stop(self._what, self._project, driver=self._driver, grace=grace)

    async def ready(self) -> None:
        """Whatever failed until now did not keep the service from being ready."""
        self._expected = await self._failed()

    async def failed(self) -> str | None:
        """Which containers failed since then: most compose programs do not end while another one lives."""
        return ", ".join(sorted(await self._failed() - self._expected)) or None

    async def remove(self) -> str | None:
        """Whatever state they are in. None if nothing is left, else what their engine says."""
        if self._driver is None:
            return None
        return await asyncio.to_thread(
            self._containers(self._driver).remove, self._run, environ=self._environ
        )

    async def _failed(self) -> frozenset[str]:
        if self._driver is None:
            return frozenset()
        return await asyncio.to_thread(self._containers(self._driver).failed, self._environ)

    def _containers(self, driver: compose.Driver) -> Containers:
        return Containers(engine=driver.engine, project=self._project)
