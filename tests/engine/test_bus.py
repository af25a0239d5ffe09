"""The bus under reporters that break, block and lag."""

import asyncio
from dataclasses import dataclass, field

import pytest
from support.plans import a_phase, a_plan
from support.virtual import run_virtually, virtual_clock

from e2e_orchestrator.engine.bus import EventBus
from e2e_orchestrator.model.events import Envelope, Event, ReporterFailed, RunStarted, Warned

START = RunStarted(run_id="r", started_at="", version="0", plan=a_plan(a_phase("one", "a")))


@dataclass
class Listener:
    """Fails at the event with this number, waits at every event for these seconds."""

    fails_at: int = 0
    seconds: float = 0.0
    fails_to_close: bool = False
    seen: list[int] = field(default_factory=list)
    closed: int = 0

    async def handle(self, envelope: Envelope) -> None:
        await asyncio.sleep(self.seconds)
        if envelope.seq == self.fails_at:
            raise ValueError("out of paper")
        self.seen.append(envelope.seq)

    async def close(self) -> None:
        self.closed += 1
        if self.fails_to_close:
            raise OSError("no space left")


def publish(*listeners: Listener, events: int = 3, patience: float = 30.0) -> tuple[EventBus, list[Envelope]]:
    """A run of that many events after the first; listeners are named 0, 1, …"""
    journal: list[Envelope] = []

    async def main() -> EventBus:
        bus = EventBus(append=journal.append, redact=_keep, clock=virtual_clock(), patience=patience)
        for number, listener in enumerate(listeners):
            bus.subscribe(str(number), listener)
        await bus.publish(START)
        for number in range(events):
            await bus.publish(Warned(message=f"event {number}"))
        await bus.close(patience=patience)
        return bus

    return run_virtually(main()), journal


def _keep(event: Event) -> Event:
    return event


def test_every_listener_sees_every_event_in_order_and_is_closed_once() -> None:
    fast, slow = Listener(), Listener(seconds=0.5)
    _, journal = publish(fast, slow)
    assert fast.seen == slow.seen == [one.seq for one in journal] == [1, 2, 3, 4]
    assert (fast.closed, slow.closed) == (1, 1)


def test_a_listener_that_breaks_is_named_closed_and_left_out_while_the_others_go_on() -> None:
    broken, well = Listener(fails_at=2), Listener()
    bus, journal = publish(broken, well)
    assert broken.seen == [1]
    assert broken.closed == 1
    assert bus.broken == {"0": "ValueError: out of paper"}
    failures = [one.event for one in journal if isinstance(one.event, ReporterFailed)]
    assert failures == [ReporterFailed(reporter="0", message="ValueError: out of paper")]
    assert well.seen == [one.seq for one in journal]


def test_a_listener_that_cannot_close_is_named() -> None:
    bus, _ = publish(Listener(fails_to_close=True))
    assert bus.broken == {"0": "OSError: no space left"}


def test_a_listener_that_never_answers_is_dropped_after_a_while_and_does_not_stop_the_run() -> None:
    stuck, well = Listener(seconds=1e9), Listener()
    bus, journal = publish(stuck, well, events=1500)
    assert "0" in bus.broken
    assert well.seen == [one.seq for one in journal]


@pytest.mark.parametrize("later", range(6))
def test_a_publisher_is_cancelled_whenever_that_is_also_when_a_queue_gets_room(later: int) -> None:
    """``later`` counts turns of the event loop."""

    async def main() -> bool:
        bus = EventBus(append=lambda _: None, redact=_keep, clock=virtual_clock())
        slow = Slow()
        bus.subscribe("slow", slow)
        await bus.publish(START)
        publisher = asyncio.create_task(_publish_many(bus))
        await asyncio.sleep(1.0)  # Now the queue is full, and the publisher waits.
        slow.go_on.set()
        for _ in range(later):
            await asyncio.sleep(0)
        publisher.cancel()
        await asyncio.wait({publisher}, timeout=60.0)
        return publisher.cancelled()

    assert run_virtually(main())


def test_a_publisher_that_is_cancelled_over_a_full_queue_has_told_everybody_else() -> None:
    journal: list[Envelope] = []
    well = Listener()

    async def main() -> bool:
        bus = EventBus(append=journal.append, redact=_keep, clock=virtual_clock())
        bus.subscribe("slow", Slow())
        bus.subscribe("well", well)
        publisher = asyncio.create_task(_publish_many(bus))
        await asyncio.sleep(1.0)  # Now the queue of the first is full, and the publisher waits.
        publisher.cancel()
        await asyncio.sleep(1.0)
        return publisher.cancelled()

    assert run_virtually(main())
    assert len(journal) > 1000
    assert well.seen == [one.seq for one in journal]


class Slow(Listener):
    """Hears one event when it is told to, and nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def handle(self, envelope: Envelope) -> None:
        await self.go_on.wait()
        if self.seen:
            await asyncio.Event().wait()
        self.seen.append(envelope.seq)


async def _publish_many(bus: EventBus) -> None:
    for _ in range(3000):
        await bus.publish(Warned(message="again"))


def test_a_journal_that_cannot_be_written_is_remembered_and_the_reporters_still_hear() -> None:
    listener = Listener()

    def full(envelope: Envelope) -> None:
        raise OSError(28, "No space left on device")

    async def main() -> EventBus:
        bus = EventBus(append=full, redact=_keep, clock=virtual_clock())
        bus.subscribe("0", listener)
        await bus.publish(START)
        await bus.close(patience=1)
        return bus

    assert "No space left" in (run_virtually(main()).journal_error or "")
    assert listener.seen == [1]
