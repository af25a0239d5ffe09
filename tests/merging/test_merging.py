"""The union of shards: proven to be the whole, judged as one run, and never greener than its parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from support.journals import written
from support.plans import a_phase, a_plan, a_suite, a_test
from support.scripted import Step, fails, play

from e2e_orchestrator.errors import InfrastructureError, OrchestratorError, UsageError
from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.merging.merge import Merged, merge
from e2e_orchestrator.merging.parts import Part, as_part
from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.gates import Gates
from e2e_orchestrator.model.outcomes import Attachment, passed
from e2e_orchestrator.model.plan import FlakyPolicy, Plan, RetryPolicy, Shard
from e2e_orchestrator.model.summary import RunState, fold
from e2e_orchestrator.planning.sharding import split

PLAN = a_plan(a_phase("one", "a", "b", "c"), a_phase("two", "d", "e", parallel=False, required=False))


@dataclass(kw_only=True)
class Shards:
    """Runs the shards of a plan on scripted executors and keeps their journals."""

    root: Path
    plan: Plan = PLAN
    script: dict[str, Sequence[Step]] = field(default_factory=dict)

    def run(self, index: int, count: int, *, cut: int | None = None, **options: Any) -> Part:
        """One shard; with ``cut``, its journal ends after so many events."""
        part, shard = split(self.plan, index=index, count=count)
        return self.keep(play(part, script=self.script, **options).envelopes[:cut], shard)

    def keep(self, envelopes: Sequence[Envelope], shard: Shard | None, *, name: str = "") -> Part:
        run_id = f"run-{shard.index if shard else 0}{name}"
        folder = self.root / f"results-{run_id}" / "runs" / run_id
        first = envelopes[0]
        assert isinstance(first.event, events.RunStarted)
        started = replace(first.event, run_id=run_id, shard=shard, started_at="2026-01-01T00:00:00+00:00")
        told = [replace(first, event=started), *envelopes[1:]]
        written(folder, told)
        return as_part(Run(folder=folder), envelopes=told, state=fold(told))

    def merged(self, count: int) -> Merged:
        return merge([self.run(index, count) for index in range(1, count + 1)], output=self.root / "out")

    def refusal(self, *parts: Part) -> OrchestratorError:
        with pytest.raises(OrchestratorError) as caught:
            merge(parts, output=self.root / "out")
        assert not (self.root / "out").exists(), "nothing was written"
        return caught.value


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(root=tmp_path)


def ends(state: RunState) -> dict[str, tuple[Any, ...]]:
    return {
        test.test.id: (test.verdict.status, test.verdict.reason, len(test.attempts)) for test in state.tests
    }


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, 8))
def test_the_union_of_a_big_suite_is_the_run_of_the_whole(shards: Shards, count: int) -> None:
    again = RetryPolicy(max=1, delay=0.0)
    suite = a_suite()
    shards.plan = replace(
        suite,
        timeout=1e6,
        phases=tuple(
            replace(phase, timeout=1e6, tests=tuple(replace(test, retries=again) for test in phase.tests))
            for phase in suite.phases
        ),
    )
    shards.script = {"t215": [fails(), fails()], "t300": [fails()], "t7": [fails()]}
    whole = play(shards.plan, script=shards.script)
    merged = shards.merged(count)
    assert ends(merged.state) == ends(whole.state)
    assert [phase.name for phase in merged.state.phases] == [phase.name for phase in whole.state.phases]
    assert [(phase.status, phase.reason) for phase in merged.state.phases] == [
        (phase.status, phase.reason) for phase in whole.state.phases
    ]
    assert merged.verdict == whole.verdict
    assert [test.test.id for test in merged.state.tests] == [test.id for test in suite.tests], "file order"
    assert merged.state.plan == replace(shards.plan, workers=shards.plan.workers * count)


def test_the_merged_run_has_a_journal_as_good_as_any(shards: Shards) -> None:
    shards.script = {"b": [fails()]}
    merged = shards.merged(2)
    told = list(JournalReader(merged.run.journal))
    assert [one.seq for one in told] == list(range(1, len(told) + 1))
    assert [one.mono for one in told] == sorted(one.mono for one in told)
    assert tuple(told) == merged.envelopes
    assert merged.state.merged_from == ("run-1", "run-2")
    assert merged.state.shard is None
    assert not merged.run.alive
    kinds = [type(one.event) for one in told]
    assert kinds.count(events.RunStarted) == kinds.count(events.RunFinished) == 1
    assert kinds.count(events.PhaseStarted) == kinds.count(events.PhaseFinished) == 2
    assert merged.verdict.exit_code == 1


def test_the_slots_of_a_later_shard_come_after_those_of_the_earlier(shards: Shards) -> None:
    merged = shards.merged(2)
    slots = {test.test.name: test.attempts[0].slot for test in merged.state.tests}
    assert (slots["d"], slots["e"]) == (0, 0), "the sequential phase is the largest unit: shard 1"
    assert {slots["a"], slots["b"], slots["c"]} <= {0, 1, 2, 3}
    assert {slots["a"], slots["b"], slots["c"]} & {2, 3}
    assert merged.state.plan is not None
    assert merged.state.plan.workers == 4


def test_a_lost_shard_is_caught_and_named(shards: Shards) -> None:
    error = shards.refusal(shards.run(1, 4), shards.run(3, 4))
    assert isinstance(error, InfrastructureError)
    assert "shards 2/4, 4/4 are missing" in error.message


def test_a_shard_given_twice_is_refused(shards: Shards) -> None:
    error = shards.refusal(shards.run(1, 2), *[shards.run(2, 2)] * 2)
    assert isinstance(error, UsageError)
    assert "shard 2/2 is given twice" in error.message


def test_shards_of_other_plans_are_refused_by_what_differs(shards: Shards) -> None:
    first = shards.run(1, 2)
    shards.plan = a_plan(a_phase("one", "a", "b", "new"))
    assert "only one has one/c, one/new, two/d, two/e" in shards.refusal(first, shards.run(2, 2)).message


def test_shards_of_another_number_of_shards_are_refused(shards: Shards) -> None:
    assert "do not belong together" in shards.refusal(shards.run(1, 2), shards.run(2, 3)).message


def test_a_run_that_is_no_shard_is_refused(shards: Shards) -> None:
    with pytest.raises(UsageError, match="is no shard: it ran without --shard"):
        shards.keep(play(PLAN).envelopes, None)
    merged = shards.merged(2)
    with pytest.raises(UsageError, match="is merged already"):
        as_part(merged.run, envelopes=merged.envelopes, state=merged.state)


def knowing(**seconds: float) -> Plan:
    return replace(
        PLAN,
        phases=tuple(
            replace(
                phase,
                tests=tuple(replace(test, expected=seconds.get(test.name, 1.0)) for test in phase.tests),
            )
            for phase in PLAN.phases
        ),
    )


def test_shards_that_split_by_different_durations_are_refused(shards: Shards) -> None:
    shards.plan = knowing(a=9.0)
    first = shards.run(1, 2)
    shards.plan = knowing(b=9.0)
    twice = shards.refusal(first, shards.run(2, 2))
    assert "test one/a is in shard 1/2 and in shard 2/2" in twice.message
    assert "--durations" in (twice.hint or "")


def test_a_test_that_no_shard_ran_is_named(shards: Shards) -> None:
    first, shard = split(PLAN, index=1, count=2)
    less = replace(first, phases=tuple(replace(one, tests=one.tests[:1]) for one in first.phases))
    part = shards.keep(play(less).envelopes, shard)
    assert "no shard has two/e" in shards.refusal(part, shards.run(2, 2)).message


def test_an_edited_plan_is_refused(shards: Shards) -> None:
    part, shard = split(PLAN, index=1, count=1)
    envelopes = play(part).envelopes
    assert (
        "contradicts itself"
        in shards.refusal(shards.keep(envelopes, replace(shard, tests=shard.tests[1:]))).message
    )


def test_a_shard_that_was_killed_counts_as_failed_and_its_tests_have_an_end(shards: Shards) -> None:
    parts = [shards.run(1, 2), shards.run(2, 2, cut=4)]
    merged = merge(parts, output=shards.root / "out")
    assert merged.verdict.exit_code == 1
    reasons = {test.test.name: str(test.verdict.reason or test.verdict.status) for test in merged.state.tests}
    assert sorted(reasons.values()).count("interrupted") == 2
    assert {reasons["d"], reasons["e"]} == {"passed"}
    assert any("shard 2/2 did not finish" in warning for warning in merged.state.warnings)
    assert all(phase.status.value in ("passed", "failed") for phase in merged.state.phases)


def test_a_shard_that_died_after_its_last_test_counts_as_failed_all_the_same(shards: Shards) -> None:
    merged = merge([shards.run(1, 2), shards.run(2, 2, cut=-1)], output=shards.root / "out")
    assert merged.verdict.exit_code == 1
    assert merged.verdict.why == "shard 2/2 did not finish"


def test_an_interrupted_shard_interrupts_the_whole(shards: Shards) -> None:
    merged = merge([shards.run(1, 2), shards.run(2, 2, cancel_at=0.5)], output=shards.root / "out")
    assert merged.verdict.exit_code == 130


def test_the_gates_are_asked_again_of_the_whole(shards: Shards) -> None:
    test = a_test("a", retries=RetryPolicy(max=1, delay=0.0), flaky=FlakyPolicy.FAIL)
    shards.plan = a_plan(a_phase("one", test, "b"))
    shards.script = {"a": [fails()]}
    merged = shards.merged(2)
    assert merged.verdict.exit_code == 3
    assert [(gate.gate, gate.holds) for gate in merged.state.gates] == [("flaky", False)]


def test_waiting_for_uploads_is_no_time_that_a_gate_counts(shards: Shards) -> None:
    shards.plan = replace(a_plan(a_phase("one", "a", "b")), gates=Gates(max_duration=10.0))
    parts = [later(shards.run(index, 2), events.Warned(message="not stored"), by=30.0) for index in (1, 2)]
    merged = merge(parts, output=shards.root / "out")
    assert merged.verdict.exit_code == 0, merged.verdict.why
    assert [gate.holds for gate in merged.state.gates] == [True]


def later(part: Part, event: events.Event, *, by: float) -> Part:
    """The same, with one more event before its last, and so many seconds between the two and the rest."""
    *told, last = part.envelopes
    ending = replace(last, seq=last.seq + 1, mono=last.mono + by)
    every = [*told, replace(last, mono=last.mono + by, event=event), ending]
    return as_part(part.run, envelopes=every, state=fold(every))


def finishing(part: Part, **changes: Any) -> Part:
    """The same with another last event."""
    last = part.envelopes[-1]
    told = [*part.envelopes[:-1], replace(last, event=replace(last.event, **changes))]
    return as_part(part.run, envelopes=told, state=fold(told))


def test_the_whole_is_never_greener_than_its_parts(shards: Shards) -> None:
    bad = finishing(shards.run(2, 2), exit_code=70, success=False, why="a bug of ours")
    merged = merge([shards.run(1, 2), bad], output=shards.root / "out")
    assert (merged.verdict.exit_code, merged.verdict.why) == (70, "shard 2/2: a bug of ours")


def inserted(part: Part, *told: events.Event) -> Part:
    """The same with events after the first."""
    first, *rest = part.envelopes
    own = [replace(first, event=event) for event in told]
    every = [replace(one, seq=seq) for seq, one in enumerate([first, *own, *rest], start=1)]
    return as_part(part.run, envelopes=every, state=fold(every))


def test_services_of_the_same_name_do_not_hide_each_other(shards: Shards) -> None:
    good = [events.ServiceStarted(service="db", log="x"), events.ServiceReady(service="db", duration=1.0)]
    bad = [events.ServiceStarted(service="db", log="x"), events.ServiceFailed(service="db", message="no")]
    parts = [inserted(shards.run(1, 2), *bad), inserted(shards.run(2, 2), *good)]
    merged = merge(parts, output=shards.root / "out")
    assert {name: one.status for name, one in merged.state.services.items()} == {
        "db (shard 1/2)": "failed",
        "db (shard 2/2)": "ready",
    }
    assert merged.verdict.exit_code == 5


def test_what_an_earlier_run_supplied_to_a_shard_stands_at_the_beginning(shards: Shards) -> None:
    part, shard = split(PLAN, index=1, count=1)
    carried = events.TestCarriedOver(
        test="one/a", verdict=passed(), duration=2.0, attempts=(), from_run="earlier"
    )
    left = replace(part, phases=(replace(part.phases[0], tests=part.phases[0].tests[1:]), *part.phases[1:]))
    story = play(left).envelopes
    started = replace(story[0].event, plan=part)  # type: ignore[type-var]
    first = shards.keep([replace(story[0], event=started), *story[1:]], shard)
    merged = merge([inserted(first, carried)], output=shards.root / "out")
    assert isinstance(merged.envelopes[1].event, events.TestCarriedOver)
    assert merged.state.test("one/a").carried_from == "earlier"
    assert merged.verdict.exit_code == 0


def with_attachment(part: Part, path: str) -> Part:
    def one(envelope: Envelope) -> Envelope:
        if isinstance(event := envelope.event, events.AttemptFinished):
            attempt = replace(event.attempt, attachments=(Attachment(name="trace", path=path),))
            return replace(envelope, event=replace(event, attempt=attempt))
        return envelope

    told = [one(envelope) for envelope in part.envelopes]
    return as_part(part.run, envelopes=told, state=fold(told))


@pytest.mark.parametrize("kept", ["the output folder", "only the run's own folder"])
def test_evidence_moves_into_the_merged_run(shards: Shards, kept: str) -> None:
    part = with_attachment(shards.run(1, 1), "runs/run-1/one/a/attempt-1/trace.zip")
    trace = part.run.folder / "one" / "a" / "attempt-1" / "trace.zip"
    trace.parent.mkdir(parents=True)
    trace.write_bytes(b"trace")
    if kept != "the output folder":
        part = replace(part, run=Run(folder=part.run.folder.rename(shards.root / "artifact")))
    merged = merge([part], output=shards.root / "out")
    attachment = merged.state.test("one/a").attempts[0].attachments[0]
    assert attachment.path == f"runs/{merged.run.id}/shards/1/one/a/attempt-1/trace.zip"
    assert (shards.root / "out" / attachment.path).read_bytes() == b"trace"


@pytest.mark.parametrize(
    "path", ["../../secret", "/etc/hostname", "runs/run-1/link", "runs/run-1/x\0", "gone"]
)
def test_evidence_that_is_not_there_or_elsewhere_is_said_and_not_copied(shards: Shards, path: str) -> None:
    part = with_attachment(shards.run(1, 1), path)
    (shards.root / "secret").write_text("secret")
    (part.run.folder / "link").symlink_to(shards.root / "secret")
    merged = merge([part], output=shards.root / "out")
    assert any("of its evidence cannot be found" in warning for warning in merged.state.warnings)
    copied = [one for one in (shards.root / "out").rglob("*") if one.is_file() or one.is_symlink()]
    assert {one.name for one in copied} == {"journal.jsonl", "run.lock"}
    assert merged.verdict.exit_code == 0
