"""What a run says about its time."""

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.plans import a_phase, a_plan, a_test
from support.scripted import Step, play
from support.stories import rerun

from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.summary import RunState, fold
from e2e_orchestrator.protocols import Reporter, ReporterContext
from e2e_orchestrator.reporters.console import ConsoleReporter
from e2e_orchestrator.reporters.json import JsonReporter
from e2e_orchestrator.reporters.timing import timing

SECONDS = {"a": 4.0, "b": 1.0, "c": 20.0, "d": 3.0, "e": 2.0}
SCRIPT = {name: [Step(seconds=seconds)] for name, seconds in SECONDS.items()}


def a_slow_plan(**expected: float) -> Plan:
    """Phase one side by side, where c starts last if nobody knows better; phase two in order."""
    one = (a_test(name, expected=expected.get(name)) for name in "abc")
    two = (a_test(name, expected=expected.get(name)) for name in "de")
    return a_plan(a_phase("one", *one), a_phase("two", *two, parallel=False))


def run_of(plan: Plan) -> RunState:
    return play(plan, script=SCRIPT).state


def test_makespan_bound_and_share_of_the_slots_are_told_for_each_phase_and_the_whole() -> None:
    told = timing(run_of(a_slow_plan()))
    one, two = told.phases["one"], told.phases["two"]
    assert (one.makespan, one.lower_bound, one.busy, one.utilisation) == (21.0, 20.0, 25.0, 25 / 42)
    assert (two.makespan, two.lower_bound, two.busy, two.utilisation) == (5.0, 5.0, 5.0, 0.5)
    total = told.total
    assert (total.makespan, total.lower_bound, total.busy) == (26.0, 25.0, 30.0)
    assert (told.slots, told.expected) == (2, None)


def test_the_critical_path_names_who_ended_each_phase_and_how_long_it_was_alone() -> None:
    ends = timing(run_of(a_slow_plan())).critical_path
    assert [(end.phase, end.test, end.duration, end.alone) for end in ends] == [
        ("one", "one/c", 20.0, 17.0),
        ("two", "two/e", 2.0, 2.0),
    ]


def an_overlapping_plan() -> Plan:
    """One and two side by side; three waits for two alone, and nothing waits for one."""
    return a_plan(
        a_phase("one", "a", needs=()),
        a_phase("two", "b", "e", parallel=False, needs=()),
        a_phase("three", "d", needs=("two",)),
    )


def test_the_critical_path_goes_through_the_phases_that_were_waited_for() -> None:
    told = timing(run_of(an_overlapping_plan()))
    assert [(end.test, end.alone) for end in told.critical_path] == [("two/e", 0.0), ("three/d", 2.0)]
    assert (told.total.makespan, told.total.lower_bound, told.total.busy) == (6.0, 6.0, 10.0)
    assert told.total.utilisation == 10 / 12


def test_longest_first_reaches_what_was_expected() -> None:
    told = timing(run_of(a_slow_plan(**SECONDS)))
    assert told.expected == told.total.makespan == told.total.lower_bound == 25.0


def test_what_an_earlier_run_supplied_took_no_time() -> None:
    told = timing(fold(rerun()))
    assert "health" not in {end.phase for end in told.critical_path}
    assert told.phases["health"].makespan == 0.0


def test_a_run_of_nothing_has_no_time() -> None:
    told = timing(run_of(a_plan()))
    assert (told.total.makespan, told.total.utilisation, told.critical_path) == (0.0, 0.0, ())
    assert timing(RunState()).slots == 1


def tell(reporter: Reporter, envelopes: Sequence[Envelope]) -> None:
    async def all_of_it() -> None:
        for envelope in envelopes:
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(all_of_it())


def on_the_console(envelopes: Sequence[Envelope], folder: Path, *, verbosity: int = 0) -> str:
    stream = io.StringIO()
    context = ReporterContext(
        output=folder, run_folder=folder / "runs" / "r", verbosity=verbosity, live=False
    )
    tell(ConsoleReporter(context, stream=stream), envelopes)
    return stream.getvalue()


def test_the_console_tells_when_it_is_asked(tmp_path: Path) -> None:
    said = on_the_console(play(a_slow_plan(**SECONDS), script=SCRIPT).envelopes, tmp_path, verbosity=1)
    assert (
        "25.0s for 30.0s of tests  60% of 2 slots used, at least 25.0s in any order, 25.0s were expected"
        in said
    )
    assert "one/c  20.0s, ended phase one, alone for 15.0s" in said


def test_the_console_heads_overlapping_phases_once_and_adds_no_empty_lines(tmp_path: Path) -> None:
    said = on_the_console(play(an_overlapping_plan(), script=SCRIPT).envelopes, tmp_path)
    lines = [line.split("  ")[0].rstrip() for line in said.partition("Slowest")[0].splitlines()]
    heads = ("one", "two", "three", "(")
    shown = [line for line in lines[1:] if not line or line.startswith(heads)]
    assert shown[:10] == [
        "", "one · 1 test", "", "two · 2 tests · one after the other",
        "(1/4) ✓ two/b", "(2/4) ✓ two/e", "", "three · 1 test",
        "(3/4) ✓ one/a", "(4/4) ✓ three/d",
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "says"), [(2.0, False), (200.0, True)], ids=["a little", "long"])
def test_unasked_the_console_tells_of_a_run_that_waited(tmp_path: Path, seconds: float, says: bool) -> None:
    """In the order of the file, c starts when the shorter one of the others has ended."""
    tests = [a_test("a"), a_test("b"), a_test("c")]
    plan = a_plan(a_phase("one", *tests, timeout=900.0))
    script = {name: [Step(seconds=seconds / 2)] for name in "ab"} | {"c": [Step(seconds=seconds)]}
    said = on_the_console(play(plan, script=script).envelopes, tmp_path)
    assert ("Timing" in said) is says


def test_the_json_results_have_it_all(tmp_path: Path) -> None:
    reporter = JsonReporter(ReporterContext(output=tmp_path, run_folder=tmp_path / "runs" / "r"))
    tell(reporter, play(a_slow_plan(**SECONDS), script=SCRIPT).envelopes)
    told = json.loads((tmp_path / "e2e-results.json").read_text())["timing"]
    assert told == {
        "makespan": 25.0,
        "lower_bound": 25.0,
        "busy": 30.0,
        "utilisation": 0.6,
        "slots": 2,
        "expected": 25.0,
        "critical_path": [
            {"phase": "one", "test": "one/c", "duration": 20.0, "alone": 15.0},
            {"phase": "two", "test": "two/e", "duration": 2.0, "alone": 2.0},
        ],
        "phases": [
            {"name": "one", "makespan": 20.0, "lower_bound": 20.0, "busy": 25.0, "utilisation": 0.625},
            {"name": "two", "makespan": 5.0, "lower_bound": 5.0, "busy": 5.0, "utilisation": 0.5},
        ],
    }
