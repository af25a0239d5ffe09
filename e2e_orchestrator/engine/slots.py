"""The slots of a run, shared by its phases: the smallest free one first. Synchronous, and without a clock."""

import heapq


class Slots:
    """Numbered from 0. Somebody who must be alone gets a slot once all are free, and nobody else one before."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = list(range(count))
        self._alone: object | None = None

    def take(self, owner: object) -> int | None:
        """A slot, or None if there is none for this owner now."""
        if not self._free or self._alone not in (None, owner):
            return None
        return heapq.heappop(self._free)

    def take_alone(self, owner: object) -> int | None:
        """The only slot that is in use, until :meth:`keep_company`; from now on nobody else gets one."""
        if self._alone in (None, owner):
            self._alone = owner
            if len(self._free) == self.count:
                return heapq.heappop(self._free)
        return None

    def take_several(self, owner: object, count: int) -> tuple[int, ...]:
        """So many slots at once, or none; from now on nobody else gets one before."""
        if self._alone not in (None, owner):
            return ()
        self._alone = None if len(self._free) >= count else owner
        return tuple(heapq.heappop(self._free) for _ in range(count)) if self._alone is None else ()

    def keep_company(self, owner: object) -> None:
        """This owner need not be alone any more."""
        if self._alone is owner:
            self._alone = None

    def release(self, slot: int) -> None:
        heapq.heappush(self._free, slot)
