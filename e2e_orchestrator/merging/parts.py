"""Are these runs the shards of one plan, all of them, each exactly once?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError, UsageError
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.plan import Plan, PlannedPhase, Shard, Test
from e2e_orchestrator.model.shortened import shortened
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.planning.sharding import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The run of one shard: where it lies, and everything its journal holds."""

    run: Run
    envelopes: Sequence[Envelope]
    state: RunState
    shard: Shard
    plan: Plan

    @property
    def name(self) -> str:
        return f"shard {self.shard.name}"

    def own(self, name: str) -> str:
        """Each shard has services and reporters of its own, by the same names."""
        return f"{name} ({self.name})"


def as_part(run: Run, *, envelopes: Sequence[Envelope], state: RunState) -> Part:
    """Raises UsageError for a run that is no shard."""
    if state.shard is None or state.plan is None:
        what = "is merged already" if state.merged_from else "is no shard: it ran without --shard"
        raise UsageError(
            f"run {state.run_id} {what} ({run.folder})",
            hint="give the runs of `run --shard 1/N` to `run --shard N/N`, each once",
        )
    return Part(run=run, envelopes=envelopes, state=state, shard=state.shard, plan=state.plan)


def complete(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts by the number of their shard.

    Raises UsageError for parts of different plans, a shard given twice, and tests that several shards or
    none ran; InfrastructureError for a shard that is missing.
    """
    first = parts[0]
    for part in parts:
        _same_plan(first, part)
    ordered = sorted(parts, key=lambda part: part.shard.index)
    for _, given in groupby(ordered, key=lambda part: part.shard.index):
        one, *more = given
        if more:
            raise UsageError(
                f"{one.name} is given twice: {one.run.folder} and {more[0].run.folder}",
                hint="give the run that counts; of a run and its rerun, the rerun",
            )
    present = {part.shard.index for part in ordered}
    count = first.shard.count
    if missing := [index for index in range(1, count + 1) if index not in present]:
        names = ", ".join(f"{index}/{count}" for index in missing)
        raise InfrastructureError(
            f"{f'shard {names} is' if len(missing) == 1 else f'shards {names} are'} missing: "
            "nobody knows how the tests there ended",
            hint="did its job run, and keep its output folder? "
            f"`e2e-orchestrate run --shard {missing[0]}/{count}` runs it again",
        )
    _each_test_once(ordered)
    return tuple(ordered)


def whole_plan(parts: Sequence[Part]) -> Plan:
    """The plan that the parts were split from, in the order of the file; its slots are those of all parts."""
    first = parts[0]
    place = {test_id: at for at, test_id in enumerate(first.shard.tests)}
    phases: dict[str, PlannedPhase] = {}
    tests: dict[str, list[Test]] = {}
    for part in parts:
        for phase in part.plan.phases:
            phases.setdefault(phase.name, phase)
            tests.setdefault(phase.name, []).extend(phase.tests)
    made = [
        replace(phase, tests=tuple(sorted(tests[name], key=lambda test: place[test.id])))
        for name, phase in phases.items()
    ]
    return replace(
        first.plan,
        workers=sum(part.plan.workers for part in parts),
        phases=tuple(sorted(made, key=lambda phase: place[phase.tests[0].id])),
        services=next((part.plan.services for part in parts if part.plan.services), ()),
        left_out=tuple(left for left in first.plan.left_out if left.id not in place),
    )


def _same_plan(first: Part, part: Part) -> None:
    mine, its = first.shard, part.shard
    if digest_of(its.tests) != its.digest:
        raise UsageError(
            f"the journal of {part.name} in {part.run.folder} contradicts itself: its plan was edited"
        )
    if its.count != mine.count:
        what = f"{first.name} and {part.name} do not belong together"
    elif its.digest != mine.digest:
        differ = sorted(set(mine.tests) ^ set(its.tests))
        what = f"{first.name} and {part.name} are of different plans: only one has {shortened(differ)}"
    elif part.plan.digest and first.plan.digest and part.plan.digest != first.plan.digest:
        what = (
            f"{first.name} and {part.name} were run with different contents of {Path(part.plan.config).name}"
        )
    else:
        return
    raise UsageError(
        f"{what} ({first.run.folder}, {part.run.folder})",
        hint="give the shards of one commit, with the same selection and the same number of shards",
    )


def _each_test_once(parts: Sequence[Part]) -> None:
    owner: dict[str, Part] = {}
    hint = "all shards must split by the same durations: give each the same --durations FILE"
    for part in parts:
        for test in part.plan.tests:
            before = owner.setdefault(test.id, part)
            if before is not part:
                raise UsageError(f"test {test.id} is in {before.name} and in {part.name}", hint=hint)
    planned = set(parts[0].shard.tests)
    if lost := [test_id for test_id in parts[0].shard.tests if test_id not in owner]:
        raise UsageError(f"no shard has {shortened(lost)}", hint=hint)
    if strange := [test_id for test_id in owner if test_id not in planned]:
        name = owner[strange[0]].name
        raise UsageError(
            f"{name} has {shortened(strange)}, which its own plan does not know: its journal was edited"
        )
