"""What may start now? Synchronous and without a clock: the engine asks, starts, and tells what ended."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from e2e_orchestrator.engine.slots import Slots
from e2e_orchestrator.model.packs import Pack
from e2e_orchestrator.model.plan import RetryStrategy, Test


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Permission to start an attempt of a test in a slot."""

    test: Test
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackStart:
    """Permission to start a pack in as many slots as it takes."""

    pack: Pack
    slots: tuple[int, ...]


class PhaseScheduler:
    """The tests of one phase on slots that it may share with others.

    Side by side, a retry goes before tests that never ran (``immediate``), after them (``end_of_phase``),
    or after everything else and alone in the whole run (``isolated``). In order, a test and all of its
    retries come before the next test. Packs come before tests that run alone, which would keep a wide one
    from its slots. ``urgencies`` say how urgent the next start is once none, one, two … tests have started.
    """

    def __init__(
        self, tests: Sequence[Test], *, slots: Slots, parallel: bool, urgencies: Sequence[float] = ()
    ) -> None:
        self._waiting = deque(tests)
        self._packs: deque[Pack] = deque()
        self._due: dict[RetryStrategy, deque[Test]] = {strategy: deque() for strategy in RetryStrategy}
        self._pausing: set[str] = set()
        self._unsettled: set[str] = set()
        self._slots = slots
        self._running = 0
        self._parallel = parallel
        self._urgencies = urgencies or (0.0,) * (len(tests) + 1)

    @property
    def urgency(self) -> float:
        """Of phases that may start something, the one with the highest goes first."""
        return self._urgencies[-1 - len(self._waiting)]

    def take(self) -> Start | None:
        """The next start, or None if nothing may start now."""
        queue = self._queue()
        if queue is None:
            return None
        alone = queue is self._due[RetryStrategy.ISOLATED]
        slot = self._slots.take_alone(self) if alone else self._slots.take(self)
        if slot is None:
            return None
        test = queue.popleft()
        self._running += 1
        self._unsettled.add(test.id)
        return Start(test=test, slot=slot)

    def form(self, packs: Sequence[Pack]) -> None:
        """These tests, which wait, will start together."""
        packed = {test.id for pack in packs for test in pack.tests}
        self._waiting = deque(test for test in self._waiting if test.id not in packed)
        self._packs.extend(packs)

    def take_pack(self) -> PackStart | None:
        """The next pack, or None if none waits or there is no room for it."""
        if not self._packs or not (slots := self._slots.take_several(self, self._packs[0].width)):
            return None
        pack = self._packs.popleft()
        self._running += len(slots)
        self._unsettled.update(test.id for test in pack.tests)
        return PackStart(pack=pack, slots=slots)

    def repeat(self, tests: Sequence[Test]) -> None:
        """These were started in vain: they wait as before, and come first."""
        self._unsettled.difference_update(test.id for test in tests)
        self._waiting.extendleft(reversed(tests))

    def _queue(self) -> deque[Test] | None:
        """Where the next test comes from."""
        due = self._due
        if self._running and not self._parallel:
            return None
        if due[RetryStrategy.IMMEDIATE]:
            return due[RetryStrategy.IMMEDIATE]
        if self._packs or (not self._parallel and self._unsettled):
            return None
        if self._waiting or due[RetryStrategy.END_OF_PHASE]:
            return self._waiting or due[RetryStrategy.END_OF_PHASE]
        idle = not self._running and not self._pausing
        return due[RetryStrategy.ISOLATED] if due[RetryStrategy.ISOLATED] and idle else None

    def release(self, slot: int) -> None:
        """The attempt in this slot is over; its test is not settled yet."""
        self._running -= 1
        self._slots.release(slot)
        self._slots.keep_company(self)

    def pause(self, test: Test) -> None:
        """The test will be tried again, but not yet."""
        self._pausing.add(test.id)

    def retry(self, test: Test) -> None:
        """The test is due again."""
        self._pausing.discard(test.id)
        strategy = test.retries.strategy if self._parallel else RetryStrategy.IMMEDIATE
        self._due[strategy].append(test)

    def settle(self, test: Test) -> None:
        """The test has its verdict."""
        self._pausing.discard(test.id)
        self._unsettled.discard(test.id)

    @property
    def over(self) -> bool:
        """Nothing runs, nothing is due and nothing waits."""
        return not (self._packs or self._waiting or self._unsettled)

    def stop(self) -> tuple[Test, ...]:
        """Gives up what has not started; these tests never will."""
        rest = (*(test for pack in self._packs for test in pack.tests), *self._waiting)
        if self._packs:
            self._slots.keep_company(self)
        self._packs.clear()
        self._waiting.clear()
        return rest

    def give_up_retries(self) -> tuple[Test, ...]:
        """Takes back what is due again: these tests keep the verdict of their last attempt."""
        rest = tuple(test for due in self._due.values() for test in due)
        for due in self._due.values():
            due.clear()
        if not self._running:
            self._slots.keep_company(self)
        return rest
