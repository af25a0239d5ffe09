"""The newest run that was green, for gates that compare with it."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from e2e_orchestrator.engine.gates import measured_cases
from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.journal.digest import digest
from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.journal.runs import Run, runs_below
from e2e_orchestrator.model.gates import LastGreen
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.summary import fold


def with_last_green(plan: Plan, *, output: Path) -> Plan:
    """The plan that knows it, if one of its gates asks for it and there is one."""
    asked = [plan.gates, *(phase.gates for phase in plan.phases)]
    if not any(gates and gates.fewer_cases is not None for gates in asked):
        return plan
    found = (_green(run, plan) for run in runs_below(output))
    return replace(plan, last_green=next((one for one in found if one), None))


def _green(run: Run, plan: Plan) -> LastGreen | None:
    """None of a run that was not green, had less to do than this one, or whose journal cannot be read."""
    if run.alive or digest(run).exit_code != 0:
        return None
    with suppress(UsageError, OSError, LookupError, StopIteration):
        state = fold(JournalReader(run.journal))
        if state.shard is None and not _left_out_of(state.plan, plan):
            cases = {phase.name: measured_cases(phase.tests) for phase in state.phases}
            return LastGreen(run_id=state.run_id, cases=cases)
    return None


def _left_out_of(earlier: Plan | None, plan: Plan) -> bool:
    """Whether somebody chose a part then, and not all of what is planned now."""
    planned = {phase.name for phase in plan.phases} | {test.id for test in plan.tests}
    return earlier is None or any(left.id in planned for left in earlier.left_out)
