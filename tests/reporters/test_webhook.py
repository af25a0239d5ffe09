"""Messages made of templates: what they may say, and what no child can make them say."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import stories
from support.stories import Story, a_phase, a_plan, a_test

from e2e_orchestrator.cli.baseline import compared_with
from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.baseline import Baseline, BaselineChosen, BaselineTest
from e2e_orchestrator.model.outcomes import Reason, Status, because
from e2e_orchestrator.model.summary import RunState, fold
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.webhook import WebhookReporter
from e2e_orchestrator.reporters.webhook_template import FACTS, TEMPLATES, checked, facts, filled

EVERYTHING = json.dumps({name: f"({{{{ {name} }}}})" for name in FACTS})


def made(environ: dict[str, str], *, path: Path | None = None) -> WebhookReporter:
    return WebhookReporter(
        ReporterContext(output=Path("out"), run_folder=Path("out/r"), path=path, environ=environ)
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_of_ours_is_sound_and_says_the_verdict(name: str) -> None:
    body = filled(checked(TEMPLATES[name], where=name), fold(stories.red()), environ={})
    assert "NO GO" in json.dumps(json.loads(body), ensure_ascii=False)
    assert "died of SIGSEGV" in body.decode()


def test_every_fact_can_be_said() -> None:
    environ = {"E2E_RUN_URL": "https://ci/1", "E2E_REPORT_URL": "https://ci/r", "GIT_BRANCH": "main"}
    told = json.loads(filled(checked(EVERYTHING, where="x"), fold(stories.red()), environ=environ))
    assert set(told) == set(FACTS) == set(facts(RunState(), environ={}))
    assert told["url"] == "(https://ci/1)"
    assert (told["failed"], told["exit_code"]) == ("(2)", "(1)")
    assert "[run](https://ci/1)" in told["facts"]


COUNTS = ("new", "still_failing", "fixed", "not_run")
OF_COUNTS = '{"new": {{new}}, "still_failing": {{still_failing}}, "fixed": {{fixed}}, "not_run": {{not_run}}}'


def test_what_is_new_against_a_baseline() -> None:
    statuses = {"backend_smoke/login": Status.FAILED, "health/api_health": Status.FAILED}
    statuses |= {"backend_smoke/tips": Status.PASSED, "gone/gone": Status.PASSED}
    tests = tuple(BaselineTest(test=test, status=status) for test, status in statuses.items())
    run = fold(compared_with(stories.red(), Baseline(run_id="earlier", tests=tests)))
    told = json.loads(filled(checked(OF_COUNTS, where="x"), run, environ={}))
    assert told == {"new": 1, "still_failing": 1, "fixed": 1, "not_run": 1}
    said = facts(run, environ={})
    assert said["baseline"] == "earlier"
    assert said["compared"] == (
        "1 new failure (3 new errors), 1 still failing, 1 fixed, 0 flaky, 1 not run, against run earlier"
    )
    for name, ours in TEMPLATES.items():
        assert said["compared"] in filled(ours, run, environ={}).decode(), name


def test_without_a_baseline_nobody_knows_what_is_new() -> None:
    told = json.loads(filled(checked(OF_COUNTS, where="x"), fold(stories.red()), environ={}))
    assert told == dict.fromkeys(COUNTS)
    said = facts(fold(stories.red()), environ={})
    assert (said["baseline"], said["compared"]) == ("", "")
    assert "against" not in said["facts"]


def hostile(text: str) -> RunState:
    test = a_test("p", f"t{text}")
    verdict = because(Reason.TEST_FAILURES, text)
    story = Story().start(a_plan(a_phase("p", test))).tell(BaselineChosen(baseline=Baseline(run_id=text)))
    story.attempt(test, verdict=verdict).end_test(test, verdict)
    return fold(story.end(5, text))


@given(st.one_of(st.text(), st.sampled_from(['"}', "{{url}}", "\\", "\\u0022", "@everyone", "<@1>", "](x)"])))
@settings(deadline=None)
def test_no_text_ends_its_place_in_the_message(text: str) -> None:
    for name, template in (*TEMPLATES.items(), ("all", EVERYTHING)):
        body = filled(template, hostile(text), environ={"E2E_RUN_URL": f"https://ci/{text}"})
        told = json.loads(body)
        assert set(told) == set(
            json.loads(template.replace("{{success}}", "1").replace("{{exit_code}}", "1"))
        )
        said = json.dumps(told, ensure_ascii=False)
        assert "@everyone" not in said, name
        assert "<@" not in said, name


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ('{"text": "{{nothing}}"}', "there is no 'nothing'"),
        ('{"text": {{sentence}}', "is no JSON"),
        (None, "cannot be read"),
    ],
)
def test_a_template_that_would_not_work_is_refused_at_once(
    template: str | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "message.json"
    if template is not None:
        path.write_text(template)
    with pytest.raises(UsageError, match=says):
        made({"E2E_ORCHESTRATE_WEBHOOK": "https://h/x"}, path=path)


@pytest.mark.parametrize("url", ["", "nowhere", "ftp://h/x"])
def test_an_address_is_needed(url: str) -> None:
    with pytest.raises(UsageError, match="address"):
        made({"E2E_ORCHESTRATE_WEBHOOK": url})
