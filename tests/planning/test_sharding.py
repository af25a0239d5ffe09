"""A plan in parts: together they are the whole, whoever computes them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import a_phase, a_plan, a_suite, a_test

from e2e_orchestrator.model.plan import LeftOut
from e2e_orchestrator.model.service import PlannedService
from e2e_orchestrator.planning.sharding import digest_of, split


@pytest.mark.parametrize("count", range(1, 8))
def test_the_union_of_all_shards_is_the_plan(count: int) -> None:
    plan = a_suite()
    parts = [split(plan, index=index, count=count)[0] for index in range(1, count + 1)]
    every = [test for part in parts for test in part.tests]
    assert sorted(test.id for test in every) == sorted(test.id for test in plan.tests)
    assert {test.id: test for test in every} == {test.id: test for test in plan.tests}, "nothing is changed"
    for part in parts:
        left = {one.id for one in part.left_out}
        assert left == {test.id for test in plan.tests} - {test.id for test in part.tests}
        assert [phase.name for phase in part.phases] == [
            phase.name for phase in plan.phases if any(test.phase == phase.name for test in part.tests)
        ]


@pytest.mark.parametrize("count", range(2, 8))
def test_shards_take_about_the_same_time(count: int) -> None:
    plan = a_suite()
    known = replace(
        plan,
        phases=tuple(
            replace(phase, tests=tuple(replace(test, expected=test.expected or 1.0) for test in phase.tests))
            for phase in plan.phases
        ),
    )
    loads = [
        sum(test.expected or 0.0 for test in split(known, index=index, count=count)[0].tests)
        for index in range(1, count + 1)
    ]
    assert max(loads) <= 1.02 * sum(loads) / count


@given(
    sizes=st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=6),
    count=st.integers(1, 9),
    seconds=st.lists(st.none() | st.sampled_from([0.0, 1.0, 100.0]), min_size=36, max_size=36),
)
def test_sequential_phases_stay_whole_and_no_shard_is_empty_without_need(
    sizes: list[tuple[int, bool]], count: int, seconds: list[float | None]
) -> None:
    supply = iter(seconds)
    plan = a_plan(
        *(
            a_phase(
                f"p{at}", *(a_test(f"t{n}", expected=next(supply)) for n in range(size)), parallel=parallel
            )
            for at, (size, parallel) in enumerate(sizes)
        )
    )
    parts = [split(plan, index=index, count=count)[0] for index in range(1, count + 1)]
    for phase in plan.phases:
        if not phase.parallel:
            holders = [part for part in parts if any(one.name == phase.name for one in part.phases)]
            assert [one for part in holders for one in part.phases if one.name == phase.name] == [phase]
    units = sum(size if parallel else 1 for size, parallel in sizes)
    assert sum(bool(part.tests) for part in parts) == min(units, count)


def test_without_durations_every_shard_gets_as_many_tests() -> None:
    plan = a_plan(a_phase("one", *(f"t{at}" for at in range(11))))
    assert [len(split(plan, index=index, count=3)[0].tests) for index in (1, 2, 3)] == [4, 4, 3]


def test_a_shard_names_itself_and_the_whole_plan() -> None:
    plan = a_plan(a_phase("one", "b", "a"), left_out=(LeftOut(id="two", why="not selected by --phase"),))
    part, shard = split(plan, index=2, count=2)
    assert (shard.index, shard.count, shard.tests, shard.name) == (2, 2, ("one/b", "one/a"), "2/2")
    assert shard.digest == digest_of(("one/a", "one/b"))
    assert {one.id: one.why for one in part.left_out} == {
        "two": "not selected by --phase",
        "one/b": "in shard 1/2",
    }


def test_an_empty_shard_needs_no_services() -> None:
    plan = a_plan(a_phase("one", "a"), services=(PlannedService(name="db", command=("db",), cwd="/"),))
    assert split(plan, index=1, count=2)[0].services == plan.services
    empty, shard = split(plan, index=2, count=2)
    assert (empty.phases, empty.services, shard.tests) == ((), (), ("one/a",))


def test_another_process_with_another_hash_seed_and_other_slots_splits_the_same_way() -> None:
    script = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from dataclasses import replace; from support.plans import a_suite\n"
        "from e2e_orchestrator.planning.sharding import split\n"
        "plan = replace(a_suite(), workers=int(sys.argv[2]))\n"
        "print(json.dumps([[t.id for t in split(plan, index=i, count=3)[0].tests] for i in (1, 2, 3)]))\n"
    )
    tests = Path(__file__).parents[1]
    told = [
        subprocess.run(
            [sys.executable, "-c", script, str(tests), workers],
            env={"PYTHONHASHSEED": workers, "PYTHONPATH": ":".join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for workers in ("1", "7")
    ]
    assert told[0] == told[1]
    assert sum(map(len, json.loads(told[0]))) == 400
