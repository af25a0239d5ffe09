"""Gates that no run of the file can hold, whatever is selected and however it ends. Pure.

A tag that some test has and that no selected test has is no mistake of the file: then the gate says so.
"""

from collections.abc import Iterable, Iterator, Sequence

from e2e_orchestrator.config import schema
from e2e_orchestrator.config.checks import Finding
from e2e_orchestrator.config.construct import Key
from e2e_orchestrator.config.mistakes import suggestion
from e2e_orchestrator.model.plan import PlannedPhase

# What they run is no Python of ours to measure: they only leave files.
_MEASURED_BY_FILES = frozenset({"playwright", "django", "command"})


def unmet_gates(model: schema.Config, phases: Sequence[PlannedPhase]) -> Iterator[Finding]:
    """``phases`` are all phases of the file, each in the place where ``model`` has it."""
    tags = [_tags(phase, asked=asked) for phase, asked in zip(phases, model.phases, strict=True)]
    if model.gates:
        whole = dict.fromkeys(tag for of_phase in tags for tag in of_phase)
        yield from _required_tags(model.gates.required_tags, whole, keys=("gates",), of="")
        if model.gates.coverage and not any(_measured(model.runners[one.runner]) for one in model.phases):
            yield _nothing_measured(model)
    for at, (asked, known) in enumerate(zip(model.phases, tags, strict=True)):
        if asked.gates:
            keys = ("phases", at, "gates")
            yield from _required_tags(asked.gates.required_tags, known, keys=keys, of=" of this phase")


def _tags(phase: PlannedPhase, *, asked: schema.Phase) -> list[str]:
    """Also the phase's own, of which tests may be missing for another mistake."""
    return list(dict.fromkeys((*asked.tags, *(tag for test in phase.tests for tag in test.tags))))


def _required_tags(
    wanted: Sequence[str], known: Iterable[str], *, keys: tuple[Key, ...], of: str
) -> Iterator[Finding]:
    there = list(known)
    for at, tag in enumerate(wanted):
        if tag not in there:
            yield Finding(
                keys=(*keys, "required_tags", at),
                says=f"no test{of} has the tag `{tag}`",
                hint=suggestion(tag, there, otherwise="the tags there are"),
            )


def _measured(runner: schema.Runner) -> bool:
    asked = runner.coverage
    return bool(asked and (asked.files or runner.kind not in _MEASURED_BY_FILES))


def _nothing_measured(model: schema.Config) -> Finding:
    unused = [name for name, runner in model.runners.items() if _measured(runner)]
    hint = "write `coverage: {source: [src]}` at a pytest runner, or `coverage: {files: [lcov.info]}` at any"
    if unused:
        hint = f"runner `{unused[0]}` measures, but no phase uses it"
    return Finding(keys=("gates", "coverage"), says="nothing measures coverage", hint=hint)
