"""Shards and their durations from outside: what several machines do, one after the other."""

import json
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from support.project import Finished, Project, wait_until
from support.shards import outcome, run_shards

from e2e_orchestrator.model import events
from e2e_orchestrator.model.summary import RunState, fold

# Fails at the first attempt, and passes at the second if its name says so.
STORY = """\
    case "$E2E_TEST$E2E_ATTEMPT" in
      bad*|flaky1) echo "$E2E_TEST broke"; exit 1 ;;
    esac
"""


@pytest.fixture
def suite(project: Project) -> Project:
    project.write({"story.sh": STORY})
    names = {
        "one": ["a", "b", "flaky", "c", "d"],
        "two": ["e", "f", "g"],
        "three": ["h", "bad", "i"],
    }
    return project.phases(
        [
            {
                "name": "one",
                "tests": dict.fromkeys(names["one"], "sh story.sh"),
                "retries": {"max": 1, "delay": 0},
            },
            {"name": "two", "tests": dict.fromkeys(names["two"], "sh story.sh"), "parallel": False},
            {"name": "three", "tests": dict.fromkeys(names["three"], "sh story.sh")},
        ],
        kind="command",
    )


def merge(project: Project, *arguments: str) -> Finished:
    return project.run("merge", *arguments)


@pytest.mark.parametrize(
    "count", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)]
)
def test_the_merged_shards_tell_the_same_as_the_whole_run(suite: Project, count: int) -> None:
    whole = suite.run()
    assert whole.exit_code == 1
    shards = run_shards(suite, count)
    tests = Counter(name for shard in shards for name in shard.tests)
    assert tests == Counter(dict.fromkeys(whole.tests, 1))
    merged = merge(suite, *(f"results-{index}" for index in range(1, count + 1)), "--output", "merged")
    merged = replace(merged, output=suite.root / "merged")
    assert outcome(merged) == outcome(whole)
    assert merged.results["merged_from"] == [shard.last_line["run_id"] for shard in shards]
    for name, test in merged.tests.items():
        for attempt in test["attempts"]:
            assert (merged.output / attempt["output"]).is_file(), name
    bad = merged.tests["three/bad"]["attempts"][0]["output"]
    assert (merged.output / bad).read_text() == "bad broke\n"
    again = suite.run("replay", "--output", "merged", "--report", "console")
    assert again.exit_code == 1
    assert "three/bad" in again.stdout


GENERATED = """\
    case "$E2E_TEST" in
      *7) echo "$E2E_TEST broke"; exit 1 ;;
      *3) [ "$E2E_ATTEMPT" = 2 ] || { echo "not yet"; exit 1; } ;;
    esac
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """400 tests in five phases, one of them in order, and the run of the whole."""
    project = Project(tmp_path_factory.mktemp("large")).write({"story.sh": GENERATED})
    phases = [
        {
            "name": f"p{phase}",
            "tests": {f"t{phase}-{at}": "sh story.sh" for at in range(80)},
            "parallel": phase != 2,
            "required": False,  # Otherwise the first phase that fails hides the others.
            "retries": {"max": 1, "delay": 0},
        }
        for phase in range(5)
    ]
    phases[2]["tests"] = {f"t2-{at}": "true" for at in range(80)}
    whole = project.phases(phases, kind="command", durations="durations.json").run()
    assert Counter(whole.ends.values()) == {"passed": 336, "flaky": 32, "test_failures": 32}
    return project, whole


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, 8))
def test_the_union_of_any_number_of_shards_is_the_whole(large: tuple[Project, Finished], count: int) -> None:
    project, whole = large
    outputs = [f"results-{index}" for index in range(1, count + 1)]
    shards = run_shards(project, count)
    assert Counter(name for shard in shards for name in shard.tests) == Counter(dict.fromkeys(whole.tests, 1))
    merged = merge(project, *outputs, "--output", f"merged-{count}")
    assert merged.exit_code == whole.exit_code == 0, merged.stderr
    assert outcome(replace(merged, output=project.root / f"merged-{count}")) == outcome(whole)
    if count > 1:
        lost = merge(project, *outputs[:-1], "--output", "lost")
        assert lost.exit_code == 5
        assert f"shard {count}/{count} is missing" in lost.stderr


@pytest.mark.slow
def test_a_lost_shard_ends_with_5_and_writes_nothing(suite: Project) -> None:
    run_shards(suite, 3)
    lost = merge(suite, "results-1", "results-3")
    assert lost.exit_code == 5
    assert "shard 2/3 is missing" in lost.stderr
    assert lost.last_line["run_id"] is None
    assert not lost.output.exists()


@pytest.fixture(scope="module")
def one_shard(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The only shard of a run, and an empty folder beside it."""
    project = Project(tmp_path_factory.mktemp("one")).commands({"a": "true"})
    (project.root / "empty").mkdir()
    run_shards(project, 1)
    return project


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "merge needs the runs of the shards"),
        (["results-1", "results-1"], "shard 1/1 is given twice"),
        (["nowhere"], "there is no run"),
        (["empty"], "there is no run below"),
        (["results-1", "--report", "jsno"], "jsno"),
    ],
    ids=[
        "nothing",
        "one of them twice",
        "a folder that is not there",
        "an empty folder",
        "an unknown report",
    ],
)
def test_merge_refuses(one_shard: Project, arguments: list[str], says: str) -> None:
    refused = merge(one_shard, *arguments)
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert not refused.output.exists()


@pytest.mark.slow
def test_runs_are_named_by_folder_journal_or_id_also_behind_the_reporters(suite: Project) -> None:
    first, second, third = run_shards(suite, 3, "--test", "a", "b", "c", "--output", "test-results")
    folders = [Path(shard.last_line["run_folder"]) for shard in (first, second, third)]
    merged = merge(
        suite,
        first.last_line["run_id"],
        str(folders[1]),
        "--report",
        "json",
        str(folders[2] / "journal.jsonl"),
    )
    assert merged.exit_code == 0, merged.stderr
    assert set(merged.tests) == {"one/a", "one/b", "one/c"}


@pytest.mark.slow
def test_a_shard_without_tests_proves_itself_and_does_not_fail_its_job(suite: Project) -> None:
    shards = run_shards(suite, 3, "--test", "a", "b")
    assert [shard.exit_code for shard in shards] == [0, 0, 0]
    empty = shards[2]
    assert empty.last_line["why"] == "nothing to do in shard 3/3"
    assert "GO: nothing to do in shard 3/3" in empty.stdout
    first, last = empty.journal[0].event, empty.journal[-1].event
    assert isinstance(first, events.RunStarted)
    assert isinstance(last, events.RunFinished)
    assert first.shard is not None
    assert (first.shard.name, first.shard.tests, last.success) == ("3/3", ("one/a", "one/b"), True)
    assert merge(suite, "results-1", "results-2").exit_code == 5, "even an empty one has to be there"
    assert merge(suite, "results-1", "results-2", "results-3").exit_code == 0


@pytest.mark.slow
def test_a_shard_of_skips_does_not_fail_its_job_but_a_whole_of_skips_does(project: Project) -> None:
    project.write({"test_a.py": "import pytest\n@pytest.mark.skip\ndef test_x(): pass\n"})
    project.phases([{"name": "p", "tests": {"a": "test_a.py"}}])
    assert project.run().exit_code == 4
    assert run_shards(project, 1)[0].exit_code == 0
    assert merge(project, "results-1").exit_code == 4


@pytest.mark.slow
def test_a_required_phase_of_skips_is_judged_as_a_whole(project: Project) -> None:
    skipped = "import pytest\n@pytest.mark.skip\ndef test_x(): pass\n"
    project.write({"test_a.py": skipped, "test_b.py": skipped, "test_c.py": "def test_x(): pass\n"})
    project.phases(
        [
            {"name": "p", "tests": {"a": "test_a.py", "c": "test_c.py"}},
            {"name": "q", "tests": {"b": "test_b.py"}},
        ]
    )
    assert [shard.exit_code for shard in run_shards(project, 3)] == [0, 0, 0]
    whole, merged = project.run(), merge(project, "results-1", "results-2", "results-3")
    assert (merged.exit_code, merged.last_line["why"]) == (whole.exit_code, whole.last_line["why"])


@pytest.mark.slow
def test_a_killed_shard_counts_as_failed(project: Project) -> None:
    project.commands({"a": "true", "b": "sleep 60"})
    assert project.run("--shard", "1/2", "--output", "results-1").exit_code == 0
    process = project.start("--shard", "2/2", "--output", "results-2")
    wait_until(
        lambda: any((project.root / "results-2").glob("runs/*/p/b/attempt-1/output.log")), what="b runs"
    )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    merged = merge(project, "results-1", "results-2")
    assert merged.exit_code == 1
    assert merged.ends == {"p/a": "passed", "p/b": "interrupted"}
    assert "shard 2/2 did not finish" in merged.stdout


@pytest.mark.slow
def test_the_rerun_of_a_shard_takes_its_place(suite: Project) -> None:
    run_shards(suite, 2)
    journals = {index: suite.root / f"results-{index}" for index in (1, 2)}
    of_bad = next(index for index, output in journals.items() if "three/bad" in _planned(newest(output)))
    (suite.root / "story.sh").write_text("true\n")
    refused = suite.run("--last-failed", "--shard", f"{3 - of_bad}/2", "--output", f"results-{of_bad}")
    assert refused.exit_code == 2
    assert f"is not shard {3 - of_bad}/2" in refused.stderr
    assert (
        suite.run("--last-failed", "--shard", f"{of_bad}/2", "--output", f"results-{of_bad}").exit_code == 0
    )
    merged = merge(suite, "results-1", "results-2")
    assert merged.exit_code == 0, merged.stdout
    assert merged.ends["one/flaky"] == "flaky"
    assert merged.tests["three/bad"]["status"] == "passed"


def newest(output: Path) -> RunState:
    run = max((output / "runs").iterdir())
    return fold(Finished(exit_code=0, stdout="", stderr="", output=output).journal) if run else RunState()


def _planned(state: RunState) -> set[str]:
    return {test.test.id for test in state.tests}


def durations(path: Path) -> dict[str, list[float]]:
    return {test["id"]: test["seconds"] for test in json.loads(path.read_text())["tests"]}


def test_a_run_remembers_how_long_its_green_tests_took(suite: Project) -> None:
    run = suite.run()
    path = run.output / "durations.json"
    first = durations(path)
    assert set(first) == set(run.tests) - {"three/bad"}
    suite.run()
    assert {len(seconds) for seconds in durations(path).values()} == {2}
    path.unlink()
    assert suite.run("plan").stdout.startswith("demo: 3 phases"), "rebuilt from the journals"
    assert "expected to take" in suite.run("plan").stdout
    suite.run("--durations", "elsewhere.json", env={"E2E_ORCHESTRATE_OUTPUT": "other"})
    assert set(durations(suite.root / "elsewhere.json")) == set(first)


def test_the_longest_test_starts_first_once_that_is_known(project: Project) -> None:
    project.commands({"short": "true", "new": "sh -c true", "long": "sleep 0.3"})
    order = lambda run: [  # noqa: E731 - one word for one line.
        one.event.test for one in run.journal if isinstance(one.event, events.AttemptStarted)
    ]
    assert order(project.run("--workers", "1", "--test", "short", "long")) == ["p/short", "p/long"]
    assert order(project.run("--workers", "1")) == ["p/new", "p/long", "p/short"], "unknown counts as long"
    known = project.run("--workers", "1")
    assert order(known)[0] == "p/long"
    assert list(known.tests) == ["p/short", "p/new", "p/long"], "reports keep the order of the file"
    assert order(project.run("--workers", "1", "--order", "file")) == ["p/short", "p/new", "p/long"]


def test_a_file_that_holds_no_durations_is_a_warning_and_stays_as_it_is(project: Project) -> None:
    project.commands({"a": "true"})
    (project.root / "d.json").write_text("nonsense")
    run = project.run("--durations", "d.json")
    assert run.exit_code == 0
    assert any("durations are not known" in one for one in run.results["warnings"])
    assert any("holds something else" in one for one in run.results["warnings"])
    assert (project.root / "d.json").read_text() == "nonsense"
    planned = project.run("plan", "--durations", "phases.yaml")
    assert planned.exit_code == 0
    assert "durations are not known" in planned.stderr
    unwritable = project.run("--durations", "phases.yaml/d.json")
    assert unwritable.exit_code == 0
    assert any("durations are not remembered" in one for one in unwritable.results["warnings"])


@pytest.mark.slow
def test_shards_only_read_the_file_of_durations_and_merge_writes_it(suite: Project) -> None:
    """Otherwise the second shard would split differently from the first, and a test run twice or never."""
    suite.run("--durations", "d.json")
    before = (suite.root / "d.json").read_bytes()
    runs = [suite.run("--shard", f"{index}/3", "--durations", "d.json") for index in (1, 2, 3)]
    assert (suite.root / "d.json").read_bytes() == before
    merged = merge(suite, *(run.last_line["run_folder"] for run in runs), "--durations", "d.json")
    assert merged.exit_code == 1, merged.stderr
    assert {len(seconds) for seconds in durations(suite.root / "d.json").values()} == {2}


@pytest.mark.slow
def test_forty_sleeping_tests_end_close_to_the_lower_bound(project: Project) -> None:
    """Two long ones stand last in the file, where they cost most."""
    seconds = [0.2 + 0.05 * (at % 7) for at in range(38)] + [2.0, 2.5]
    project.commands({f"t{at}": f"sleep {one:g}" for at, one in enumerate(seconds)})
    known = [
        {"id": f"p/t{at}", "kind": "command", "target": f"sleep {one:g}", "seconds": [one]}
        for at, one in enumerate(seconds)
    ]
    (project.root / "d.json").write_text(json.dumps({"schema": 1, "tests": known}))
    bound = max(*seconds, sum(seconds) / 4)
    reached = min(
        project.run("--workers", "4", "--durations", "d.json").results["timing"]["makespan"] for _ in range(2)
    )
    assert bound <= reached <= 1.15 * bound


def test_shards_of_two_commits_are_no_whole(project: Project) -> None:
    """The names of the tests are the same in both; what they run is not."""
    project.commands({"a": "true", "b": "true"})
    project.run("--shard", "1/2", "--output", "results-1")
    project.commands({"a": "false", "b": "true"})
    project.run("--shard", "2/2", "--output", "results-2")
    merged = merge(project, "results-1", "results-2", "--output", "merged")
    assert merged.exit_code == 2
    assert "shard 1/2 and shard 2/2 were run with different contents of phases.yaml" in merged.stderr
