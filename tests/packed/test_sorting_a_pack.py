"""What an invocation's exit status, end and cases say about each of the tests that it carried."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.plans import a_test

from e2e_orchestrator.model.command import AttemptSpec, Completed, Judged, Limit
from e2e_orchestrator.model.packs import Pack, PackSpec, Undecided
from e2e_orchestrator.model.plan import RunnerSpec, Test
from e2e_orchestrator.runners.playwright import PlaywrightRunner

Line = Mapping[str, Any]
Judging = Callable[..., dict[str, Judged | Undecided]]
Sort = Callable[..., dict[str, str]]
UNDECIDED, SUSPECT = "undecided", "suspect"


def case(name: str, status: str | None = "passed") -> list[Line]:
    """A case of ``a`` or ``b``; None: it never finished."""
    finished = {"event": "case_finished", "id": name, "status": status}
    return [{"event": "case_started", "id": name, "worker": 0}, *([finished] if status else [])]


def end(status: str | None) -> list[Line]:
    exit_status = {"passed": 0, "failed": 1, "timedout": 1, "interrupted": 130}.get(status or "")
    return [{"event": "session_finished", "status": status, "exit_status": exit_status}] if status else []


def error(text: str) -> Line:
    return {"event": "error", "message": text}


@pytest.fixture
def judge(tmp_path: Path) -> Judging:
    """What became of the tests a and b, with the cases a1, a2 and b1."""
    root = tmp_path / "project"
    root.mkdir()
    for name in "ab":
        (root / f"{name}.spec.ts").write_text("")

    def sorted_out(
        *lines: Line,
        exit_status: int | None,
        shared: tuple[str, ...] = (),
        strict: bool = False,
        lost: tuple[str, ...] = (),
        silent: bool = False,
        **ended: Any,
    ) -> dict[str, Judged | Undecided]:
        tests = [a_test(name, target=f"{name}.spec.ts", cwd=str(root), kind="playwright") for name in "ab"]
        spec = pack_of(tests, tmp_path)
        collected = [
            {
                "event": "collected",
                "test": f"one/{name}",
                "ids": ids,
                "files": [str(root / f"{name}.spec.ts")],
                "flaky_fails": strict,
            }
            for name, ids in (("a", ["a1", "a2"]), ("b", ["b1"]))
        ]
        collected += [
            {"event": "collected", "test": one, "ids": list(shared), "shared": True} for one in spec.specs
        ]
        said = [] if silent else [{"event": "session_started"}, *collected, *lines]
        text = "".join(json.dumps({**one, "writer": "w"}) + "\n" for one in said)
        spec.events.write_text(text)
        completed = Completed(
            exit_status=exit_status, duration=1.0, folder=spec.folder, output=spec.folder / "output.log"
        )
        completed = replace(completed, **ended)
        runner = PlaywrightRunner(RunnerSpec(name="r", kind="playwright", root="/"))
        over = {f"one/{one}": replace(completed, limit=Limit.TEST, limit_seconds=3.0) for one in lost}
        judged = runner.judge_pack(spec, completed, lost=over)
        return {name.removeprefix("one/"): one for name, one in judged.items()}

    return sorted_out


@pytest.fixture
def sort(judge: Judging) -> Sort:
    """The same in a word each."""
    return lambda *lines, **ended: {name: word(one) for name, one in judge(*lines, **ended).items()}


def pack_of(tests: list[Test], folder: Path) -> PackSpec:
    specs = {}
    for test in tests:
        own = folder / "out" / test.name
        own.mkdir(parents=True, exist_ok=True)
        specs[test.id] = AttemptSpec(
            number=1, max_attempts=1, run_id="r", slot=0, slot_count=2, folder=own, output_root=folder
        )
    place = folder / "out" / "pack"
    place.mkdir(exist_ok=True)
    return PackSpec(pack=Pack(tests=tuple(tests), width=2), specs=specs, slots=(0, 1), folder=place)


def word(one: Judged | Undecided) -> str:
    if isinstance(one, Undecided):
        return SUSPECT if one.suspect else UNDECIDED
    return str(one.verdict.reason or one.verdict.status)


ALL_GOOD = [*case("a1"), *case("a2"), *case("b1")]
A_FAILS = [*case("a1"), *case("a2", "failed"), *case("b1")]
A_MOODY = [*case("a1"), *case("a2", "flaky"), *case("b1")]


def test_both_witnesses_say_that_all_is_well(sort: Sort) -> None:
    assert sort(*ALL_GOOD, *end("passed"), exit_status=0) == {"a": "passed", "b": "passed"}


def test_a_failure_explains_the_exit_status_and_is_nobody_elses(sort: Sort) -> None:
    assert sort(*A_FAILS, *end("failed"), exit_status=1) == {"a": "test_failures", "b": "passed"}


def test_a_flaky_case_is_a_failure_only_where_the_configuration_says_so(sort: Sort) -> None:
    assert sort(*A_MOODY, *end("passed"), exit_status=0) == {"a": "flaky", "b": "passed"}


def test_a_flaky_case_that_is_not_allowed_explains_the_exit_status(sort: Sort) -> None:
    ends = sort(*A_MOODY, *end("failed"), exit_status=1, strict=True)
    assert ends == {"a": "test_failures", "b": "passed"}


@pytest.mark.parametrize(
    ("lines", "status", "exit_status"),
    [
        pytest.param(ALL_GOOD, "passed", 1, id="a bad exit status after a good end"),
        pytest.param(ALL_GOOD, "failed", 1, id="a failure that no case explains"),
        pytest.param(ALL_GOOD, "failed", 0, id="a good exit status after a bad end"),
        pytest.param(A_MOODY, "failed", 1, id="a failure that a flaky case may or may not explain"),
        pytest.param(ALL_GOOD, None, 0, id="exit status 0 without an end"),
        pytest.param(ALL_GOOD, "passed", -9, id="killed after its end"),
        pytest.param(ALL_GOOD, "passed", None, id="nobody saw the end"),
        pytest.param([error("boom"), *ALL_GOOD], "failed", 1, id="an error outside of any test"),
    ],
)
def test_what_may_be_anybodys_is_nobodys(
    sort: Sort, lines: list[Line], status: str | None, exit_status: int | None
) -> None:
    ends = sort(*lines, *end(status), exit_status=exit_status)
    assert ends == {"a": UNDECIDED, "b": UNDECIDED}


def test_without_a_session_nothing_is_decided(sort: Sort) -> None:
    assert sort(exit_status=1, silent=True) == {"a": UNDECIDED, "b": UNDECIDED}


def test_a_case_that_failed_has_failed_whatever_broke_the_pack(sort: Sort) -> None:
    ends = sort(*A_FAILS, error("the teardown broke"), *end("failed"), exit_status=1)
    assert ends == {"a": "crash", "b": UNDECIDED}


def test_an_error_that_names_a_spec_makes_it_the_suspect(sort: Sort, tmp_path: Path) -> None:
    ends = sort(error(f"SyntaxError\n    at {tmp_path}/project/b.spec.ts:3:1"), *end("failed"), exit_status=1)
    assert ends == {"a": UNDECIDED, "b": SUSPECT}


def test_what_ran_when_playwright_died_is_the_suspect(sort: Sort) -> None:
    ends = sort(*case("a1"), *case("a2"), *case("b1", None), exit_status=-9)
    assert ends == {"a": UNDECIDED, "b": SUSPECT}


@pytest.mark.parametrize(("status", "exit_status"), [("interrupted", 130), (None, -9)])
def test_a_failure_stays_a_failure_where_a_neighbour_ends_playwright(
    sort: Sort, status: str | None, exit_status: int
) -> None:
    ends = sort(*case("a1"), *case("a2", "failed"), *case("b1", None), *end(status), exit_status=exit_status)
    assert ends == {"a": "test_failures", "b": SUSPECT}


@pytest.mark.parametrize("exit_status", [130, -9, None])
def test_what_failed_in_a_pack_that_was_killed_ends_as_it_would_have_alone(
    judge: Judging, exit_status: int | None
) -> None:
    ends = judge(*case("a1"), *case("a2", "failed"), *case("b1", None), exit_status=exit_status)
    assert isinstance(ends["a"], Judged)
    assert ends["a"].exit_status == 1


def test_cases_without_a_result_leave_their_test_undecided(sort: Sort) -> None:
    ends = sort(*case("a1"), *case("b1"), *end("passed"), exit_status=0)
    assert ends == {"a": UNDECIDED, "b": "passed"}


@pytest.mark.parametrize("rest", [[], case("a2", "not_run")])
def test_early_stop_is_the_packs_and_not_the_tests(sort: Sort, rest: list[Line]) -> None:
    stopped = error("Testing stopped early after 1 maximum allowed failures.")
    ends = sort(*case("b1", "failed"), *case("a1"), *rest, stopped, *end("failed"), exit_status=1)
    assert ends == {"a": UNDECIDED, "b": "test_failures"}


def test_a_case_that_did_not_run_because_of_its_own_file_is_decided(sort: Sort) -> None:
    ends = sort(*case("a1", "failed"), *case("a2", "not_run"), *case("b1"), *end("failed"), exit_status=1)
    assert ends == {"a": "test_failures", "b": "passed"}


def test_a_set_up_that_failed_is_the_failure_of_all_that_need_it(sort: Sort) -> None:
    ends = sort(*case("s", "failed"), *end("failed"), exit_status=1, shared=("s",))
    assert ends == {"a": "test_failures", "b": "test_failures"}


class TestEndedByUs:
    def test_the_test_it_was_for_is_over_time_and_the_interrupted_one_undecided(self, sort: Sort) -> None:
        ends = sort(
            *case("a1"),
            *case("a2", None),
            *case("b1", None),
            *end("interrupted"),
            exit_status=130,
            lost=("a",),
        )
        assert ends == {"a": "timeout", "b": UNDECIDED}

    def test_what_was_over_before_stands_if_playwright_ended_in_order(self, sort: Sort) -> None:
        lines = [*case("b1"), *case("a1", None), *end("interrupted")]
        assert sort(*lines, exit_status=130, lost=("a",)) == {"a": "timeout", "b": "passed"}

    @pytest.mark.parametrize(
        ("lines", "exit_status"),
        [(end("interrupted"), -9), (end(None), -15), ([error("teardown"), *end("interrupted")], 130)],
    )
    def test_what_was_good_before_must_run_again_if_playwright_did_not(
        self, sort: Sort, lines: list[Line], exit_status: int
    ) -> None:
        ends = sort(*case("b1"), *case("a1", None), *lines, exit_status=exit_status, lost=("a",))
        assert ends == {"a": "timeout", "b": UNDECIDED}

    def test_what_had_failed_before_has_failed(self, sort: Sort) -> None:
        ends = sort(*case("b1", "failed"), *case("a1", None), exit_status=-9, lost=("a",))
        assert ends == {"a": "timeout", "b": "test_failures"}

    @pytest.mark.parametrize(
        ("ended", "reason"),
        [
            ({"interrupted": "SIGINT"}, "interrupted"),
            ({"limit": Limit.PHASE, "limit_seconds": 9.0}, "timeout"),
            ({"limit": Limit.RUN, "limit_seconds": 9.0}, "timeout"),
        ],
    )
    def test_with_the_run_or_phase_ends_what_was_under_way_but_not_what_never_began(
        self, sort: Sort, ended: dict[str, Any], reason: str
    ) -> None:
        ends = sort(*case("a1"), *case("a2", None), *end("interrupted"), exit_status=130, **ended)
        assert ends == {"a": reason, "b": UNDECIDED}

    def test_with_the_run_ends_what_would_have_been_next_if_nothing_ran(self, sort: Sort) -> None:
        assert sort(exit_status=130, interrupted="SIGINT") == {"a": "interrupted", "b": "interrupted"}
        ended = {"limit": Limit.PHASE, "limit_seconds": 9.0}
        lines = [*case("a1"), *case("a2"), *end("interrupted")]
        assert sort(*lines, exit_status=130, **ended) == {"a": "passed", "b": "timeout"}

    @pytest.mark.parametrize("limit", [Limit.STALL, Limit.EXIT])
    def test_a_pack_that_stood_still_decides_nothing(self, sort: Sort, limit: Limit) -> None:
        ends = sort(*ALL_GOOD, *end("passed"), exit_status=130, limit=limit, limit_seconds=9.0)
        assert ends == {"a": UNDECIDED, "b": UNDECIDED}
