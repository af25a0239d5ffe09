"""All twelve reports of runs of the studio with faults: each accepted by who reads it, and all of one opinion.

Live, replayed, and merged from two shards. The faults leave a required phase failed, a test flaky, a child
behind; a service that is never ready, one that goes down under a test, one that answers late.
"""

from collections.abc import Iterator, Mapping

import pytest
from support.formats import check, check_commands, check_slack, check_summary
from support.formats import counts as counted
from support.formats.otlp import attributes, check_otlp
from support.formats.page import told
from support.project import Project
from support.receiving import Inbox
from support.studio import needs_studio
from support.studio_told import FILES, STORIES, TEMPLATE, Story, Studio, Told

from e2e_orchestrator.reporters.slack_message import escape
from e2e_orchestrator.reporters.webhook_template import plain

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=STORIES)
def studio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    needs_studio()
    project = Project(tmp_path_factory.mktemp("studio")).write({"template.json": TEMPLATE})
    inbox = Inbox()
    yield Studio(project=project, inbox=inbox, story=STORIES[request.param])
    inbox.close()


@pytest.fixture(scope="module")
def story(studio: Studio) -> Story:
    return studio.story


@pytest.fixture(scope="module")
def runs(studio: Studio) -> Mapping[str, Told]:
    """The whole, and its shards."""
    shards = {f"shard-{at}": ("--shard", f"{at}/2") for at in (1, 2)}
    return studio.runs({"live": (), **shards})


@pytest.fixture(scope="module")
def live(runs: Mapping[str, Told]) -> Told:
    return runs["live"]


@pytest.fixture(scope="module")
def replayed(studio: Studio, live: Told) -> Told:
    for name in live.files.keys() & set(FILES):
        (live.run.output / name).unlink()
    return studio.tell("replayed", "replay", output="live")


@pytest.fixture(scope="module")
def merged(studio: Studio, runs: Mapping[str, Told]) -> Told:
    shards = [name for name in runs if name != "live"]
    return studio.tell("merged", "merge", *shards, output="merged")


@pytest.fixture(params=["live", "replayed", "merged"])
def each(request: pytest.FixtureRequest, studio: Studio) -> Told:
    """Asks for the studio itself, so that there is one of each story."""
    assert studio.story
    found: Told = request.getfixturevalue(request.param)
    return found


def test_the_faults_leave_what_they_should(live: Told, story: Story) -> None:
    assert live.run.exit_code == story.exit_code, live.run.stdout + live.run.stderr
    results = live.read("e2e-results.json")
    assert story.ends.items() <= live.run.ends.items(), live.run.stdout
    assert len(results["flaky"]) == story.flaky
    assert [one["name"] for one in results["services"] if one["status"] == "failed"] == list(
        story.failed_services
    )
    assert [words for words in story.says if words not in live.console] == []


def test_every_report_is_accepted_by_who_reads_it(each: Told) -> None:
    assert set(FILES) <= set(each.files)
    for name in FILES:
        each.read(name)
    check_summary(each.files["github.md"])
    check_summary(each.files["summary.md"])
    check_commands(each.commands)
    [slack], [webhook] = each.posts["slack"], each.posts["webhook"]
    check_slack(slack)
    check("post", webhook)
    check_otlp(each.posts["v1/traces"])


def test_all_of_them_count_the_same_cases(each: Told) -> None:
    results = each.read("e2e-results.json")
    assert counted.cases_of_page(told(each.read("e2e-report.html"))) == counted.cases_of_results(results)
    expected = counted.entries_of_results(results)
    assert expected.bad >= 1
    found = {
        "junit": counted.cases_of_junit(each.read("junit.xml")),
        "gitlab": counted.cases_of_junit(each.read("gl-junit-report.xml")),
        "ctrf": counted.cases_of_ctrf(each.read("ctrf-report.json")),
        "tap": counted.cases_of_tap(each.read("results.tap")),
    }
    assert found == dict.fromkeys(found, expected)
    quality = each.read("gl-code-quality-report.json")
    assert sum(one["check_name"] == "e2e/flaky" for one in quality) == expected.flaky
    services = sum(one["status"] == "failed" for one in results["services"])
    assert sum(one["check_name"] != "e2e/flaky" for one in quality) == expected.bad - services


def test_all_of_them_count_the_same_tests(each: Told) -> None:
    expected = counted.tests_of_results(each.read("e2e-results.json"))
    found = {
        "console": counted.tests_of_console(each.console),
        "html": counted.tests_of_page(told(each.read("e2e-report.html"))),
        "markdown": counted.tests_of_markdown(each.read("summary.md")),
        "github's summary": counted.tests_of_markdown(each.read("github.md")),
        "github's outputs": counted.tests_of_facts(each.read("github.env")),
        "webhook": counted.tests_of_facts(check("post", each.posts["webhook"][0])),
        "otel": counted.tests_of_trace(check_otlp(each.posts["v1/traces"]), total=expected.total),
    }
    if each.run.stderr:
        found["last line"] = counted.tests_of_facts(each.run.last_line)
    assert found == dict.fromkeys(found, expected)


def test_all_of_them_have_the_verdict_of_the_run(each: Told, story: Story) -> None:
    page = told(each.read("e2e-report.html"))
    sentence = page["sentence"]
    assert sentence.startswith(story.sentence)
    assert each.run.exit_code == page["exit_code"] == story.exit_code
    assert each.console.rstrip().endswith(sentence)
    assert each.read("github.env")["verdict"] == sentence
    assert check("post", each.posts["webhook"][0])["sentence"] == plain(sentence, limit=600)
    assert escape(sentence, limit=600) in check_slack(each.posts["slack"][0])["text"]
    assert "NO GO" in each.read("summary.md")
    assert "NO GO" in each.read("github.md")
    [run] = [one for name, one in check_otlp(each.posts["v1/traces"]).items() if name.startswith("RUN ")]
    assert attributes(run)["cicd.pipeline.result"] == story.pipeline


def test_all_of_them_name_the_service_that_failed(each: Told) -> None:
    """Of the shards each has one of its own."""
    services = each.read("e2e-results.json")["services"]
    failed = sorted(one["name"] for one in services if one["status"] == "failed")
    page = told(each.read("e2e-report.html"))["services"]
    assert sorted(one["name"] for one in page if one["status"] == "failed") == failed
    assert sorted({one for one in failed if f"✗ service {one} failed: " in each.console}) == failed
    assert ("### Failed services" in each.read("summary.md")) is bool(failed)
    errors = check_commands(each.commands).get("error", [])
    assert len(errors) >= len(failed)
    for name in failed:
        assert f"- `{name}`: " in each.read("summary.md")
        assert any(f"::error title={name}::" in line for line in each.commands)
        for junit in ("junit.xml", "gl-junit-report.xml"):
            assert each.read(junit).find(f".//testcase[@name='{name}']/error") is not None
        assert name in [one["name"] for one in each.read("ctrf-report.json")["results"]["tests"]]
        assert any(one["name"].endswith(name) for one in each.read("results.tap"))


def test_a_failure_shows_the_logs_around_it(each: Told, story: Story) -> None:
    """The studio says little: its API is silent, and what it said before is shown."""
    html = each.read("e2e-report.html")
    numbers = {one["name"]: at for at, one in enumerate(told(html)["tests"])}
    for name, attempts in story.logs.items():
        logs = told(html, f"logs-{numbers[name]}")
        assert sorted(logs) == sorted(attempts)
        for attempt in logs.values():
            services = {one["service"].partition(" ")[0]: one for one in attempt}
            assert sorted(services) == sorted(story.services)
            assert not any(one["gone"] for one in attempt)
            assert "listening on" in services["api"]["lines"][0]


def test_a_replay_tells_the_same_bytes(live: Told, replayed: Told) -> None:
    """But for the last line on standard error, which only runs have, and for signs of life, which take real time."""
    assert replayed.run.stderr == ""
    assert replayed.run.exit_code == live.run.exit_code
    assert replayed.files == live.files
    assert replayed.posts == live.posts
    assert replayed.commands == live.commands
    assert without_signs_of_life(replayed.console) == without_signs_of_life(live.console)


def without_signs_of_life(console: str) -> list[str]:
    return [line for line in console.splitlines() if not line.startswith("… ")]


def test_shards_fail_the_same_tests(live: Told, merged: Told, story: Story) -> None:
    """What is refused or goes down first, and what that blocks, each shard decides for itself."""
    assert failed(merged) == failed(live)
    assert len(merged.read("e2e-results.json")["merged_from"]) == 2
    assert set(merged.run.tests) == set(live.run.tests)
    if story.bend is None:
        assert bad_cases(merged) == bad_cases(live)


def failed(told_: Told) -> set[str]:
    return {name for name, test in told_.run.tests.items() if test["status"] == "failed"}


def bad_cases(told_: Told) -> set[str]:
    return {
        f"{name} {case['id']}"
        for name, test in told_.run.tests.items()
        for case in test["cases"]
        if case["status"] in ("failed", "error", "timeout")
    }
