"""Which part of a plan was asked for: phases by name, tests by glob, tests by tag."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from e2e_orchestrator.config.mistakes import did_you_mean
from e2e_orchestrator.errors import NothingToRun, UsageError
from e2e_orchestrator.model.plan import LeftOut, Plan, PlannedPhase, Test
from e2e_orchestrator.model.shortened import shortened

EVERY_PHASE = "all"
_MOST_NAMED = 30


def select(
    plan: Plan, *, phases: Sequence[str] = (), tests: Sequence[str] = (), tags: Sequence[str] = ()
) -> Plan:
    """The plan without what was not asked for, which moves to ``left_out`` with the reason.

    An empty sequence asks for everything. The order stays the file's. Raises UsageError for a phase, a
    glob or a tag that fits nothing in the plan, NothingToRun if all fit something and nothing fits all.
    """
    _know_phases(plan, phases)
    _know_tests(plan, tests)
    _know_tags(plan, tags)
    left_out = list(plan.left_out)
    kept: list[PlannedPhase] = []
    for phase in plan.phases:
        if phases and EVERY_PHASE not in phases and phase.name not in phases:
            left_out.append(LeftOut(id=phase.name, why="not selected by --phase"))
            continue
        wanted, unwanted = _split(phase, tests=tests, tags=tags)
        if wanted:
            left_out += unwanted
            kept.append(replace(phase, tests=wanted))
        else:
            options = " and ".join(sorted({it.why.removeprefix("not selected by ") for it in unwanted}))
            left_out.append(LeftOut(id=phase.name, why=f"no test selected by {options}"))
    if not kept:
        raise NothingToRun("no test was selected", hint=_what_there_is(plan, phases=phases))
    return replace(plan, phases=tuple(kept), left_out=tuple(left_out))


def _split(
    phase: PlannedPhase, *, tests: Sequence[str], tags: Sequence[str]
) -> tuple[tuple[Test, ...], list[LeftOut]]:
    wanted: list[Test] = []
    unwanted: list[LeftOut] = []
    for test in phase.tests:
        if tests and not any(_fits(test, glob) for glob in tests):
            unwanted.append(LeftOut(id=test.id, why="not selected by --test"))
        elif tags and not set(tags) & set(test.tags):
            unwanted.append(LeftOut(id=test.id, why="not selected by --tag"))
        else:
            wanted.append(test)
    return tuple(wanted), unwanted


def _fits(test: Test, glob: str) -> bool:
    # The plain comparison first: names may hold brackets.
    return glob in (test.name, test.id) or fnmatchcase(test.name, glob) or fnmatchcase(test.id, glob)


def _know_phases(plan: Plan, phases: Sequence[str]) -> None:
    names = [phase.name for phase in plan.phases]
    _refuse_unknown(
        "phase", phases, [*names, EVERY_PHASE], known=lambda name: name in names or name == EVERY_PHASE
    )


def _know_tests(plan: Plan, globs: Sequence[str]) -> None:
    existing = [test.id if any("/" in glob for glob in globs) else test.name for test in plan.tests]
    _refuse_unknown(
        "test",
        globs,
        list(dict.fromkeys(existing)),
        known=lambda glob: any(_fits(test, glob) for test in plan.tests),
    )


def _know_tags(plan: Plan, tags: Sequence[str]) -> None:
    existing = sorted({tag for test in plan.tests for tag in test.tags})
    _refuse_unknown("tag", tags, existing, known=lambda tag: tag in existing)


def _refuse_unknown(
    what: str, asked: Iterable[str], existing: Sequence[str], *, known: Callable[[str], bool]
) -> None:
    unknown = [word for word in dict.fromkeys(asked) if not known(word)]
    if unknown:
        words = " and no ".join(f"{what} `{word}`" for word in unknown)
        meant = did_you_mean(unknown[0], existing)
        question = f"did you mean `{meant}`? " if meant else ""
        there_are = (
            f"there are: {shortened(existing, most=_MOST_NAMED)}" if existing else "the file defines none"
        )
        raise UsageError(f"there is no {words}", hint=f"{question}{there_are}")


def _what_there_is(plan: Plan, *, phases: Sequence[str]) -> str:
    asked = [phase for phase in plan.phases if not phases or phase.name in phases or EVERY_PHASE in phases]
    tests = shortened([test.id for phase in asked for test in phase.tests], most=_MOST_NAMED)
    return (
        f"without --test and --tag there are: {tests}"
        if tests
        else "`e2e-orchestrate plan` shows what there is"
    )
