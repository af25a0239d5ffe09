"""The Slack message, and how it gets to a server that answers as servers do."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support import stories
from support.formats import check_slack

from e2e_orchestrator.cli.baseline import compared_with
from e2e_orchestrator.errors import InfrastructureError, UsageError
from e2e_orchestrator.model.baseline import Baseline, BaselineTest
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import Reason, Status, because
from e2e_orchestrator.model.summary import fold
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.slack import SlackReporter
from e2e_orchestrator.reporters.slack_message import message

HANG_UP = 0
SECRET = "/services/T0SECRET/B0SECRET/x0SECRET"


class Slack:
    """Answers with the prepared statuses in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = [(200, {})]
        self.posts: list[bytes] = []
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                slack.posts.append(self.rfile.read(int(self.headers["Content-Length"])))
                status, headers = slack.answers.pop(0) if len(slack.answers) > 1 else slack.answers[0]
                if status == HANG_UP:
                    self.connection.close()
                    return
                body = b"ok" if status == 200 else f"invalid_payload {SECRET}".encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{SECRET}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def slack() -> Iterator[Slack]:
    slack = Slack()
    yield slack
    slack.close()


class Time:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def a_context(environ: Mapping[str, str]) -> ReporterContext:
    return ReporterContext(output=Path("out"), run_folder=Path("out/runs/r"), environ=environ)


def post(slack: Slack, envelopes: Sequence[Envelope] | None = None) -> list[float]:
    """The pauses between the tries."""
    time = Time()

    async def run() -> None:
        context = a_context({"SLACK_WEBHOOK": slack.url})
        reporter = SlackReporter(context, clock=time, sleep=time.sleep)
        for envelope in stories.red() if envelopes is None else envelopes:
            await reporter.handle(envelope)
        await reporter.close()
        await reporter.close()

    asyncio.run(run())
    return time.pauses


def payload(envelopes: Sequence[Envelope], environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(message(fold(envelopes), environ=environ or {}))
    return told


def texts(told: dict[str, Any]) -> str:
    return "\n".join(block["text"]["text"] for block in told["blocks"] if "text" in block)


def test_posts_one_message_at_the_end(slack: Slack) -> None:
    assert post(slack) == []
    (body,) = slack.posts
    assert json.loads(body)["text"].startswith("streamer-studio: NO GO")


def test_a_run_of_which_nothing_was_seen_is_not_told(slack: Slack) -> None:
    post(slack, [])
    assert slack.posts == []


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        pytest.param([(429, {"Retry-After": "3"}), (200, {})], [3.0], id="waits as long as Slack asks"),
        pytest.param([(429, {}), (200, {})], [0.5], id="waits a little if Slack does not say how long"),
        pytest.param([(429, {"Retry-After": "soon"}), (200, {})], [0.5], id="ignores a wait that is none"),
        pytest.param([(500, {}), (503, {}), (200, {})], [0.5, 1.0], id="tries again after server errors"),
        pytest.param([(HANG_UP, {}), (200, {})], [0.5], id="tries again after a hang-up"),
    ],
)
def test_tries_again(slack: Slack, answers: list[tuple[int, dict[str, str]]], pauses: list[float]) -> None:
    slack.answers = answers.copy()
    assert post(slack) == pauses
    assert len(slack.posts) == len(answers)
    assert len(set(slack.posts)) == 1


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_a_refusal_is_final(slack: Slack, status: int) -> None:
    slack.answers = [(status, {})]
    with pytest.raises(InfrastructureError, match=f"Slack answered {status} invalid_payload …$"):
        post(slack)
    assert len(slack.posts) == 1


def test_gives_up_when_the_time_is_up(slack: Slack) -> None:
    slack.answers = [(500, {})]
    with pytest.raises(InfrastructureError, match=r"Slack answered 500 .*; gave up"):
        post(slack)
    assert 4 <= len(slack.posts) <= 8


def test_does_not_wait_longer_than_there_is_time(slack: Slack) -> None:
    slack.answers = [(429, {"Retry-After": "120"})]
    with pytest.raises(InfrastructureError, match="Slack asks to wait 120s; gave up"):
        post(slack)
    assert len(slack.posts) == 1


def test_an_interrupted_run_is_in_a_hurry(slack: Slack) -> None:
    slack.answers = [(500, {})]
    with pytest.raises(InfrastructureError):
        post(slack, stories.interrupted())
    assert len(slack.posts) <= 3


def test_no_failure_shows_the_webhook(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = slack.url
    slack.close()
    with pytest.raises(InfrastructureError) as caught:
        post(slack)
    error: BaseException | None = caught.value
    while error is not None:
        assert "SECRET" not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__
    assert "ConnectError" in str(caught.value)
    assert "SECRET" not in caplog.text
    assert url not in caplog.text
    slack.close = lambda: None  # type: ignore[method-assign]


def test_a_success_logs_no_webhook_either(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post(slack)
    assert "SECRET" not in caplog.text
    assert not logging.getLogger("httpx").disabled


def test_a_proxy_that_cannot_be_used_is_named(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALL_PROXY", "nonsense://user:hidden@127.0.0.1")
    with pytest.raises(InfrastructureError, match="check HTTPS_PROXY and ALL_PROXY") as caught:
        post(slack)
    assert "hidden" not in str(caught.value)


def test_without_a_webhook_it_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="set SLACK_WEBHOOK"):
        SlackReporter(a_context({}))


@pytest.mark.parametrize(
    "url",
    [
        "hooks.slack.com/x",
        "file:///etc/SECRET",
        "https://",
        "http://[::1",
        "http://h:99999/SECRET",
        "https://h/\x00SECRET",
    ],
)
def test_what_is_no_web_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="SLACK_WEBHOOK is not a web address") as caught:
        SlackReporter(a_context({"SLACK_WEBHOOK": url}))
    assert "SECRET" not in str(caught.value)


def test_our_own_variable_outranks_the_common_one(slack: Slack) -> None:
    environ = {"SLACK_WEBHOOK": "http://127.0.0.1:1/", "E2E_ORCHESTRATE_SLACK_WEBHOOK": slack.url}

    async def run() -> None:
        reporter = SlackReporter(a_context(environ))
        await reporter.handle(stories.green()[0])
        await reporter.close()

    asyncio.run(run())
    assert len(slack.posts) == 1


def test_a_red_run_tells_what_failed_and_why() -> None:
    told = payload(stories.red())
    assert told["blocks"][0]["text"]["text"] == "⛔ NO GO: streamer-studio"
    assert "*NO GO: 1 required phase failed: backend_smoke (exit code 1)*" in texts(told)
    assert (
        "✗ *backend_smoke/login*  2 of 5 cases failed after 2 attempts\n"
        "`AssertionError: a wrong password must not be an error of ours`" in texts(told)
    )
    assert "○ performance (optional) blocked" in texts(told)


def test_a_green_run_is_short() -> None:
    told = payload(stories.green())
    assert told["blocks"][0]["text"]["text"] == "✅ GO: streamer-studio"
    assert [block["type"] for block in told["blocks"]] == ["header", "section", "section", "context"]


def against(envelopes: Sequence[Envelope], *failed: str, run_id: str = "earlier") -> list[Envelope]:
    """Compared with a run in which these failed and all others passed."""
    plan = fold(envelopes).plan
    assert plan is not None
    tests = tuple(
        BaselineTest(test=one.id, status=Status.FAILED if one.id in failed else Status.PASSED)
        for one in plan.tests
    )
    return list(compared_with(envelopes, Baseline(run_id=run_id, tests=tests)))


def test_what_is_new_is_one_line_under_the_verdict() -> None:
    told = payload(against(stories.red(), "backend_smoke/login", "health/api_health"))
    assert told["blocks"][2]["text"]["text"] == (
        "1 new failure (3 new errors), 1 still failing, 1 fixed, 0 flaky, 2 not run, against run earlier"
    )
    assert "against run" not in texts(payload(stories.red()))


def test_a_baseline_mentions_nobody_and_links_nowhere() -> None:
    """It may be a file of anybody's."""
    name = "<!channel> @here <https://evil|click> `code` \x1b[31m\n" + "x" * 5_000
    told = payload(against(stories.green(), run_id=name))
    line = told["blocks"][2]["text"]["text"]
    assert line.startswith("0 new failures")
    assert len(line) < 400
    for forbidden in ("<", "@here", "`", "\x1b", "\n"):
        assert forbidden not in line


def test_flaky_tests_are_named() -> None:
    assert "~ backend_smoke/login  flaky" in texts(payload(stories.flaky()))


def test_a_link_and_where_the_code_comes_from() -> None:
    environ = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "7",
        "GITHUB_SHA": "0123456789abcdef",
        "GITHUB_REF_NAME": "main <x>",
    }
    told = payload(stories.green(), environ)
    assert told["blocks"][-1]["elements"][0]["url"] == "https://github.com/o/r/actions/runs/7"
    assert told["blocks"][-2]["elements"][0]["text"] == (
        f"10.3s · branch main &lt;x&gt; · commit 0123456789 · run {stories.RUN_ID}"
    )


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def many_failures(number: int, *, text: str) -> list[Envelope]:
    """Each of another kind."""
    tests = [stories.a_test("load" * 9, f"{text[:200]}{index}") for index in range(number)]
    story = stories.Story().start(stories.a_plan(stories.a_phase("load" * 9, *tests)))
    verdict = because(Reason.TEST_FAILURES)
    for at, test in enumerate(tests):
        message = f"{LETTERS[at // 26]}{LETTERS[at % 26]} {text}"
        story.attempt(test, cases=[stories.bad_case(test, message=message)], verdict=verdict)
        story.end_test(test, verdict)
    return story.end(1, text)


@pytest.mark.parametrize("text", ["x" * 5000, "&<>" * 2000, "\U0001f600" * 5000])
def test_even_a_catastrophe_keeps_to_the_limits(text: str) -> None:
    told = payload(many_failures(200, text=text))
    raw = message(fold(many_failures(200, text=text)), environ={}).decode()
    assert len(raw) < 12_000
    assert check_slack(raw.encode()) == told
    assert re.search(r"\+ 19\d more groups of failures", texts(told))


def test_ten_groups_of_failures_at_most() -> None:
    told = texts(payload(many_failures(14, text="boom")))
    assert told.count(" boom`") == 10
    assert "+ 4 more groups of failures" in told


def test_failures_of_one_kind_are_one_entry() -> None:
    told = texts(payload(stories.playwright_red()))
    assert told.count("element(s) not found") + told.count("toBeVisible") == 1


def owned(*tags: str) -> list[Envelope]:
    test = stories.a_test("p", "t", tags=tags)
    story = stories.Story().start(stories.a_plan(stories.a_phase("p", test)))
    verdict = because(Reason.TEST_FAILURES, "boom")
    return story.attempt(test, verdict=verdict).end_test(test, verdict).end(1, "because")


def test_the_owner_of_a_failed_test_is_mentioned_once() -> None:
    environ = {"E2E_ORCHESTRATE_SLACK_OWNERS": "web=U024BE7LH payments=S0614TZR7, other=W1234"}
    told = texts(payload(owned("owner:payments", "owner:web", "owner:nobody", "smoke"), environ))
    assert "<!subteam^S0614TZR7> <@U024BE7LH>" in told
    assert "W1234" not in told
    assert "<@" not in texts(payload(owned("owner:web")))


@pytest.mark.parametrize("words", ["web", "web=channel", "web=<!here>", "=U0 x=u1"])
def test_an_owner_that_is_none_is_a_usage_error(words: str) -> None:
    with pytest.raises(UsageError, match="nobody that Slack knows"):
        SlackReporter(a_context({"SLACK_WEBHOOK": "http://h/x", "E2E_ORCHESTRATE_SLACK_OWNERS": words}))


def test_the_report_is_linked_beside_the_run() -> None:
    environ = {"E2E_RUN_URL": "https://ci/run", "E2E_REPORT_URL": "https://ci/report"}
    buttons = payload(stories.red(), environ)["blocks"][-1]["elements"]
    assert [one["url"] for one in buttons] == ["https://ci/run", "https://ci/report"]


@pytest.mark.parametrize(
    ("asked", "before", "story", "posted"),
    [
        ("always", True, stories.green, True),
        ("on-failure", True, stories.green, False),
        ("on-failure", False, stories.green, False),
        ("on-failure", True, stories.red, True),
        ("on-change", True, stories.green, False),
        ("on-change", False, stories.green, True),
        ("on-change", None, stories.green, False),
        ("on-change", True, stories.red, True),
        ("on-change", False, stories.red, False),
        ("on-change", None, stories.red, True),
    ],
)
def test_a_run_is_told_when_it_is_worth_it(
    *, asked: str, before: bool | None, story: Any, posted: bool, slack: Slack, tmp_path: Path
) -> None:
    if before is not None:
        (tmp_path / "e2e-results.json").write_text(json.dumps({"run_id": "earlier", "success": before}))
    environ = {"SLACK_WEBHOOK": slack.url, "E2E_ORCHESTRATE_SLACK_SEND": asked}

    async def run() -> None:
        reporter = SlackReporter(ReporterContext(output=tmp_path, run_folder=tmp_path / "r", environ=environ))
        for envelope in story():
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(run())
    assert bool(slack.posts) is posted
    assert ("GO again" in "".join(body.decode() for body in slack.posts)) is (
        posted and before is False and story is stories.green
    )


def test_an_occasion_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no occasion"):
        SlackReporter(a_context({"SLACK_WEBHOOK": "http://h/x", "E2E_ORCHESTRATE_SLACK_SEND": "never"}))


def test_child_text_mentions_nobody_and_links_nowhere() -> None:
    told = json.dumps(payload(stories.hostile()), ensure_ascii=False)
    for forbidden in ("<!channel>", "@here", "<https", "```", "\\u001b", "\udc80"):
        assert forbidden not in told
