"""Prints what it costs to start and end a child: through the Supervisor, and without it.

python tests/docs/cost_of_a_child.py
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from e2e_orchestrator.process.supervisor import Supervisor

COUNT = 200


async def measured(once: Callable[[], Awaitable[object]]) -> str:
    """Median and slowest tenth, in milliseconds."""
    took = []
    for _ in range(COUNT):
        began = time.perf_counter()
        await once()
        took.append((time.perf_counter() - began) * 1000)
    return f"{statistics.median(took):6.2f} ms median, {statistics.quantiles(took, n=10)[-1]:6.2f} ms at most in nine of ten"


async def main(folder: Path) -> None:
    async def bare(*argv: str) -> None:
        process = await asyncio.create_subprocess_exec(*argv)
        await process.wait()

    async with Supervisor(log=folder / "keeper.log") as supervisor:

        async def kept() -> None:
            child = await supervisor.start(
                ["true"], cwd=folder, env=dict(os.environ), output=folder / "output.log"
            )
            await child.ended()

        rows = [
            ("`true` through the Supervisor", await measured(kept)),
            ("`true` with asyncio alone", await measured(lambda: bare("true"))),
            ("an empty Python (-I -S)", await measured(lambda: bare(sys.executable, "-I", "-S", "-c", ""))),
        ]
    for name, figures in rows:
        sys.stdout.write(f"{name:32} {figures}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(main(Path(place)))
