"""What an attempt or a pack tells while it runs reaches everybody, wherever the telling is cut short."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support.execute import attempt_spec
from support.plans import a_test
from support.virtual import run_virtually, virtual_clock

from e2e_orchestrator.executors.live import Live
from e2e_orchestrator.executors.pack_live import PackLive
from e2e_orchestrator.model.command import AttemptSpec
from e2e_orchestrator.model.events import CaseFinished, CaseStarted, Event
from e2e_orchestrator.model.packs import Pack, PackSpec
from e2e_orchestrator.process.ending import Grace
from e2e_orchestrator.protocols import Emit

CASES = ("first", "second", "third")
STEPS = 40  # Of the event loop: more than a whole look takes.
Make = Callable[[AttemptSpec, Emit], Live | PackLive]


def alone(spec: AttemptSpec, emit: Emit) -> Live:
    return Live(test=a_test("t"), spec=spec, emit=emit, clock=virtual_clock())


def packed(spec: AttemptSpec, emit: Emit) -> PackLive:
    async def begin(_test: str, _slot: int) -> None:
        await asyncio.sleep(0)

    test = a_test("t")
    pack = PackSpec(pack=Pack(tests=(test,), width=1), specs={test.id: spec}, folder=spec.folder, slots=(0,))
    return PackLive(spec=pack, emit=emit, begin=begin, clock=virtual_clock(), grace=Grace())


def written(folder: Path) -> AttemptSpec:
    spec = attempt_spec(folder)
    lines = [
        {"event": "session_started", "writer": "w", "tool": "playwright"},
        {"event": "collected", "ids": CASES, "test": a_test("t").id, "writer": "w"},
        *({"event": "case_started", "id": name, "writer": "w"} for name in CASES),
        *({"event": "case_finished", "id": name, "status": "passed", "writer": "w"} for name in CASES),
    ]
    spec.events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return spec


@pytest.mark.parametrize(("make", "first_look"), [(alone, 0.1), (packed, 0.0)], ids=["alone", "packed"])
def test_wherever_a_look_is_cut_short_every_event_is_told_once(
    make: Make, first_look: float, tmp_path: Path
) -> None:
    spec = written(tmp_path)

    async def told(*, steps: int) -> list[tuple[str, str]]:
        """Of one that is followed for that many steps, with an ``emit`` that waits before and after."""
        found: list[tuple[str, str]] = []

        async def emit(event: Event) -> None:
            await asyncio.sleep(0)
            assert isinstance(event, CaseStarted | CaseFinished)
            found.append((event.type, event.case if isinstance(event, CaseStarted) else event.case.id))
            await asyncio.sleep(0)

        live = make(spec, emit)
        looking = asyncio.create_task(live.lost_patience())
        await asyncio.sleep(first_look)
        for _ in range(steps):
            await asyncio.sleep(0)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await live.catch_up()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return found

    whole = run_virtually(told(steps=STEPS))
    assert len(whole) == 2 * len(CASES)
    for steps in range(STEPS):
        assert run_virtually(told(steps=steps)) == whole, steps


@pytest.mark.parametrize("make", [alone, packed])
def test_a_look_that_never_ends_ends_with_who_waits_for_it(make: Make, tmp_path: Path) -> None:
    spec = written(tmp_path)

    async def main() -> None:
        stuck = asyncio.Event()

        async def emit(_event: Event) -> None:
            stuck.set()
            await asyncio.Event().wait()

        live = make(spec, emit)
        looking = asyncio.create_task(live.lost_patience())
        await stuck.wait()
        looking.cancel()
        await asyncio.wait({looking})
        ending = asyncio.create_task(live.catch_up())
        await asyncio.sleep(0)
        ending.cancel()
        await asyncio.wait({ending})
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtually(main())
