"""Runs a Playwright spec, folder or path pattern, and judges what came of it."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Judged, Tool
from e2e_orchestrator.model.outcomes import Case, CaseStatus, Reason
from e2e_orchestrator.model.packs import Pack, PackJudged, PackSpec
from e2e_orchestrator.model.plan import Packing, RunnerSpec, Test
from e2e_orchestrator.parsers.case_stream import ProblemKind, StreamEvidence, read_stream
from e2e_orchestrator.parsers.packed_stream import read_packed
from e2e_orchestrator.runners.decision import (
    ENDINGS,
    Facts,
    Row,
    all_cases,
    always,
    decide,
    files_left,
    gaps,
    nothing_to_add,
    with_located_attachments,
)
from e2e_orchestrator.runners.node_cache import compile_cache
from e2e_orchestrator.runners.playwright_pack import packs
from e2e_orchestrator.runners.playwright_server import project_with_server
from e2e_orchestrator.runners.playwright_sorting import STOPPED_EARLY, sort_out
from e2e_orchestrator.runners.playwright_target import own_file, own_path, path_filter, selection
from e2e_orchestrator.runners.playwright_tools import browser_hint, find_tools, tools
from e2e_orchestrator.runners.programs import environment

REPORTER = Path(__file__).parent / "shims" / "e2e_orchestrator_case_stream.cjs"

_ADD_REPORTER_SINCE = (1, 63)
_NO_TESTS = "No tests found"
_NO_BROWSER = re.compile(r"executable doesn't exist", re.IGNORECASE)
# The user's own reporters keep working. Two specs at once must not write the same report, so those
# that take a place from the environment write into the attempt's folder.
_REPORT_PLACES = {
    "PLAYWRIGHT_JSON_OUTPUT_FILE": "playwright.json",
    "PLAYWRIGHT_JUNIT_OUTPUT_FILE": "junit.xml",
    "PLAYWRIGHT_HTML_OUTPUT_DIR": "html",
    "PLAYWRIGHT_BLOB_OUTPUT_DIR": "blob",
}
_REPORTS = {
    "playwright.json": ("playwright-json", "application/json"),
    "junit.xml": ("playwright-junit", "application/xml"),
    "html/index.html": ("playwright-html", "text/html"),
}


class PlaywrightRunner:
    """``node cli.js test`` of the project's own @playwright/test, with our reporter beside the user's.

    The exit status and the reporter's stream are the two witnesses. The stream is written by
    Playwright's main process, tests run in others.
    """

    def __init__(self, spec: RunnerSpec) -> None:
        """All that a Playwright test needs else stands in the plan and in its package.json."""
        self._spec = spec

    def command(self, test: Test, spec: AttemptSpec) -> Command:
        return self._command(test, folder=spec.folder, chosen=(path_filter(test),), again=spec)

    def _command(
        self,
        test: Test,
        *,
        folder: Path,
        chosen: tuple[str, ...],
        more: tuple[str, ...] = (),
        again: AttemptSpec | None = None,
    ) -> Command:
        env, seen, cwd = dict(test.env), environment(test.env), Path(test.cwd)
        node, cli = find_tools(cwd, seen)
        reporter, variables = _reporter(cli)
        places = {name: str(folder / place) for name, place in _REPORT_PLACES.items() if name not in seen}
        artifacts = folder / "artifacts"
        argv = (
            *(node, str(cli), "test", *chosen),
            *("--output", str(artifacts), "--forbid-only"),
            *(selection(again, artifacts, version=_version(cli)) if again else ()),
            *more,
            *reporter,
            *test.args,
        )
        ours = {**places, **compile_cache(seen), "PLAYWRIGHT_HTML_OPEN": "never"}
        return Command(argv=argv, cwd=cwd, env={**ours, **env, **variables})

    def judge(self, test: Test, spec: AttemptSpec, completed: Completed) -> Judged:
        return self._judged(test, spec, completed, read_stream(completed.events))

    def tools(self, test: Test) -> Iterator[Tool]:
        return tools(test)

    def exclusive(self, test: Test) -> str | None:
        """Its web server: each invocation starts one, at the same address, and ends it."""
        project = project_with_server(test)
        return f"web server of {project}" if project else None

    def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        return tuple(packs(tests, slots=slots)) if self._spec.pack is Packing.AUTO else ()

    def pack_command(self, spec: PackSpec) -> Command:
        """One that all tests of the pack could have had; with one slot, the configuration's own workers."""
        tests = spec.pack.tests
        description = spec.folder / "pack.json"
        description.write_text(json.dumps({"tests": _places(spec)}), encoding="ascii")
        workers = ("--workers", str(spec.pack.width)) if spec.pack.width > 1 else ()
        command = self._command(
            tests[0], folder=spec.folder, chosen=(*map(path_filter, tests),), more=workers
        )
        return replace(command, env={**command.env, "E2E_PACK": str(description)})

    def judge_pack(
        self, spec: PackSpec, completed: Completed, *, lost: Mapping[str, Completed]
    ) -> PackJudged:
        evidence = read_packed(completed.events, tests=spec.specs)
        return sort_out(spec, completed, evidence, lost=lost, judge=self._judged)

    def _judged(self, test: Test, spec: AttemptSpec, completed: Completed, stream: StreamEvidence) -> Judged:
        cases = all_cases(stream, reported={}, running=_running(completed, stream))
        facts = PlaywrightFacts(
            tool="Playwright",
            completed=completed,
            stream=stream,
            cases=cases,
            own=own_file(test),
            cwd=test.cwd,
        )
        shown = (_nearby(case, cwd=test.cwd) for case in cases)
        return Judged(
            verdict=decide(TABLE, facts),
            cases=with_located_attachments(shown, spec=spec),
            attachments=files_left(_REPORTS, spec=spec),
        )


def _places(spec: PackSpec) -> dict[str, dict[str, str]]:
    """Which path is whose, and where its attempt writes."""
    paths = ((test.id, own_path(test)) for test in spec.pack.tests)
    return {one: {"path": str(path), "folder": str(spec.specs[one].folder)} for one, path in paths}


def _reporter(cli: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Arguments and environment that add our reporter; never ``--reporter``, which replaces the user's."""
    version = _version(cli)
    if version >= _ADD_REPORTER_SINCE and "," not in str(REPORTER):
        return ("--add-reporter", str(REPORTER)), {}
    return (), {"PW_TEST_REPORTER": str(REPORTER)}


def _version(cli: Path) -> tuple[int, ...]:
    try:
        text = str(json.loads((cli.parent / "package.json").read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def _running(completed: Completed, stream: StreamEvidence) -> CaseStatus:
    end = stream.finished.status if stream.finished else None
    if completed.limit is not None or end == "timedout":
        return CaseStatus.TIMEOUT
    return CaseStatus.NOT_RUN if end == "failed" else CaseStatus.ERROR


def _nearby(case: Case, *, cwd: str) -> Case:
    """The case's file as a path from the test's folder, where it lies below it."""
    if case.file is None:
        return case
    relative = os.path.relpath(case.file, os.path.realpath(cwd))
    return case if relative.startswith("..") else replace(case, file=relative)


@dataclass(frozen=True, kw_only=True)
class PlaywrightFacts(Facts):
    """``own`` is the spec file that was asked for, None where the target is a folder or a pattern."""

    own: str | None
    cwd: str

    @property
    def beginning(self) -> str:
        return "before the first case: in the global set-up, a web server or while loading"

    @property
    def end(self) -> str | None:
        return self.stream.finished.status if self.stream.finished else None

    @property
    def errors(self) -> list[str]:
        """Errors outside of any case, without the note that maxFailures was reached."""
        found = [problem.message for problem in self.stream.of_kind(ProblemKind.ERROR)]
        return [text for text in found if STOPPED_EARLY not in text]

    @property
    def loading_errors(self) -> list[str]:
        """A file that cannot be loaded also leaves "No tests found" behind it."""
        return [text for text in self.errors if _NO_TESTS not in text] or self.errors

    @property
    def own_cases(self) -> list[Case]:
        """Without those of set-up projects that the spec depends on."""
        of = self.stream.file_of
        return [
            case for case in self.cases if self.own is None or of.get(case.id, case.file) in (None, self.own)
        ]

    @property
    def own_is_missing(self) -> bool:
        """A pattern on the path, or a configuration that leaves the file out, and other files ran instead."""
        return self.own is not None and self.own not in self.stream.files

    @property
    def without_browser(self) -> bool:
        return bool(self.bad) and all(_NO_BROWSER.search(case.message or "") for case in self.bad)

    @property
    def unproven(self) -> str | None:
        return next(_doubts(self), None)


def _doubts(facts: PlaywrightFacts) -> Iterator[str]:
    if not facts.told:
        yield "our reporter left no case stream: the configuration or a set-up ended the process"
    elif facts.end is None:
        yield f"the session never finished: it ended {facts.where}"
    elif facts.end != "passed":
        yield f"Playwright's reporters were told that the run {facts.end}"
    yield from gaps(facts, [case.id for case in facts.not_run] or list(facts.stream.running))


def _joined(texts: list[str]) -> str:
    return "\n\n".join(texts)


def _install_browser(facts: PlaywrightFacts) -> str:
    return (
        f"the browser that the tests need is not installed\n"
        f"hint: {browser_hint(facts.cwd)}\n{facts.bad[0].message}"
    )


def _no_tests(facts: PlaywrightFacts) -> str:
    files = ", ".join(sorted(facts.stream.files)[:3]) or "no file"
    return f"the tests of {facts.own} are not among the results (but {files}): check testDir, testMatch and the projects"


# The first row that fits decides.
TABLE: tuple[Row[PlaywrightFacts], ...] = (
    *ENDINGS,
    Row(
        "not exit 0 without a stream: arguments or configuration were refused",
        lambda f: not f.told and f.exit != 0,
        Reason.USAGE_ERROR,
        lambda f: f"Playwright refused its arguments or configuration (exit status {f.exit}){f.printed}",
    ),
    Row(
        "exit status is neither 0 nor 1, or it is 1 and the stream has no end",
        lambda f: f.exit not in (0, 1) or (f.exit == 1 and f.end is None),
        Reason.CRASH,
        lambda f: f"Playwright ended with exit status {f.exit} {f.where}{f.so_far}{f.tail}",
    ),
    Row(
        "Playwright's own globalTimeout ran out",
        lambda f: f.end == "timedout",
        Reason.TIMEOUT,
        lambda f: f"Playwright's own globalTimeout was over {f.where}{f.so_far}\n{_joined(f.errors)}",
    ),
    Row(
        "Playwright was interrupted from inside",
        lambda f: f.end == "interrupted",
        Reason.CRASH,
        lambda f: f"Playwright was interrupted {f.where}{f.so_far}",
    ),
    Row(
        "the only error is that there are no tests",
        lambda f: f.errors and all(_NO_TESTS in text for text in f.errors),
        Reason.NO_TESTS,
        lambda f: _joined(f.errors),
    ),
    Row(
        "the web server of the configuration did not start",
        lambda f: any("config.webServer" in text for text in f.errors),
        Reason.INFRASTRUCTURE,
        lambda f: f"{_joined(f.errors)}{f.tail}",
    ),
    Row(
        "an error outside of any case, and no case ended: a file that cannot be loaded, a global set-up, `test.only`",
        lambda f: f.errors and not f.stream.cases,
        Reason.COLLECTION_ERROR,
        lambda f: _joined(f.loading_errors),
    ),
    Row(
        "an error outside of any case: a global teardown",
        lambda f: f.errors,
        Reason.CRASH,
        lambda f: f"an error outside of any test{f.so_far}\n{_joined(f.errors)}",
    ),
    Row(
        "every failure says that the browser is not installed",
        lambda f: f.without_browser,
        Reason.INFRASTRUCTURE,
        _install_browser,
    ),
    Row("a case failed", lambda f: f.bad and f.end is not None, Reason.TEST_FAILURES, nothing_to_add),
    Row(
        "exit 1, and the only objection is a flaky case",
        lambda f: f.exit != 0 and f.flaky,
        Reason.TEST_FAILURES,
        lambda _: "there are flaky tests, and the configuration does not allow them (failOnFlakyTests)",
    ),
    Row(
        "not exit 0, and no case failed",
        lambda f: f.exit != 0,
        Reason.TEST_FAILURES,
        lambda f: f"Playwright ended with exit status {f.exit}, but names no case that failed{f.tail}",
    ),
    Row(
        "exit 0, but the stream does not prove every case",
        lambda f: f.unproven,
        Reason.EVIDENCE_MISSING,
        lambda f: f"exit status 0, but {f.unproven}{f.so_far}",
    ),
    Row(
        "the spec that was asked for is not among the results",
        lambda f: f.own_is_missing,
        Reason.NO_TESTS,
        _no_tests,
    ),
    Row(
        "exit 0 without a case",
        lambda f: not f.cases,
        Reason.NO_TESTS,
        lambda _: "exit status 0, but no test was found",
    ),
    Row(
        "every case of the spec was skipped",
        lambda f: all(case.status is CaseStatus.SKIPPED for case in f.own_cases),
        Reason.ALL_SKIPPED,
        lambda f: next((case.message for case in f.own_cases if case.message), None),
    ),
    Row("a case passed only on Playwright's own retry", lambda f: f.flaky, Reason.FLAKY, nothing_to_add),
    Row("everything else", always, None, nothing_to_add),
)
