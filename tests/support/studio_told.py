"""Runs of the studio with faults, and everything that they told anybody."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

from support.formats import check
from support.project import Finished, Project, processes
from support.receiving import Inbox
from support.studio import ROOT, free_ports, without_hurry

REPORTS = "console,json,html,junit,ctrf,tap,markdown,github,gitlab,slack,webhook,otel"
FILES = (
    "e2e-results.json",
    "e2e-report.html",
    "junit.xml",
    "ctrf-report.json",
    "results.tap",
    "summary.md",
    "gl-junit-report.xml",
    "gl-code-quality-report.json",
)
FACTS = ("sentence", "tests", "passed", "failed", "skipped", "flaky")
TEMPLATE = json.dumps({fact: "{{" + fact + "}}" for fact in FACTS})
LONGEST = 400.0  # Seconds, on a machine that has other things to do.

Config = dict[str, Any]  # phases.yaml as it stands in the file.


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is wrong with the studio, and what comes of it.

    ``ends`` are the ends of tests in the whole run, ``logs`` the tests of which the services' words are shown,
    with the numbers of their attempts, and ``says`` is on the console. ``bend`` makes of the studio's own file
    one that is over sooner; None: the file as it is.
    """

    faults: str
    exit_code: int
    sentence: str
    ends: Mapping[str, str]
    flaky: int = 0
    says: Sequence[str] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    services: Sequence[str] = ("api", "redis")
    failed_services: Sequence[str] = ()
    pipeline: str = "failure"
    arguments: Sequence[str] = ()
    bend: Callable[[Config], None] | None = None


def _only(config: Config, phase: str, tests: Mapping[str, Any]) -> None:
    """One phase of these tests, which stand in the runner's table, with details; without pages, nor retries."""
    named = config["runners"]["backend"].pop("tests")
    del config["runners"]["frontend"], config["services"]["web"]
    made = {name: {"target": named[name], **more} for name, more in tests.items()}
    config["retries"] = 0
    config["phases"] = [{"name": phase, "runner": "backend", "tests": made}]


def _never_ready(config: Config) -> None:
    """The API counts as ready when it reaches Redis, and with this fault it says that it does not."""
    _only(config, "health", {"api_health": {}, "redis_health": {}})
    config["services"]["api"]["ready"] = {"http": "${API_URL}/health/redis", "timeout": "3s"}


def _one_by_one(config: Config) -> None:
    """The first passes, the API goes down under the second, and the third has nobody to ask."""
    first = "backend/tests/e2e/health/test_api_health.py::test_health_says_ok_without_a_login"
    second = "backend/tests/e2e/smoke/test_generation_smoke.py::test_a_job_is_accepted_at_once_and_done_soon"
    tests = {"api_health": {"target": first}, "generation_smoke": {"target": second}, "storage_health": {}}
    _only(config, "smoke", tests)


def _impatient(config: Config) -> None:
    """The first waits for three seconds, which is said; the second may not wait that long."""
    case = "backend/tests/e2e/health/test_redis_health.py::test_the_api_reaches_redis"
    _only(config, "health", {"redis_health": {"target": case}, "storage_health": {"timeout": "2s"}})
    config["slow_after"] = "1s"


# Of the studio's own tests, in three phases: as many as there are kinds of outcome.
_SOME = (
    "health/redis_health",
    "backend_smoke/brand_kits_smoke",
    "backend_smoke/generation_smoke",
    "backend_smoke/coach_smoke",
    "database_integrity/rls_policies",
)

STORIES: Mapping[str, Story] = {
    "flaky, broken and leaky": Story(
        faults="flaky,broken,leaky",
        exit_code=1,
        sentence="NO GO: 1 required phase failed: backend_smoke (exit code 1)",
        ends={
            "backend_smoke/brand_kits_smoke": "test_failures",
            "database_integrity/rls_policies": "blocked",
        },
        flaky=1,  # The first picture is refused.
        says=("↻ backend_smoke/brand_kits_smoke",),
        logs={"brand_kits_smoke": ("1", "2", "3")},
        services=("api", "redis", "web"),
        arguments=("--test", *_SOME),
    ),
    "down": Story(
        faults="down",
        exit_code=5,
        sentence="NO GO: the environment failed, not the tests: service api",
        ends={"health/api_health": "blocked", "health/redis_health": "blocked"},
        says=("✗ service api failed: not ready after 3 s",),
        failed_services=("api",),
        pipeline="error",
        bend=_never_ready,
    ),
    "crash": Story(
        faults="crash",
        exit_code=5,
        sentence="NO GO: the environment failed, not the tests: service api",
        ends={
            "smoke/api_health": "passed",
            "smoke/generation_smoke": "infrastructure",
            "smoke/storage_health": "blocked",
        },
        says=(
            "✗ service api failed: ended with exit status 70",
            "its environment failed",
            "was running when service 'api' ended with exit status 70",
        ),
        logs={"generation_smoke": ("1",)},
        failed_services=("api",),
        pipeline="error",
        arguments=("--workers", "1", "--order", "file"),
        bend=_one_by_one,
    ),
    "slow": Story(
        faults="slow",
        exit_code=1,
        sentence="NO GO: 1 required phase failed: health (exit code 1)",
        ends={"health/redis_health": "passed", "health/storage_health": "timeout"},
        says=("! health/redis_health  slow: ", "timed out"),
        logs={"storage_health": ("1",)},
        arguments=("--workers", "1", "--order", "file"),
        bend=_impatient,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """Everything that a run told anybody, read by those who read it."""

    run: Finished
    files: Mapping[str, bytes]
    posts: Mapping[str, list[bytes]]

    def read(self, name: str) -> Any:
        return check(name, self.files[name])

    @property
    def commands(self) -> list[str]:
        """What GitHub obeys: a block of its own on standard output, before or after the console's."""
        return self.run.stdout[self._block].splitlines()

    @property
    def console(self) -> str:
        return self.run.stdout[: self._block.start] + self.run.stdout[self._block.stop :]

    @property
    def _block(self) -> slice:
        lines = self.run.stdout.splitlines(keepends=True)
        at = [number for number, line in enumerate(lines) if line.startswith("::")]
        return slice(len("".join(lines[: at[0]])), len("".join(lines[: at[-1] + 1])))


@dataclass(frozen=True, kw_only=True)
class Studio:
    """A folder and an inbox for all runs of one story; each run has ports and data of its own."""

    project: Project
    inbox: Inbox
    story: Story

    def runs(self, asked: Mapping[str, Sequence[str]]) -> Mapping[str, Told]:
        """One for each name, which is its output folder, with its arguments; all at once if they mostly wait."""
        config = ("--config", str(self._config()), *self.story.arguments)
        given = {name: (*config, *arguments) for name, arguments in asked.items()}
        if self.story.bend is None:
            ended = {name: self._finish(name, self._start(name, *given[name])) for name in given}
        else:
            started = {name: self._start(name, *given[name]) for name in given}
            ended = {name: self._finish(name, process) for name, process in started.items()}
        assert processes(str(self.project.root)) == [], "a process is left"
        return {name: self._told(name, run) for name, run in ended.items()}

    def tell(self, name: str, *arguments: str, output: str) -> Told:
        """Of a command that starts nothing: its messages come under a name of their own."""
        return self._told(name, self._finish(output, self._start(name, *arguments, output=output)))

    def _finish(self, output: str, process: Popen[str]) -> Finished:
        return self.project.finish(process, output=output, longest=LONGEST)

    def _config(self) -> Path:
        if self.story.bend is None:
            return ROOT / "phases.yaml"
        made = without_hurry(self.project.root)
        config = json.loads(made.read_text())
        self.story.bend(config)
        made.write_text(json.dumps(config))
        return made

    def _start(self, name: str, *arguments: str, output: str | None = None) -> Popen[str]:
        given = (*arguments, "--report", REPORTS, "--output", output or name)
        return self.project.start(*given, env=self._env(name))

    def _told(self, name: str, run: Finished) -> Told:
        files = {one: (run.output / one).read_bytes() for one in FILES if (run.output / one).exists()}
        for ending in ("md", "env"):
            files[f"github.{ending}"] = (self.project.root / f"{name}.{ending}").read_bytes()
        posts = {one: self.inbox.at(f"/{name}/{one}") for one in ("slack", "webhook", "v1/traces")}
        return Told(run=run, files=files, posts=posts)

    def _env(self, name: str) -> dict[str, str]:
        root, (api, web, redis) = self.project.root, free_ports(3)
        return {
            "API_URL": f"http://127.0.0.1:{api}",
            "WEB_URL": f"http://127.0.0.1:{web}",
            "REDIS_PORT": str(redis),
            "STUDIO_FAULT": self.story.faults,
            "STUDIO_PYTHON": sys.executable,
            "STUDIO_DATA": str(root / f"data-{name}"),
            "E2E_TEST_MARKER": str(root),
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(root / f"{name}.md"),
            "GITHUB_OUTPUT": str(root / f"{name}.env"),
            "SLACK_WEBHOOK": f"{self.inbox.url}/{name}/slack",
            "E2E_ORCHESTRATE_WEBHOOK": f"{self.inbox.url}/{name}/webhook",
            "E2E_ORCHESTRATE_WEBHOOK_TEMPLATE": str(root / "template.json"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{self.inbox.url}/{name}",
            "NO_PROXY": "*",
        }
