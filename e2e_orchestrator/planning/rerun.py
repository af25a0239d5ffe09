"""What a rerun runs: the plan as it is now, what an earlier run made of it, and which of it still stands.

A test of the earlier run that passed is carried over, with its attempts; so is one that was skipped by its
own suite. One that failed, was cut short or never started runs again, if it is selected; if it is not,
its old end is carried over too and goes on counting against the run. What passed as another test than that
which the file describes now runs again, and that is said.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from e2e_orchestrator.errors import NothingToRun
from e2e_orchestrator.model.closing import closed
from e2e_orchestrator.model.events import TestCarriedOver
from e2e_orchestrator.model.outcomes import Reason, Status, because
from e2e_orchestrator.model.plan import LeftOut, Plan, PlannedPhase, Shard, Test
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.planning.changed import Changed, Comparison

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """``plan`` is of the union: what runs now, and what is carried over. ``dropped`` are tests that are gone.

    ``changed`` are those whose earlier pass counts no more. ``shard`` is that of the earlier run, as long as
    the tests are the same. ``elsewhere`` says that the earlier run lies in another output folder.
    """

    plan: Plan
    of: str
    carried: tuple[TestCarriedOver, ...] = ()
    dropped: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    shard: Shard | None = None
    elsewhere: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is gone, each way in which tests that passed are others now, and evidence that lies elsewhere."""
        said = []
        if self.dropped:
            said.append(f"no longer in the plan, though part of run {self.of}: {', '.join(self.dropped)}")
        alike: dict[tuple[str, ...], list[str]] = {}
        for one in self.changed:
            alike.setdefault(one.what, []).append(one.test)
        for what, tests in alike.items():
            said.append(
                f"not carried over, because run {self.of} had another {_listed(what)}: {_listed(tests)}"
            )
        if self.elsewhere and self.carried:
            said.append(
                f"run {self.of} lies in another output folder: reports cannot show what its tests left there"
            )
        return tuple(said)

    @property
    def remaining(self) -> Plan:
        """The part that runs now; without tests there is nothing that services would be needed for."""
        done = {one.test for one in self.carried}
        phases = _without_empty(
            replace(phase, tests=tuple(test for test in phase.tests if test.id not in done))
            for phase in self.plan.phases
        )
        return replace(self.plan, phases=phases, services=self.plan.services if phases else ())

    @property
    def shown(self) -> Plan:
        """The remaining part, for people: with a word on everything that is carried over."""
        notes = tuple(
            LeftOut(id=one.test, why=f"{one.verdict.reason or one.verdict.status} in run {one.from_run}")
            for one in self.carried
        )
        return replace(self.remaining, left_out=(*self.plan.left_out, *notes))


def plan_rerun(
    full: Plan, *, chosen: Plan, earlier: RunState, asked: bool, mask: Callable[[str], str] = str
) -> Rerun:
    """Compares the whole plan of today with an earlier run.

    ``chosen`` is the part of ``full`` that is selected now; ``asked`` is true if somebody selected it. If
    nobody did, the selection of the earlier run stands: what it left out stays out. ``mask`` is what the
    earlier run's secrets went through before its plan was written. Raises NothingToRun if nothing is left
    of the earlier run.
    """
    return _Comparison(earlier=earlier, full=full, chosen=chosen, asked=asked, mask=mask).rerun()


class _Comparison:
    def __init__(
        self, *, earlier: RunState, full: Plan, chosen: Plan, asked: bool, mask: Callable[[str], str]
    ) -> None:
        self._earlier, self._full, self._chosen = earlier, full, chosen
        self._asked = asked
        self._comparison = Comparison(earlier=earlier.plan, now=full, mask=mask)
        self._known = {state.test.id: state for state in earlier.tests}
        self._selected = {test.id for test in chosen.tests}
        self._unselected = {one.id: one.why for one in chosen.left_out}
        self._left_before = {one.id for one in earlier.plan.left_out} if earlier.plan else set()
        self._carried: list[TestCarriedOver] = []
        self._changed: list[Changed] = []
        self._left_out: list[LeftOut] = []

    def rerun(self) -> Rerun:
        phases = _without_empty(self._kept(phase) for phase in self._full.phases)
        if not phases:
            raise NothingToRun(
                f"no test of run {self._earlier.run_id} exists any more, and none was selected",
                hint="run without --rerun",
            )
        existing = {test.id for test in self._full.tests}
        planned = {test.id for phase in phases for test in phase.tests}
        return Rerun(
            plan=replace(self._chosen, phases=phases, left_out=(*self._full.left_out, *self._left_out)),
            of=self._earlier.run_id,
            carried=tuple(self._carried),
            dropped=tuple(test_id for test_id in self._known if test_id not in existing),
            changed=tuple(self._changed),
            shard=self._earlier.shard if planned == set(self._known) else None,
        )

    def _kept(self, phase: PlannedPhase) -> PlannedPhase:
        """The part of a phase that belongs to the union; a phase that is out as a whole is named once."""
        unknown = [test for test in phase.tests if test.id not in self._known]
        left = {test.id: why for test in unknown if (why := self._why_left_out(test))}
        if len(left) == len(phase.tests) and (why := self._why_phase_left_out(phase.name)):
            left = {phase.name: why}
        self._left_out += [LeftOut(id=name, why=why) for name, why in left.items()]
        tests = tuple(test for test in phase.tests if test.id not in left and phase.name not in left)
        for test in tests:
            if test.id in self._known:
                self._settle(self._known[test.id], test)
        return replace(phase, tests=tests)

    def _why_phase_left_out(self, name: str) -> str | None:
        before = self._was_no_part if name in self._left_before and not self._asked else None
        return self._unselected.get(name) or before

    def _why_left_out(self, test: Test) -> str | None:
        if test.id not in self._selected:
            return self._unselected.get(test.id) or self._unselected.get(test.phase) or "not selected"
        if not self._asked and not self._left_before.isdisjoint((test.id, test.phase)):
            return self._was_no_part
        return None

    @property
    def _was_no_part(self) -> str:
        return f"was not part of run {self._earlier.run_id}"

    def _settle(self, before: TestState, test: Test) -> None:
        """Carries a test over, or leaves it to be run."""
        selected, outstanding = test.id in self._selected, _outstanding(before)
        changed = () if outstanding else self._comparison.differences(before.test, test)
        if changed:
            self._changed.append(Changed(test=test.id, what=changed))
        if selected and (changed or outstanding):
            return
        verdict = closed(before)
        if changed:
            why = f"run {self._earlier.run_id} had another {_listed(changed)}, and it was not selected"
            verdict = because(Reason.BLOCKED, why)
        self._carried.append(
            TestCarriedOver(
                test=test.id,
                verdict=verdict,
                duration=before.duration,
                attempts=tuple(before.attempts),
                from_run=before.carried_from or self._earlier.run_id,
            )
        )


def _outstanding(state: TestState) -> bool:
    """A passed test is done, and so is one whose own suite skips it; everything else has to run."""
    verdict = state.verdict
    return verdict.status is not Status.PASSED and verdict.reason is not Reason.ALL_SKIPPED


def _without_empty(phases: Iterable[PlannedPhase]) -> tuple[PlannedPhase, ...]:
    return tuple(phase for phase in phases if phase.tests)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
