"""What the formats of other tools say of a run, beside being readable: see tests/contract for that."""

import asyncio
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import stories
from support.formats import CONTROL, check, check_ctrf, check_junit, check_quality, check_tap
from support.stories import Story, a_phase, a_plan, a_test

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import Attachment, Case, CaseStatus, Reason, Status, because
from e2e_orchestrator.model.plan import Artifacts, Screenshots
from e2e_orchestrator.model.summary import fold
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters import BUILTIN, junit_xml
from e2e_orchestrator.reporters.junit_xml import Junit
from e2e_orchestrator.reporters.markdown_summary import summary

FILES = {
    "junit": "junit.xml",
    "ctrf": "ctrf-report.json",
    "tap": "results.tap",
    "markdown": "summary.md",
    "gitlab": "gl-junit-report.xml",
}


def made(
    name: str,
    envelopes: Sequence[Envelope],
    *,
    output: Path,
    environ: Mapping[str, str] | None = None,
    path: Path | None = None,
) -> dict[str, bytes]:
    """The files that a report wrote to the top of the output folder, by name."""
    context = ReporterContext(
        output=output, run_folder=output / "runs" / "r", path=path, environ=environ or {}
    )
    module, _, attribute = BUILTIN[name].partition(":")

    async def run() -> None:
        reporter = getattr(importlib.import_module(module), attribute)(context)
        for envelope in envelopes:
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(run())
    return {one.name: one.read_bytes() for one in output.iterdir() if one.is_file()}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


def junit(envelopes: Sequence[Envelope], output: Path, **environ: str) -> ET.Element:
    return check_junit(made("junit", envelopes, output=output, environ=environ)["junit.xml"])


def cases(root: ET.Element) -> dict[str, ET.Element]:
    return {f"{one.get('classname')} {one.get('name')}": one for one in root.iter("testcase")}


def tags(case: ET.Element) -> list[str]:
    return [child.tag for child in case]


def told(*cases: Case, verdict: Any = None, number: int = 1, story: Story | None = None) -> Story:
    """One test ``p/t`` with an attempt of these cases."""
    test = a_test("p", "t")
    story = story or Story().start(a_plan(a_phase("p", test))).tell(events.PhaseStarted(phase="p"))
    return story.attempt(test, cases=cases, verdict=verdict, number=number, live=False)


def ended(story: Story, verdict: Any = None, *, attempts: int = 1, code: int = 1) -> list[Envelope]:
    story.end_test(a_test("p", "t"), verdict, attempts=attempts)
    return story.end_phase("p", Status.FAILED if code else Status.PASSED).end(code, "because")


FAILED = because(Reason.TEST_FAILURES)


@pytest.mark.parametrize("screenshots", Screenshots)
@pytest.mark.parametrize("name", [*FILES, "json"])
def test_pictures_are_in_every_report_or_in_none(name: str, screenshots: Screenshots, output: Path) -> None:
    """By type or by name; the journal knows them anyway."""
    test = a_test("p", "t")
    plan = replace(a_plan(a_phase("p", test)), artifacts=Artifacts(screenshots=screenshots))
    files = [
        Attachment(name="one", path="runs/r/one", content_type="image/webp"),
        Attachment(name="two", path="runs/r/two.png"),
        Attachment(name="log", path="runs/r/kept.log"),
    ]
    case = Case(id="c", status=CaseStatus.FAILED, message="no", attachments=tuple(files))
    story = Story().start(plan).tell(events.PhaseStarted(phase="p"))
    story.attempt(test, cases=[case], verdict=FAILED, live=False)
    data = made(name, ended(story, FAILED), output=output)[FILES.get(name, "e2e-results.json")]
    seen = [bool(re.search(rb"runs/r/" + path, data)) for path in (rb"one\b", rb"two\.png", rb"kept\.log")]
    shown = screenshots is Screenshots.ALWAYS
    assert seen == [shown, shown, True]


def test_a_flaky_case_passes_and_shows_each_failed_try(output: Path) -> None:
    root = junit(stories.flaky(), output)
    case = cases(root)["backend_smoke.login tests/test_login.py::test_wrong_password"]
    assert tags(case) == ["flakyFailure", "system-out"]
    assert "assert 500 == 401" in (case.findtext("flakyFailure/stackTrace") or "")


def test_a_case_that_failed_thrice_stands_there_once_with_two_reruns(output: Path) -> None:
    story = told(Case(id="c", status=CaseStatus.FAILED, message="one"), verdict=FAILED)
    told(Case(id="c", status=CaseStatus.ERROR, message="two"), verdict=FAILED, number=2, story=story)
    told(Case(id="c", status=CaseStatus.ERROR, message="three"), verdict=FAILED, number=3, story=story)
    case = cases(junit(ended(story, FAILED, attempts=3), output))["p.t c"]
    assert tags(case)[:3] == ["error", "rerunError", "rerunError"]
    assert [one.get("message") for one in case][:3] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("reason", "tag"),
    [
        (Reason.COLLECTION_ERROR, "error"),
        (Reason.INFRASTRUCTURE, "error"),
        (Reason.CRASH, "error"),
        (Reason.NO_TESTS, "error"),
        (Reason.CANCELLED, "error"),
        (Reason.TEST_FAILURES, "failure"),
        (Reason.BLOCKED, "skipped"),
        (Reason.ALL_SKIPPED, "skipped"),
    ],
)
def test_a_test_without_cases_is_a_case_of_its_own(reason: Reason, tag: str, output: Path) -> None:
    verdict = because(reason, "the reason why")
    case = cases(junit(ended(told(verdict=verdict), verdict), output))["p.t t"]
    assert tags(case)[0] == tag
    assert case[0].get("message") == "the reason why"


def test_a_collection_error_is_seen_beside_cases_that_passed(output: Path) -> None:
    verdict = because(Reason.COLLECTION_ERROR, "no module named x")
    root = junit(ended(told(Case(id="c", status=CaseStatus.PASSED), verdict=verdict), verdict), output)
    assert root.get("errors") == "1"
    assert tags(cases(root)["p.t c"]) == []


def test_a_test_that_crashed_once_and_then_passed_is_flaky_in_every_format(output: Path) -> None:
    crash = because(Reason.CRASH, "died of SIGSEGV")
    story = told(verdict=crash)
    told(Case(id="c", status=CaseStatus.PASSED), number=2, story=story)
    envelopes = ended(story, because(Reason.FLAKY), attempts=2, code=0)
    assert "flakyError" in tags(cases(junit(envelopes, output))["p.t t"])
    report = check_ctrf(made("ctrf", envelopes, output=output)["ctrf-report.json"])
    assert report["results"]["summary"]["flaky"] == 1


STORIES_AND_WHAT_IS_NO_TEST = {
    "a service that failed": (stories.service_failed, "e2e-orchestrator.services api"),
    "a run that was cut": (lambda: stories.green()[:-3], "e2e-orchestrator.run the run did not finish"),
    "a run that failed for a reason of its own": (
        stories.never_started,
        "e2e-orchestrator.run verdict",
    ),
}


@pytest.mark.parametrize(
    ("story", "name"), STORIES_AND_WHAT_IS_NO_TEST.values(), ids=STORIES_AND_WHAT_IS_NO_TEST
)
def test_nothing_is_green_that_was_not(story: Any, name: str, output: Path) -> None:
    envelopes = story()
    assert "error" in tags(cases(junit(envelopes, output))[name])
    report = check_ctrf(made("ctrf", envelopes, output=output)["ctrf-report.json"])
    assert report["results"]["summary"]["failed"] >= 1
    points = check_tap(made("tap", envelopes, output=output)["results.tap"])
    assert any(point["word"] == "not ok" for point in points)


@pytest.mark.parametrize("holds", [True, False])
def test_a_gate_is_a_case_with_its_figures(holds: bool, output: Path) -> None:
    story = (
        Story()
        .start(a_plan())
        .tell(events.GateEvaluated(gate="coverage", holds=holds, message="lines 81.5 %, at least 80 %"))
    )
    envelopes = story.end(0 if holds else 3)
    case = cases(junit(envelopes, output))["e2e-orchestrator.gates gate coverage"]
    assert tags(case) == ([] if holds else ["failure"])
    for name, file in FILES.items():
        data = made(name, envelopes, output=output)[file]
        if name != "gitlab" and not (holds and name in ("junit", "tap")):
            assert b"81.5" in data, name


def test_files_are_named_from_the_repository(output: Path) -> None:
    root = junit(stories.red(), output, GITHUB_WORKSPACE="/")
    assert {one.get("file") for one in root.iter("testcase") if one.get("file")} >= {
        "app/tests/test_login.py"
    }


def test_attachments_are_named_from_the_repository_if_the_output_lies_in_it(tmp_path: Path) -> None:
    root = junit(stories.red(), tmp_path / "out", CI_PROJECT_DIR="/")
    said = "".join(one.text or "" for one in root.iter("system-out"))
    assert f"[[ATTACHMENT|{(tmp_path / 'out').as_posix()[1:]}/runs/" in said


def test_an_attachment_cannot_forge_another(output: Path) -> None:
    odd = Attachment(name="x", path="runs/a]]\n[[ATTACHMENT|/etc/passwd")
    case = Case(id="c", status=CaseStatus.FAILED, message="m", attachments=(odd,))
    root = junit(ended(told(case, verdict=FAILED), FAILED), output)
    assert "/etc/passwd" not in "".join(one.text or "" for one in root.iter("system-out"))


def test_a_report_stays_below_the_limit_of_gitlab_and_its_counts_match() -> None:
    long = "x" * 60_000
    bad = [Case(id=f"c{at}", status=CaseStatus.FAILED, message=f"{at} {long}") for at in range(700)]
    good = [Case(id=f"g{at}", status=CaseStatus.PASSED) for at in range(100)]
    envelopes = ended(told(*bad, *good, verdict=FAILED), FAILED)
    context = ReporterContext(output=Path("out"), run_folder=Path("out/runs/r"))
    data = Junit(run=fold(envelopes), context=context, timestamp="").render()
    root = check_junit(data)
    assert root.get("tests") == "800"
    assert "characters left out" in (next(root.iter("failure")).text or "")


SHORTER = {
    # Status of the cases, how many, letters of a name; how many of them are left.
    "long names are cut before a case is lost": (CaseStatus.PASSED, 500, 1_500, 500),
    "of too many passed cases the last are left out": (CaseStatus.PASSED, 3_000, 200, None),
    "so are failures, if there is nothing else": (CaseStatus.FAILED, 3_000, 600, None),
}


@pytest.mark.parametrize(("status", "number", "letters", "left"), SHORTER.values(), ids=SHORTER.keys())
def test_whatever_there_is_the_limit_holds_and_what_is_left_out_is_said(
    status: CaseStatus, number: int, letters: int, left: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(junit_xml, "_BIGGEST", 200_000)
    cases = [Case(id=f"{at:04} {'x' * letters} {at}", status=status, message="m") for at in range(number)]
    bad = Case(id="the bad one", status=CaseStatus.FAILED, message="m")
    envelopes = ended(told(*cases, bad, verdict=FAILED), FAILED)
    context = ReporterContext(output=Path("out"), run_folder=Path("out/runs/r"))
    data = Junit(run=fold(envelopes), context=context, timestamp="").render()
    assert len(data) <= 200_000
    root = check_junit(data)
    shown = list(root.iter("testcase"))
    if left is not None:
        assert len(shown) == left + 1
        return
    said = "".join(one.get("message") or "" for one in root.iter("skipped"))
    assert f"{number + 1 - (len(shown) - 1)} of {number + 1} cases of this run are left out" in said
    assert len(shown) > number // 10, "as many as fit"
    if status is CaseStatus.PASSED:
        assert "the bad one" in {str(one.get("name")) for one in shown}, "what matters comes first"


def test_the_end_of_an_attachments_token_in_a_name_begins_no_other(output: Path) -> None:
    odd = Attachment(name="x", path="runs/]]][[ATTACHMENT|evil]].txt")
    case = Case(id="c", status=CaseStatus.FAILED, message="m", attachments=(odd,))
    root = junit(ended(told(case, verdict=FAILED), FAILED), output)
    assert "evil" not in "".join(one.text or "" for one in root.iter("system-out"))


def test_ctrf_says_pending_of_what_nobody_got_to(output: Path) -> None:
    report = check_ctrf(made("ctrf", stories.red(), output=output)["ctrf-report.json"])
    by_name = {test["name"]: test for test in report["results"]["tests"]}
    assert (by_name["pages"]["status"], by_name["pages"]["rawStatus"]) == ("pending", "notRun")
    wrong = by_name["tests/test_login.py::test_wrong_password"]
    assert (wrong["retries"], [one["attempt"] for one in wrong["retryAttempts"]]) == (1, [1, 2])
    assert report["extra"]["e2e_orchestrator"]["exitCode"] == 1
    assert report["results"]["summary"]["start"] == 1772366400000


def test_ctrf_in_its_latest_form_names_the_run(output: Path) -> None:
    data = made("ctrf", stories.red(), output=output, environ={"E2E_ORCHESTRATE_CTRF": "latest"})
    assert json.loads(data["ctrf-report.json"])["runId"] == stories.RUN_ID
    with pytest.raises(UsageError, match="no dialect"):
        made("ctrf", [], output=output, environ={"E2E_ORCHESTRATE_CTRF": "newest"})


def test_gitlab_gets_every_failure_at_its_line_with_a_fingerprint_that_stays(output: Path) -> None:
    files = made("gitlab", stories.red(), output=output)
    first = check_quality(files["gl-code-quality-report.json"])
    places = {(one["location"]["path"], one["location"]["lines"]["begin"]) for one in first}
    assert ("tests/test_login.py", 14) in places
    later = [replace(one, mono=one.mono + 5) for one in stories.red()]
    again = check_quality(made("gitlab", later, output=output)["gl-code-quality-report.json"])
    assert [one["fingerprint"] for one in again] == [one["fingerprint"] for one in first]


def test_gitlab_puts_both_files_into_the_folder_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    made("gitlab", stories.red(), output=tmp_path / "out", path=tmp_path / "elsewhere")
    names = {one.name for one in (tmp_path / "elsewhere").iterdir()}
    assert names == {"gl-junit-report.xml", "gl-code-quality-report.json"}


@pytest.mark.parametrize("budget", [200_000, 5_000, 500, 150])
def test_a_summary_keeps_to_its_budget(budget: int) -> None:
    bad = [
        Case(id=f"c{at}", status=CaseStatus.FAILED, message=f"{chr(97 + at % 26)}{at}x\n" * 50)
        for at in range(300)
    ]
    run = fold(ended(told(*bad, verdict=FAILED), FAILED))
    page = summary(run, environ={}, budget=budget)
    assert len(page.encode()) <= budget
    assert page.startswith("## ⛔ NO GO")


def github(envelopes: Sequence[Envelope], output: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    output.mkdir()
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(output / "summary.md")}
    made("github", envelopes, output=output, environ=environ)
    return capsys.readouterr().out.splitlines()


def test_github_spends_its_annotations_on_groups(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split()  # noqa: SIM905
    bad = [
        Case(id=f"{word}{at}", status=CaseStatus.FAILED, message=f"{word} broke", file="a.py", line=at)
        for word in words
        for at in (1, 2, 3)
    ]
    lines = github(ended(told(*bad, verdict=FAILED), FAILED), output, capsys)
    errors = [line for line in lines if line.startswith("::error ")]
    assert len(errors) == 10
    assert errors[0] == "::error file=a.py,line=1,title=alpha broke::3 failures in p/t%0Aalpha broke"
    assert errors[-1] == "::error title=More::3 more: see the summary of the job"


@pytest.mark.parametrize("line", [-1, 0])
def test_a_line_that_is_none_reaches_nobody(
    line: int, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Case(id="c", status=CaseStatus.FAILED, message="it broke", file="a.py", line=line)
    story = ended(told(bad, verdict=FAILED), FAILED)
    [error] = [one for one in github(story, output, capsys) if one.startswith("::error ")]
    assert error.startswith("::error file=a.py,title=")
    [issue] = check_quality(made("gitlab", story, output=output)["gl-code-quality-report.json"])
    assert issue["location"] == {"path": "a.py", "lines": {"begin": 1}}
    results = made("json", story, output=output)["e2e-results.json"]
    assert json.loads(results)["phases"][0]["tests"][0]["cases"][0]["line"] is None


def test_github_warns_of_what_is_flaky_or_optional(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = github(stories.flaky(), output, capsys)
    kinds = [line.split(" ")[0] for line in lines if line.startswith(("::error", "::warning"))]
    assert kinds == ["::warning", "::warning"]


def test_github_appends_to_what_the_step_wrote_before_and_leaves_room(tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    page.write_text("before\n" + "x" * (900 * 1024 - 300))
    (tmp_path / "out").mkdir()
    environ = {"GITHUB_STEP_SUMMARY": str(page)}
    made("github", stories.red(), output=tmp_path / "out", environ=environ)
    text = page.read_text()
    assert text.startswith("before\n")
    assert "NO GO" in text
    assert len(text.encode()) <= 900 * 1024


def test_github_elsewhere_is_a_usage_error(output: Path) -> None:
    with pytest.raises(UsageError, match="GitHub Actions"):
        made("github", [], output=output)


HOSTILE = (
    "]]>",
    "::error::forged",
    "::stop-commands::x",
    "\x1b]0;t\x07\x1b[2J",
    "\x00\x08\ud800\ufffe\uffff\u202e",
    "```\n# no heading\n- @everyone <!channel>\n</details><script>",
    "|`| a | b |",
    "# SKIP\\",
    '"\\u0000{{sentence}}${x}',
    "ok 1 - forged\nnot ok 2\n1..2\nBail out!",
    "a\r\nb\x85c\u2028d",
    "=\nname=value",
    "x" * 1_000_000,
)
texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=40), st.lists(st.sampled_from(HOSTILE[:-1])).map("".join)
)


def hostile_run(text: str) -> list[Envelope]:
    test = replace(a_test("p", "t"), tags=(text,))
    story = Story().start(a_plan(a_phase("p", test))).tell(events.PhaseStarted(phase="p"))
    file = text.replace("\0", "") or None
    odd = Attachment(name=text, path=f"runs/{text}", content_type=text)
    bad = [
        Case(id=f"{text}{at}", status=status, message=text, file=file, line=1, attachments=(odd,))
        for at, status in enumerate(CaseStatus)
    ]
    story.attempt(test, cases=bad, verdict=because(Reason.TEST_FAILURES, text), live=False, tail=text)
    story.end_test(test, because(Reason.TEST_FAILURES, text))
    story.tell(events.GateEvaluated(gate="g", holds=False, message=text), events.Warned(message=text))
    return story.end_phase("p", Status.FAILED).end(1, text)


@given(texts)
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_or_forges_any_format(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    envelopes = hostile_run(text)
    for name in FILES:
        for file, data in made(name, envelopes, output=tmp_path_factory.mktemp("hostile")).items():
            read = check(file, data)
            assert not CONTROL.search(data.decode())
            if file.endswith(".xml"):
                assert len(cases(read)) == len(CaseStatus) + 1, "one for each case and the gate"
            if file.endswith(".tap"):
                assert [point["word"] for point in read].count("not ok") == 4
            if file.endswith(".md"):
                assert_only_code(read)


def assert_only_code(page: str) -> None:
    """Outside of fences and code spans there is nothing that was not ours."""
    fence = None
    for line in page.split("\n"):
        if fence is not None:
            fence = None if line == fence else fence
        elif line.startswith("```"):
            fence = line.removesuffix("text")
        else:
            rest = "".join(re.sub("<code>[^<>]*</code>", "", line).split("`")[::2])
            assert "@" not in rest, line
            assert "#" not in rest.lstrip("#"), line
            assert "script>" not in rest, line
    assert fence is None
