"""Realistic runs as streams of envelopes, for everything that folds them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope, Event
from e2e_orchestrator.model.outcomes import (
    Attachment,
    Attempt,
    Case,
    CaseStatus,
    Leak,
    Output,
    Reason,
    ServiceLog,
    Status,
    Verdict,
    because,
    passed,
)
from e2e_orchestrator.model.plan import LeftOut, Plan, PlannedPhase, Shard, Test
from e2e_orchestrator.model.service import PlannedService

RUN_ID = "20260301-120000-a1b2c3"
BEGAN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

ASSERTION = """\
    def test_wrong_password(api):
        answer = api.login("ada", "wrong")
>       assert answer.status == 401
E       AssertionError: a wrong password must not be an error of ours
E       assert 500 == 401
E        +  where 500 = <Answer 500>.status

tests/test_login.py:14: AssertionError"""

PLAYWRIGHT_ERROR = """\
Error: expect(locator).toBeVisible() failed

Locator: getByRole('heading', { name: 'Tips' })
Expected: visible
Timeout: 5000ms
Error: element(s) not found

Call log:
  - Expect "toBeVisible" with timeout 5000ms
  - waiting for getByRole('heading', { name: 'Tips' })

  12 |   await page.goto('/tips');
> 13 |   await expect(page.getByRole('heading', { name: 'Tips' })).toBeVisible();
     |                                                             ^
    at /app/tsx/tests/tips.spec.ts:13:61"""

HOSTILE = (
    "::error::forged\n  ::add-mask::a\n##[error]forged\n##vso[task.complete result=Succeeded;]\n"
    "##teamcity[buildStatus status='SUCCESS']\n\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m [bold]no markup[/]\r"
    "::stop-commands::x\x0b::debug::y\x85::warning::z\u2028::notice::w\x00\x08\u202e<!channel> @here "
    "&amp; ```code``` <https://evil|click> \udc80 \U0001f600"
)


@dataclass
class Story:
    """Numbers and times events as the bus does; ``wait`` lets seconds pass."""

    envelopes: list[Envelope] = field(default_factory=list)
    mono: float = 0.0

    @property
    def now(self) -> str:
        return (BEGAN + timedelta(seconds=self.mono)).isoformat().replace("+00:00", "Z")

    def tell(self, *told: Event) -> "Story":
        for event in told:
            number = len(self.envelopes) + 1
            self.envelopes.append(Envelope(seq=number, at=self.now, mono=round(self.mono, 3), event=event))
        return self

    def wait(self, seconds: float) -> "Story":
        self.mono += seconds
        return self

    def start(self, plan: Plan) -> "Story":
        return self.tell(
            events.RunStarted(run_id=RUN_ID, started_at=BEGAN.isoformat(), version="0.1.0", plan=plan)
        )

    def attempt(
        self,
        test: Test,
        *,
        cases: Sequence[Case] = (),
        verdict: Verdict | None = None,
        number: int = 1,
        seconds: float = 1.0,
        exit_status: int | None = 0,
        live: bool = True,
        tail: str = "",
        leaked: tuple[Leak, ...] = (),
        slot: int = 0,
        services: tuple[ServiceLog, ...] = (),
    ) -> "Story":
        started_at = self.now
        folder = f"runs/{RUN_ID}/{test.phase}/{test.name}/attempt-{number}"
        output = f"{folder}/output.log"
        self.tell(
            events.AttemptStarted(test=test.id, number=number, max_attempts=3, slot=slot, output=output)
        )
        for case in cases if live else ():
            self.tell(events.CaseStarted(test=test.id, attempt=number, case=case.id))
            self.wait(case.duration)
            self.tell(events.CaseFinished(test=test.id, attempt=number, case=case))
        self.wait(seconds)
        report = Attachment(name="report", path=f"{folder}/report.json", content_type="application/json")
        return self.tell(
            events.AttemptFinished(
                test=test.id,
                attempt=Attempt(
                    number=number,
                    started_at=started_at,
                    duration=seconds,
                    verdict=verdict or passed(),
                    slot=slot,
                    exit_status=exit_status,
                    output=Output(path=output, size=len(tail), tail=tail),
                    cases=tuple(cases),
                    attachments=(report,) if test.kind == "pytest" else (),
                    leaked=leaked,
                    services=services,
                ),
            )
        )

    def end_test(
        self, test: Test, verdict: Verdict | None = None, *, seconds: float = 1.0, attempts: int = 1
    ) -> "Story":
        return self.tell(
            events.TestFinished(
                test=test.id, verdict=verdict or passed(), duration=seconds, attempts=attempts
            )
        )

    def end_phase(
        self, name: str, status: Status = Status.PASSED, reason: Reason | None = None, *, seconds: float = 1.0
    ) -> "Story":
        return self.tell(events.PhaseFinished(phase=name, status=status, reason=reason, duration=seconds))

    def end(self, exit_code: int = 0, why: str = "every required phase passed") -> list[Envelope]:
        self.tell(
            events.RunFinished(
                exit_code=exit_code, success=exit_code == 0, duration=round(self.mono, 3), why=why
            )
        )
        return self.envelopes


def a_test(phase: str, name: str, *, kind: str = "pytest", tags: tuple[str, ...] = ()) -> Test:
    return Test(
        id=f"{phase}/{name}",
        name=name,
        phase=phase,
        runner="backend" if kind == "pytest" else "frontend",
        kind=kind,
        target=f"tests/test_{name}.py" if kind == "pytest" else f"tests/{name}.spec.ts",
        cwd="/app",
        tags=tags,
    )


def a_phase(name: str, *tests: Test, required: bool = True, parallel: bool = True) -> PlannedPhase:
    return PlannedPhase(
        name=name, runner="backend", parallel=parallel, required=required, timeout=120.0, tests=tests
    )


def a_plan(*phases: PlannedPhase, services: tuple[PlannedService, ...] = ()) -> Plan:
    return Plan(
        project="streamer-studio",
        config="/app/phases.yaml",
        root="/app",
        timeout=600.0,
        workers=4,
        phases=phases,
        services=services,
        left_out=(LeftOut(id="visual/pixels", why="not selected by --tag smoke"),),
    )


def good_cases(test: Test, number: int = 3) -> list[Case]:
    return [
        Case(
            id=f"{test.target}::test_{index}",
            status=CaseStatus.PASSED,
            duration=0.1,
            file=test.target,
            line=index + 1,
        )
        for index in range(number)
    ]


def bad_case(test: Test, *, name: str = "wrong_password", message: str = ASSERTION) -> Case:
    return Case(
        id=f"{test.target}::test_{name}",
        status=CaseStatus.FAILED,
        duration=0.4,
        message=message,
        file=test.target,
        line=14,
        attachments=(Attachment(name="screenshot", path="runs/x/shot.png", content_type="image/png"),),
    )


API = a_test("health", "api_health", tags=("infra",))
REDIS = a_test("health", "redis_health", tags=("infra",))
LOGIN = a_test("backend_smoke", "login")
TIPS = a_test("backend_smoke", "tips")
ARTWORK = a_test("backend_smoke", "artwork_upload_and_moderation")
PAGES = a_test("frontend", "pages", kind="playwright")
SPEED = a_test("performance", "speed")

_SERVICES = (
    PlannedService(name="redis", command=("redis-server",), cwd="/app"),
    PlannedService(name="api", command=("python", "-m", "studio"), cwd="/app"),
)
_PLAN = a_plan(
    a_phase("health", API, REDIS),
    a_phase("backend_smoke", LOGIN, TIPS, ARTWORK),
    a_phase("frontend", PAGES, parallel=False),
    a_phase("performance", SPEED, required=False),
    services=_SERVICES,
)


def _healthy(plan: Plan = _PLAN) -> Story:
    story = Story().start(plan)
    story.tell(events.ServiceStarted(service="redis", log=f"runs/{RUN_ID}/services/redis.log")).wait(0.3)
    story.tell(events.ServiceReady(service="redis", duration=0.3))
    story.tell(events.ServiceStarted(service="api", log=f"runs/{RUN_ID}/services/api.log")).wait(1.2)
    story.tell(events.ServiceReady(service="api", duration=1.2), events.PhaseStarted(phase="health"))
    for slot, test in enumerate((API, REDIS)):
        story.attempt(test, cases=good_cases(test, 2), seconds=0.2, slot=slot).end_test(test, seconds=0.4)
    return story.end_phase("health", seconds=0.8).tell(events.PhaseStarted(phase="backend_smoke"))


def _good(story: Story, *tests: Test) -> Story:
    for test in tests:
        story.attempt(test, cases=good_cases(test), seconds=1.3).end_test(test, seconds=1.6)
    return story


def green() -> list[Envelope]:
    story = _good(_healthy(), LOGIN, TIPS, ARTWORK).end_phase("backend_smoke", seconds=4.8)
    story.tell(events.PhaseStarted(phase="frontend"))
    _good(story, PAGES).end_phase("frontend", seconds=1.6).tell(events.PhaseStarted(phase="performance"))
    _good(story, SPEED).end_phase("performance", seconds=1.6)
    story.tell(events.ServiceStopped(service="api", exit_status=0))
    story.tell(events.ServiceStopped(service="redis", exit_status=0))
    return story.end()


def red() -> list[Envelope]:
    """A required phase fails, so what follows is blocked."""
    story = _healthy()
    broken = [*good_cases(LOGIN), bad_case(LOGIN), bad_case(LOGIN, name="locked", message="assert 0 == 1")]
    verdict = because(Reason.TEST_FAILURES, "exit status 1: 2 of 5 cases failed")
    for number in (1, 2):
        story.attempt(LOGIN, cases=broken, verdict=verdict, number=number, seconds=2.1, exit_status=1)
        if number == 1:
            story.tell(events.RetryScheduled(test=LOGIN.id, number=2, delay=5.0, why="test_failures")).wait(
                5.0
            )
    story.end_test(LOGIN, verdict, seconds=11.1, attempts=2)
    crash = because(Reason.CRASH, "died of SIGSEGV in case tests/test_tips.py::test_1")
    story.attempt(
        TIPS,
        cases=good_cases(TIPS, 1),
        verdict=crash,
        exit_status=-11,
        tail="Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n",
        leaked=(Leak(pid=4242, command="chromium --headless"),),
    ).end_test(TIPS, crash, seconds=1.4)
    _good(story, ARTWORK).end_phase("backend_smoke", Status.FAILED, Reason.TEST_FAILURES, seconds=14.0)
    story.tell(events.Warned(message="backend_smoke/tips left 1 process behind; it was ended"))
    blocked = because(Reason.BLOCKED, "the required phase backend_smoke failed")
    for test in (PAGES, SPEED):
        story.end_test(test, blocked, seconds=0.0, attempts=0)
        story.end_phase(test.phase, Status.SKIPPED, Reason.BLOCKED, seconds=0.0)
    return story.end(1, "1 required phase failed")


def flaky() -> list[Envelope]:
    story = _healthy()
    failed = because(Reason.TEST_FAILURES, "exit status 1: 1 of 4 cases failed")
    story.attempt(LOGIN, cases=[*good_cases(LOGIN), bad_case(LOGIN)], verdict=failed, exit_status=1)
    story.tell(events.RetryScheduled(test=LOGIN.id, number=2, delay=5.0, why="test_failures")).wait(5.0)
    mended = Case(id=f"{LOGIN.target}::test_wrong_password", status=CaseStatus.PASSED, duration=0.2)
    story.attempt(LOGIN, cases=[*good_cases(LOGIN), mended], number=2, live=False)
    story.end_test(LOGIN, because(Reason.FLAKY), seconds=8.1, attempts=2)
    _good(story, TIPS, ARTWORK).end_phase("backend_smoke", seconds=11.0)
    story.tell(events.PhaseStarted(phase="frontend"))
    _good(story, PAGES).end_phase("frontend").tell(events.PhaseStarted(phase="performance"))
    slow = because(Reason.TIMEOUT, "killed after 30 s, the test's own limit, in case tests/speed::test_p95")
    story.attempt(SPEED, verdict=slow, exit_status=-9, seconds=30.0).end_test(SPEED, slow, seconds=30.0)
    story.end_phase("performance", Status.FAILED, Reason.TEST_FAILURES, seconds=30.0)
    return story.end(0, "every required phase passed; 1 optional phase failed")


def playwright_red() -> list[Envelope]:
    story = _good(_healthy(), LOGIN, TIPS, ARTWORK).end_phase("backend_smoke")
    story.tell(events.PhaseStarted(phase="frontend"))
    verdict = because(Reason.TEST_FAILURES)
    cases = [bad_case(PAGES, name=f"heading_{index}", message=PLAYWRIGHT_ERROR) for index in range(5)]
    story.attempt(PAGES, cases=cases, verdict=verdict, exit_status=1).end_test(PAGES, verdict, seconds=31.4)
    story.end_phase("frontend", Status.FAILED, Reason.TEST_FAILURES, seconds=31.4)
    story.end_test(SPEED, because(Reason.BLOCKED, "the required phase frontend failed"), seconds=0.0)
    story.end_phase("performance", Status.SKIPPED, Reason.BLOCKED, seconds=0.0)
    return story.end(1, "1 required phase failed")


def interrupted() -> list[Envelope]:
    """Ctrl-C while one test runs and others wait."""
    story = _healthy()
    output = f"runs/{RUN_ID}/backend_smoke/login/attempt-1/output.log"
    story.tell(events.AttemptStarted(test=LOGIN.id, number=1, max_attempts=3, slot=0, output=output))
    story.tell(events.CaseStarted(test=LOGIN.id, attempt=1, case="tests/test_login.py::test_slow")).wait(2.0)
    story.tell(events.CancelRequested(why="SIGINT")).wait(0.4)
    verdict = because(Reason.INTERRUPTED, "interrupted by SIGINT in case tests/test_login.py::test_slow")
    attempt = Attempt(
        number=1, started_at=BEGAN.isoformat(), duration=2.4, verdict=verdict, slot=0, exit_status=2
    )
    story.tell(events.AttemptFinished(test=LOGIN.id, attempt=attempt)).end_test(LOGIN, verdict, seconds=2.4)
    for test in (TIPS, ARTWORK):
        story.end_test(test, because(Reason.CANCELLED, "the run was interrupted by SIGINT"), seconds=0.0)
    story.end_phase("backend_smoke", Status.FAILED, Reason.INTERRUPTED, seconds=2.4)
    for test in (PAGES, SPEED):
        story.end_test(test, because(Reason.CANCELLED, "the run was interrupted by SIGINT"), seconds=0.0)
        story.end_phase(test.phase, Status.SKIPPED, Reason.CANCELLED, seconds=0.0)
    return story.end(130, "interrupted by SIGINT")


def service_failed() -> list[Envelope]:
    story = Story().start(_PLAN)
    log = f"runs/{RUN_ID}/services/api.log"
    story.tell(events.ServiceStarted(service="api", log=log)).wait(3.0)
    story.tell(
        events.ServiceFailed(
            service="api",
            message="ended with exit status 1 before it was ready",
            tail="Traceback (most recent call last):\n  File ...\nOSError: [Errno 98] Address already in use\n",
            log=log,
        )
    )
    for test in _PLAN.tests:
        story.end_test(test, because(Reason.CANCELLED, "the service api never became ready"), seconds=0.0)
    for phase in _PLAN.phases:
        story.end_phase(phase.name, Status.SKIPPED, Reason.CANCELLED, seconds=0.0)
    return story.end(5, "the service api never became ready")


def our_crash() -> list[Envelope]:
    """A bug of ours in the middle: no RunFinished, a test still running, others waiting."""
    story = _healthy()
    output = f"runs/{RUN_ID}/backend_smoke/login/attempt-1/output.log"
    story.tell(events.AttemptStarted(test=LOGIN.id, number=1, max_attempts=3, slot=0, output=output))
    story.tell(events.CaseStarted(test=LOGIN.id, attempt=1, case="tests/test_login.py::test_slow")).wait(1.5)
    return story.tell(events.Warned(message="the disk is nearly full")).envelopes


def never_started() -> list[Envelope]:
    """The run was refused before there was a plan to announce."""
    story = Story().tell(events.Warned(message="DATABASE_URL points at db.example.com"))
    return story.end(6, "DATABASE_URL looks like production")


def empty() -> list[Envelope]:
    return Story().start(a_plan()).end(4, "--test nothing* matches no test")


def hostile() -> list[Envelope]:
    """Every text that a child or a file can choose tries to be something else."""
    test = a_test("::warning::phase", f"../../{HOSTILE}")
    twin = a_test("##[group]", f"../../{HOSTILE}")
    plan = a_plan(a_phase("::warning::phase", test), a_phase("##[group]", twin, required=False))
    story = Story().start(plan)
    story.tell(events.ServiceStarted(service=HOSTILE, log="a.log"))
    story.tell(events.ServiceFailed(service=HOSTILE, message=HOSTILE, tail=HOSTILE, log=HOSTILE))
    story.tell(events.PhaseStarted(phase="::warning::phase"))
    verdict = because(Reason.TEST_FAILURES, HOSTILE)
    bad = [
        Case(id=f"{index}{HOSTILE}", status=CaseStatus.FAILED, message=HOSTILE, file=HOSTILE, line=1)
        for index in range(5)
    ]
    bad.append(Case(id="::error::id", status=CaseStatus.FAILED, message=f"E   {HOSTILE}\nE  ::error::x"))
    story.attempt(test, cases=bad, verdict=verdict, exit_status=1, tail=HOSTILE)
    story.tell(events.RetryScheduled(test=test.id, number=2, delay=0.5, why=HOSTILE))
    story.attempt(test, cases=bad, verdict=verdict, exit_status=1, tail=HOSTILE, number=2)
    story.end_test(test, verdict, attempts=2).end_phase("::warning::phase", Status.FAILED)
    story.tell(events.PhaseStarted(phase="##[group]"))
    story.attempt(twin, cases=bad, verdict=verdict, exit_status=1).attempt(twin, number=2)
    story.end_test(twin, because(Reason.FLAKY, HOSTILE), attempts=2).end_phase("##[group]")
    story.tell(events.Warned(message=HOSTILE), events.ReporterFailed(reporter="x", message=HOSTILE))
    story.tell(events.CancelRequested(why=HOSTILE))
    return story.end(1, HOSTILE)


def many_cases(number: int = 50_000, *, tests: int = 50) -> list[Envelope]:
    planned = [a_test("load", f"part_{index}") for index in range(tests)]
    story = Story().start(a_plan(a_phase("load", *planned))).tell(events.PhaseStarted(phase="load"))
    for test in planned:
        story.attempt(test, cases=good_cases(test, number // tests), live=False).end_test(test)
    return story.end_phase("load").end()


def same_names() -> list[Envelope]:
    """Two phases with a test of the same name, and names that only some file systems tell apart."""
    tests = [a_test("one", "login"), a_test("two", "login"), a_test("two", "LOGIN"), a_test("two", "other")]
    plan = a_plan(a_phase("one", tests[0]), a_phase("two", *tests[1:]))
    story = Story().start(plan).tell(events.PhaseStarted(phase="one"))
    _good(story, tests[0]).end_phase("one").tell(events.PhaseStarted(phase="two"))
    return _good(story, *tests[1:]).end_phase("two").end()


def gate_failed() -> list[Envelope]:
    return [*green()[:-1], *Story(mono=12.0).end(3, "1 flaky test, and flaky tests are not allowed")]


def rerun() -> list[Envelope]:
    """Runs what the red run left open; what passed there is carried over, with its attempts."""
    before, story = red(), Story()
    plan = replace(_PLAN, services=())
    story.tell(
        events.RunStarted(
            run_id="20260302-090000-0a0b0c",
            started_at=BEGAN.isoformat(),
            version="0.1.0",
            plan=plan,
            rerun_of=RUN_ID,
        )
    )
    for test in (API, REDIS, ARTWORK):
        attempts = tuple(
            one.event.attempt
            for one in before
            if isinstance(one.event, events.AttemptFinished) and one.event.test == test.id
        )
        story.tell(
            events.TestCarriedOver(
                test=test.id, verdict=passed(), duration=1.6, attempts=attempts, from_run=RUN_ID
            )
        )
    story.end_phase("health", seconds=0.0).tell(events.PhaseStarted(phase="backend_smoke"))
    _good(story, LOGIN, TIPS).end_phase("backend_smoke").tell(events.PhaseStarted(phase="frontend"))
    _good(story, PAGES).end_phase("frontend").tell(events.PhaseStarted(phase="performance"))
    return _good(story, SPEED).end_phase("performance").end()


def empty_shard() -> list[Envelope]:
    """More shards than tests: it says so, and that it ran."""
    story, shard = Story(), Shard(index=3, count=3, digest="0123456789abcdef", tests=("health/api",))
    plan = replace(a_plan(), left_out=(LeftOut(id="health/api", why="in shard 1/3"),))
    story.tell(
        events.RunStarted(
            run_id=RUN_ID, started_at=BEGAN.isoformat(), version="0.1.0", plan=plan, shard=shard
        )
    )
    return story.end(0, "nothing to do in shard 3/3")


def merged() -> list[Envelope]:
    """The green run, had two machines run it."""
    first, *rest = green()
    assert isinstance(first.event, events.RunStarted)
    started = replace(first.event, merged_from=(f"{RUN_ID}-1", f"{RUN_ID}-2"))
    return [replace(first, event=started), *rest]


STORIES: dict[str, Callable[[], list[Envelope]]] = {
    "a green run": green,
    "a red run": red,
    "a flaky run with a failed optional phase": flaky,
    "a red Playwright run": playwright_red,
    "a run interrupted by SIGINT": interrupted,
    "a service that never became ready": service_failed,
    "a crash of ours": our_crash,
    "a run that never started": never_started,
    "a run of no tests": empty,
    "a hostile run": hostile,
    "tests of the same name": same_names,
    "a gate that did not hold": gate_failed,
    "a rerun": rerun,
    "an empty shard": empty_shard,
    "a merged run": merged,
}
