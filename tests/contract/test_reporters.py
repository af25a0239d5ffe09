"""What every built-in report must do, whatever it reports and wherever a run ends."""

import asyncio
import importlib
import json
import re
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from support.stories import RUN_ID, STORIES, hostile, many_cases, red

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.events import Envelope, decode, encode
from e2e_orchestrator.protocols import Reporter, ReporterContext, ReporterFactory
from e2e_orchestrator.reporters import BUILTIN

ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")
COMMAND = re.compile(r"^\s*(?:::|##)|##\w*\[", re.MULTILINE)


class Channel:
    """A Slack that accepts everything and keeps it."""

    def __init__(self) -> None:
        self.posts: list[bytes] = []
        posts = self.posts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posts.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/services/T0/B0/secret"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def channel() -> Iterator[Channel]:
    channel = Channel()
    yield channel
    channel.close()


@pytest.fixture
def context(tmp_path: Path, channel: Channel) -> ReporterContext:
    channel.posts.clear()
    return a_context(tmp_path / "test-results", channel)


def a_context(output: Path, channel: Channel) -> ReporterContext:
    run_folder = output / "runs" / RUN_ID
    run_folder.mkdir(parents=True)
    environ = {"SLACK_WEBHOOK": channel.url, "NO_PROXY": "*"}
    return ReporterContext(output=output, run_folder=run_folder, environ=environ)


def made(name: str, context: ReporterContext) -> Reporter:
    module, _, attribute = BUILTIN[name].partition(":")
    factory: ReporterFactory = getattr(importlib.import_module(module), attribute)
    return factory(context)


async def tell(reporter: Reporter, envelopes: Sequence[Envelope]) -> None:
    for envelope in envelopes:
        await reporter.handle(envelope)


def report(name: str, context: ReporterContext, envelopes: Sequence[Envelope], *, closings: int = 1) -> None:
    async def run() -> None:
        reporter = made(name, context)
        await tell(reporter, envelopes)
        for _ in range(closings):
            await reporter.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, "a reporter leaves no task behind"

    asyncio.run(run())


def products(context: ReporterContext, channel: Channel, printed: str) -> dict[str, bytes]:
    """Everything that a report produced, by where it went; paths of this test are made neutral."""
    root = str(context.output)
    files = {
        str(path.relative_to(context.output)): path.read_bytes()
        for path in sorted(context.output.rglob("*"))
        if path.is_file()
    }
    posts = {f"post {number}": body for number, body in enumerate(channel.posts)}
    channel.posts.clear()
    return {**files, **posts, "printed": printed.replace(root, "OUTPUT").encode()}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("name", BUILTIN)
def test_tells_every_story_to_its_end(name: str, story: str, context: ReporterContext) -> None:
    report(name, context, STORIES[story]())


@pytest.mark.parametrize("name", BUILTIN)
def test_survives_a_run_that_is_cut_at_any_envelope(name: str, tmp_path: Path, channel: Channel) -> None:
    envelopes = red()
    for end in range(len(envelopes)):
        report(name, a_context(tmp_path / str(end), channel), envelopes[:end])


@pytest.mark.parametrize("name", BUILTIN)
def test_a_second_closing_does_nothing(
    name: str, context: ReporterContext, channel: Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    report(name, context, red())
    once = products(context, channel, capsys.readouterr().out)
    report(name, context, red(), closings=2)
    assert products(context, channel, capsys.readouterr().out) == once


# The hostile story has lone surrogates, which become question marks on their way into a journal.
@pytest.mark.parametrize("story", [story for story in STORIES if STORIES[story] is not hostile])
@pytest.mark.parametrize("name", BUILTIN)
def test_a_replay_from_the_journal_gives_the_same_bytes(
    name: str, story: str, tmp_path: Path, channel: Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    live = STORIES[story]()
    replayed = [decode(encode(envelope)) for envelope in live]
    told = []
    for folder, envelopes in (("live", live), ("replayed", replayed)):
        context = a_context(tmp_path / folder, channel)
        report(name, context, envelopes)
        told.append(products(context, channel, capsys.readouterr().out))
    assert told[0] == told[1]


@pytest.mark.parametrize("name", BUILTIN)
def test_hostile_text_stays_text(
    name: str, context: ReporterContext, channel: Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    report(name, context, hostile())
    printed = capsys.readouterr().out
    assert not ESCAPE.findall(printed)
    assert not COMMAND.findall(printed)
    for where, data in products(context, channel, printed).items():
        text = data.decode("utf-8")
        if where.endswith(".json") or where.startswith("post"):
            json.loads(text)
        if where.startswith("post"):
            assert "<!channel>" not in text
            assert "<https://evil" not in text
            assert "@here" not in text


@pytest.mark.parametrize("name", BUILTIN)
def test_hostile_names_write_nothing_outside_the_output_folder(
    name: str, tmp_path: Path, channel: Channel
) -> None:
    context = a_context(tmp_path / "deep" / "test-results", channel)
    report(name, context, hostile())
    outside = [
        path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(context.output)
    ]
    assert outside == []


@pytest.mark.parametrize("name", BUILTIN)
def test_a_mandatory_report_that_cannot_be_written_raises(
    name: str, tmp_path: Path, channel: Channel
) -> None:
    output = tmp_path / "test-results"
    output.write_text("a file where the folder should be")
    run_folder = output / "runs" / RUN_ID
    context = ReporterContext(output=output, run_folder=run_folder, environ={"SLACK_WEBHOOK": channel.url})
    if getattr(made(name, context), "mandatory", False):
        with pytest.raises((OSError, InfrastructureError)):
            report(name, context, red())
    else:
        report(name, context, red())


@pytest.mark.parametrize("name", BUILTIN)
def test_a_run_of_very_many_cases_is_told(name: str, context: ReporterContext) -> None:
    report(name, context, many_cases(2_000, tests=20))
