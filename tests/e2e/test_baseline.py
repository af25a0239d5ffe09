"""What is new against a baseline, from outside: the same live, replayed and merged, in every report."""

import base64
import json
import re
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.odd_results import odd_file, with_part
from support.project import Finished, Project
from support.receiving import Inbox

pytestmark = pytest.mark.slow

# What each test does is in a file of its name; `once` passes at the second attempt only.
STORY = """\
    said=$(sh "do/$E2E_TEST"); status=$?
    [ $status = 0 ] && word=passed || word=failed
    printf '{"event": "case_started", "id": "c"}\\n' >>"$E2E_EVENTS"
    printf '{"event": "case_finished", "id": "c", "status": "%s", "message": "%s"}\\n' $word "$said" >>"$E2E_EVENTS"
    exit $status
"""
TESTS = ("calm", "fresh", "mended", "moved", "old", "once", "stuck")
BOOM = "echo 'Error: cannot reach port 41234'; exit 1"


def suite(project: Project, *, added: tuple[str, ...] = ()) -> Project:
    project.write({"story.sh": STORY})
    tests = dict.fromkeys((*TESTS, *added), "sh story.sh")
    return project.phases(
        [{"name": "p", "tests": tests, "retries": {"max": 1, "delay": 0, "only_on": ["not yet"]}}],
        kind="command",
    )


def doing(project: Project, **does: str) -> Project:
    return project.write({f"do/{name}": does.get(name, "true") + "\n" for name in (*TESTS, "added")})


def before(project: Project) -> Finished:
    doing(
        suite(project),
        mended="echo 'Error: a bad day'; exit 1",
        moved=BOOM,
        stuck="echo 'Error: stuck'; exit 1",
    )
    run = project.run()
    assert run.exit_code == 1
    return run


def now(project: Project) -> Project:
    """``old`` is gone, ``added`` is new; the error of ``moved`` moved to ``fresh``."""
    suite(project, added=("added",))
    doing(
        project,
        fresh=BOOM.replace("41234", "5"),
        stuck="echo 'Error: stuck'; exit 1",
        once='[ "$E2E_ATTEMPT" = 2 ] || { echo "not yet"; exit 1; }',
    )
    config = json.loads((project.root / "phases.yaml").read_text())
    del config["phases"][0]["tests"]["old"]
    (project.root / "phases.yaml").write_text(json.dumps(config))
    return project


SAYS = "1 new failure (0 new errors), 1 still failing, 2 fixed, 1 flaky, 1 not run"
TOLD = {
    "new": ["p/fresh"],
    "still_failing": ["p/stuck"],
    "fixed": ["p/mended", "p/moved"],
    "flaky": ["p/once"],
    "not_run": ["p/old"],
}


def told(results: dict[str, Any]) -> dict[str, Any]:
    return {key: results["baseline"][key] for key in TOLD}


def errors(results: dict[str, Any]) -> dict[str, str]:
    return {one["title"]: one["change"] for one in results["baseline"]["errors"]}


def embedded(report: str) -> Any:
    name = base64.urlsafe_b64encode(b"run").decode()
    found = re.search(rf'data-name="{re.escape(name)}">([^<]*)<', report)
    assert found
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


@dataclass(frozen=True)
class Compared:
    """A run, another one that was compared with it, and what that one printed and wrote."""

    project: Project
    first: Finished
    live: Finished
    files: dict[Path, bytes]

    @property
    def top(self) -> dict[str, str]:
        """The newest reports, by their names."""
        return {
            path.name: data.decode() for path, data in self.files.items() if path.parent == self.live.output
        }

    @property
    def sentence(self) -> str:
        return f"{SAYS}, against run {self.first.last_line['run_id']}"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    project = Project(tmp_path_factory.mktemp("compared"))
    first = before(project)
    shutil.copy(first.output / "e2e-results.json", project.root / "main.json")
    live = now(project).run("--baseline", "latest", "--report", "console,json,markdown,html")
    return Compared(project, first, live, dict(live.written()))


def test_every_report_says_what_is_new(compared: Compared) -> None:
    live, files = compared.live, compared.top
    assert live.exit_code == 1
    assert f"  {compared.sentence}\n" in live.stdout
    assert f"`{compared.sentence}`" in files["summary.md"]
    results = json.loads(files["e2e-results.json"])
    assert told(results) == TOLD
    assert results["baseline"]["run_id"] == compared.first.last_line["run_id"]
    assert results["baseline"]["exit_code"] == 1
    assert errors(results) == {
        "Error: cannot reach port 5": "still",
        "Error: stuck": "still",
        "Error: a bad day": "fixed",
    }
    page = embedded(files["e2e-report.html"])["baseline"]
    assert page["run_id"] == compared.first.last_line["run_id"]
    assert ["p/old", "passed"] in [test[:2] for test in page["tests"]]
    assert {page["tests"][one[0]][0] for one in page["failures"]} == {"p/mended", "p/moved", "p/stuck"}


def test_a_replay_compares_as_the_run_did(compared: Compared) -> None:
    again = compared.project.run("replay", "--report", "console,json,markdown,html")
    assert again.stdout == compared.live.stdout
    for path, data in compared.files.items():
        assert path.read_bytes() == data, path


WAYS = {
    "latest, the newest before it": lambda run: "latest",
    "its id": lambda run: run.last_line["run_id"],
    "the beginning of its id": lambda run: run.last_line["run_id"][:18],
    "its folder": lambda run: run.last_line["run_folder"],
    "its journal": lambda run: f"{run.last_line['run_folder']}/journal.jsonl",
    "its journal under another name": lambda run: shutil.copy(
        f"{run.last_line['run_folder']}/journal.jsonl", run.output.with_name("seen.txt")
    ),
    "results of another machine": lambda run: run.output.with_name("main.json"),
    "a folder with such results": lambda run: (
        Path(
            shutil.copy(run.output.with_name("main.json"), run.output.with_name("do") / "e2e-results.json")
        ).parent
    ),
}


@pytest.mark.parametrize("name", WAYS.values(), ids=WAYS.keys())
def test_a_baseline_is_named_by(compared: Compared, name: Callable[[Finished], Path | str]) -> None:
    run = compared.project.run("replay", env={"E2E_ORCHESTRATE_BASELINE": str(name(compared.first))})
    assert run.stdout == compared.live.stdout
    assert run.stderr == ""


def test_a_replay_compares_with_another_run_if_asked(compared: Compared) -> None:
    project = compared.project
    first, live = compared.first.last_line["run_id"], compared.live.last_line["run_id"]
    other = project.run("replay", first, "--baseline", live)
    assert (
        f"2 new failures (1 new error), 1 still failing, 1 fixed, 0 flaky, 1 not run, against run {live}"
        in (other.stdout)
    )
    assert "against run" not in project.run("replay", first).stdout


WRONG = {
    "nothing of that name": ("nowhere.json", None, "there is no nowhere.json to compare with"),
    "a run that is not there": ("2020", None, "there is no run below"),
    "the latest of none": ("latest", None, "to compare with"),
    "a file of something else": ("x.json", "[1, 2]", "x.json is no result file of e2e-orchestrate"),
    "a file that is no JSON": ("x.json", "hello", "x.json is no JSON"),
    "results of a newer version": ("x.json", '{"schema": 9, "phases": []}', "was written by a newer version"),
    "results that were cut": ("x.json", '{"schema": 1, "phases": [{}]}', "phases[0].tests is missing"),
    "results with an object for a message": (
        "x.json",
        odd_file("a message as an object")[0],
        "x.json is no result file of e2e-orchestrate: phases[0].tests[0].cases[0].message must be a text, but is a mapping",
    ),
    "results with an odd exit code": (
        "x.json",
        '{"schema": 1, "run_id": "x", "exit_code": "oops", "phases": []}',
        "x.json is no result file of e2e-orchestrate: exit_code must be a whole number from 0 to 255, but is a text",
    ),
    "a journal that is none": ("x.jsonl", "hello\n", "x.jsonl:1: this line is no event of a journal"),
    "an empty journal": ("x.jsonl", "", "is empty"),
}


@pytest.mark.parametrize(("words", "text", "says"), WRONG.values(), ids=WRONG.keys())
def test_before_anything_starts_it_refuses(project: Project, words: str, text: str | None, says: str) -> None:
    project.commands({"t": "touch started"})
    if text is not None:
        (project.root / words).write_text(text)
    run = project.run("--baseline", words)
    assert run.exit_code == run.last_line["exit_code"] == 2
    assert says in run.stderr
    assert "hint: " in run.stderr
    assert not (project.root / "started").exists()
    assert not run.output.exists()


def test_the_latest_is_the_newest_that_can_be_read(project: Project) -> None:
    first = project.commands({"t": "true"}).run()
    for name, text in {"29990101-000000-aaaaaa": "", "29990101-000000-bbbbbb": '{"seq": 1, '}.items():
        folder = project.root / "test-results" / "runs" / name
        folder.mkdir()
        (folder / "journal.jsonl").write_text(text)
    run = project.run("--baseline", "latest")
    assert run.results["baseline"]["run_id"] == first.last_line["run_id"], run.stderr
    assert project.run("--baseline", "").results["baseline"] is None


def test_a_run_is_not_compared_with_itself(project: Project) -> None:
    run = project.commands({"t": "true"}).run()
    again = project.run("replay", "--baseline", run.last_line["run_id"])
    assert again.exit_code == 2
    assert "cannot be compared with itself" in again.stderr
    alone = project.run("replay", "--baseline", "latest")
    assert alone.exit_code == 2
    assert f"there is no run before {run.last_line['run_id']} to compare with" in alone.stderr


def test_shards_are_compared_one_by_one_and_as_a_whole(project: Project) -> None:
    first = before(project)
    kept = shutil.copy(first.output / "e2e-results.json", project.root / "main.json")
    now(project)
    shards = [
        project.finish(
            project.start("--shard", f"{index}/2", "--output", f"s{index}", "--baseline", str(kept)),
            output=f"s{index}",
        )
        for index in (1, 2)
    ]
    # A test of the other shard is not missing here; one that nobody has any more is, in each.
    assert [shard.results["baseline"]["not_run"] for shard in shards] == [["p/old"], ["p/old"]]
    assert sorted(one for shard in shards for one in shard.results["baseline"]["fixed"]) == TOLD["fixed"]
    merged = project.finish(project.start("merge", "s1", "s2", "--output", "whole"), output="whole")
    assert told(merged.results) == TOLD
    assert f"{SAYS}, against run {first.last_line['run_id']}" in merged.stdout
    other = project.finish(
        project.start("merge", "s1", "s2", "--output", "again", "--baseline", "s1"), output="again"
    )
    assert other.results["baseline"]["run_id"] == shards[0].last_line["run_id"]


def test_shards_of_different_baselines_are_not_compared_by_chance(project: Project) -> None:
    first = before(project)
    now(project).run("--shard", "1/2", "--output", "s1", "--baseline", first.last_line["run_folder"])
    project.run("--shard", "2/2", "--output", "s2")
    merged = project.finish(project.start("merge", "s1", "s2", "--output", "whole"), output="whole")
    assert merged.results["baseline"] is None
    assert "the shards were not all compared with one run" in merged.stdout


def test_a_message_says_what_is_new_live_replayed_and_merged(project: Project) -> None:
    first = before(project)
    inbox = Inbox()
    template = {"text": "{{compared}}", "new": "{{new}}", "of": "{{baseline}}"}
    now(project).write({"template.json": json.dumps(template)})
    env = {
        "SLACK_WEBHOOK": f"{inbox.url}/slack",
        "E2E_ORCHESTRATE_WEBHOOK": f"{inbox.url}/webhook",
        "E2E_ORCHESTRATE_REPORT": "slack webhook=template.json",
        "NO_PROXY": "*",
    }
    earlier, folder = first.last_line["run_id"], first.last_line["run_folder"]
    project.run("--baseline", earlier, env=env)
    project.run("replay", env=env)
    for index in ("1", "2"):
        project.run("--shard", f"{index}/2", "--output", f"s{index}", "--baseline", folder)
    project.run("merge", "s1", "s2", "--output", "whole", env=env)
    inbox.close()
    sentence = f"{SAYS}, against run {earlier}"
    told = [json.loads(body) for body in inbox.at("/webhook")]
    assert told == [{"text": sentence, "new": "1", "of": earlier}] * 3
    slack = [json.loads(body)["blocks"][2]["text"]["text"] for body in inbox.at("/slack")]
    assert slack == [sentence] * 3


SECRET = "s3cret-of-another-machine"


def test_what_stands_in_a_foreign_file_is_masked_and_changes_no_verdict(project: Project) -> None:
    """Who wrote it may have known no secrets; and anything may stand in a text."""
    odd = f"{SECRET} <!channel> @here ::error::forged \x1b[2J\ud800\n{{{{url}}}} {'x' * 20_000}"
    test = {
        "name": odd,
        "status": "failed",
        "reason": odd,
        "duration": 0,
        "error": odd,
        "cases": [{"id": odd, "status": "failed", "message": odd}],
    }
    results = with_part(("phases",), [{"name": odd, "tests": [test]}]) | {"run_id": odd, "timestamp": odd}
    project.commands({"t": "true"}).write({"main.json": json.dumps(results)})
    inbox = Inbox()
    env = {
        "THEIR_TOKEN": SECRET,
        "SLACK_WEBHOOK": f"{inbox.url}/slack",
        "E2E_ORCHESTRATE_WEBHOOK": f"{inbox.url}/webhook",
        "NO_PROXY": "*",
    }
    reports = ("--report", "console,json,html,junit,ctrf,tap,markdown,gitlab,slack,webhook")
    compared = ("--baseline", "main.json", *reports)
    runs = [project.run(*compared, env=env), project.run("replay", *compared, env=env)]
    project.run("--shard", "1/1", "--output", "s1")
    merged = project.start("merge", "s1", "--output", "whole", *compared, env=env)
    runs.append(project.finish(merged, output="whole"))
    inbox.close()
    assert [run.exit_code for run in runs] == [0, 0, 0], [run.stderr for run in runs]
    assert all("0 new failures" in run.stdout for run in runs)
    assert len(inbox.received) == 6
    told = b"".join(one.body for one in inbox.received) + "".join(run.stdout for run in runs).encode()
    for path in sorted(project.root.rglob("*")):
        if path.is_file() and path.name != "main.json":
            assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET.encode() not in told


def test_of_what_did_not_run_nothing_is_said_to_be_fixed(project: Project) -> None:
    before(project)
    run = project.run("--test", "calm", "--baseline", "latest")
    assert run.results["baseline"]["fixed"] == []
    assert set(errors(run.results).values()) == {"not run"}
    assert len(run.results["baseline"]["not_run"]) == len(TESTS) - 1
