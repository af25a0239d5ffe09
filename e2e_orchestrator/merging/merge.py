"""From the runs of all shards to one run with a folder and a journal of its own, as good as any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from e2e_orchestrator import __version__, plugins
from e2e_orchestrator.engine.phase_run import Place
from e2e_orchestrator.engine.verdict import RunVerdict
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.history.last_green import with_last_green
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.measuring.coverage import Measuring, measuring_of
from e2e_orchestrator.merging.evidence import Evidence
from e2e_orchestrator.merging.parts import Part, complete, whole_plan
from e2e_orchestrator.merging.union import Union
from e2e_orchestrator.model.baseline import Baseline
from e2e_orchestrator.model.events import Envelope, RunStarted
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.session import new_place, open_journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A run that never ran: the union of those that did."""

    run: Run
    envelopes: tuple[Envelope, ...]
    state: RunState
    verdict: RunVerdict


def merge(given: Sequence[Part], *, output: Path, baseline: Baseline | None = None) -> Merged:
    """Writes the union into a new run folder below ``output``; compared with ``baseline``, else as its shards.

    Raises UsageError or InfrastructureError, and writes nothing, if the parts are not the whole plan, each
    shard once; InfrastructureError if the folder cannot be written.
    """
    parts = complete(given)
    place = new_place(output)
    started = RunStarted(
        run_id=place.run_id,
        started_at=min((part.state.started_at for part in parts), key=_moment),
        version=__version__,
        plan=with_last_green(whole_plan(parts), output=output),
        merged_from=tuple(part.state.run_id for part in parts),
    )
    lock, journal = open_journal(place)
    try:
        union = Union(
            parts,
            evidence=_evidence(parts, folder=place.folder, output=output),
            started=started,
            baseline=baseline,
            measure=_measuring(started.plan, place=place).measure,
        )
        envelopes = tuple(union)
        for envelope in envelopes:
            journal.append(envelope)
    except OSError as error:
        raise InfrastructureError(
            f"the merged run cannot be written: {error}", hint="use --output PATH with a folder you may write"
        ) from error
    finally:
        journal.close()
        lock.release()
    assert union.verdict is not None  # noqa: S101 - it is made before the last event.
    return Merged(run=Run(folder=place.folder), envelopes=envelopes, state=union.state, verdict=union.verdict)


def _measuring(plan: Plan, *, place: Place) -> Measuring:
    runners = {spec.name: plugins.runner(spec.kind)(spec) for spec in plan.runners if spec.coverage}
    return measuring_of(runners, output=place.output, folder=place.folder, environ={})


def _evidence(parts: Sequence[Part], *, folder: Path, output: Path) -> dict[int, Evidence]:
    slots, made = 0, {}
    for part in parts:
        index = part.shard.index
        made[index] = Evidence(part=part, folder=folder / "shards" / str(index), output=output, slots=slots)
        slots += part.plan.workers
    return made


def _moment(started_at: str) -> float:
    try:
        return datetime.fromisoformat(started_at).timestamp()
    except ValueError:
        return 0.0
