"""Reports for the browser tests, made by the reporter from stories of events and files on disk."""

import asyncio
import base64
import math
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.stories import BEGAN, RUN_ID, Story, a_phase, a_plan, a_test, bad_case, good_cases

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope, encode
from e2e_orchestrator.model.outcomes import (
    Attachment,
    Case,
    CaseStatus,
    Leak,
    Reason,
    ServiceLog,
    Status,
    because,
)
from e2e_orchestrator.model.plan import PlannedService, Test
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.html import REPORT, HtmlReporter
from e2e_orchestrator.reporters.json import JsonReporter

# One red pixel.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
REFUSED = """\
    def test_paying(api):
>       assert api.pay(1200).status == 200, "payment 4711 was refused"
E       AssertionError: payment 4711 was refused
E       assert 500 == 200
E         - expected
E         + received

tests/test_payment.py:14: AssertionError"""

CART = a_test("checkout", "cart", tags=("smoke",))
PAYMENT = a_test("checkout", "payment", tags=("smoke", "money"))
REFUND = a_test("checkout", "refund", tags=("money",))
PAGES = a_test("pages", "front", kind="playwright")
EXPORT = a_test("reporting", "export")


def write(output: Path, envelopes: Sequence[Envelope]) -> Path:
    """The report's path; the journal stands in the run's folder, as after a run."""
    run_folder = output / "runs" / RUN_ID
    run_folder.mkdir(parents=True, exist_ok=True)
    (run_folder / "journal.jsonl").write_bytes(b"".join(encode(one) + b"\n" for one in envelopes))

    async def tell() -> None:
        context = ReporterContext(output=output, run_folder=run_folder)
        for reporter in (HtmlReporter(context), JsonReporter(context)):
            for envelope in envelopes:
                await reporter.handle(envelope)
            await reporter.close()

    with ThreadPoolExecutor(1) as elsewhere:  # The loop of this thread is Playwright's.
        elsewhere.submit(asyncio.run, tell()).result()
    return output / REPORT


def put(output: Path, path: str, data: bytes) -> str:
    target = output / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return path


def refused(test: Test, name: str, *, amount: int = 4711) -> Case:
    return bad_case(test, name=name, message=REFUSED.replace("4711", str(amount)))


def shop(output: Path, *, mended: bool = False) -> list[Envelope]:
    """A run with everything a report shows; ``mended``: its payments work, and the cart does not."""
    service = PlannedService(name="api", command=("python", "-m", "shop"), cwd="/app")
    plan = a_plan(
        a_phase("checkout", CART, PAYMENT, REFUND),
        a_phase("pages", PAGES, required=False),
        a_phase("reporting", EXPORT),
        services=(service,),
    )
    log = _put_log(output)
    story = Story().start(plan).tell(events.ServiceStarted(service="api", log=log)).wait(1.5)
    story.tell(events.ServiceReady(service="api", duration=1.5), events.PhaseStarted(phase="checkout"))
    _cart(story, mended=mended)
    _payment(story, output, mended=mended)
    limit = because(
        Reason.TIMEOUT, "the test's limit of 4 s was over while running tests/test_refund.py::test_0"
    )
    story.attempt(
        REFUND,
        verdict=limit,
        exit_status=-9,
        seconds=4.0,
        leaked=(Leak(pid=7, command="chromium"),),
        services=meanwhile(story, 4.0),
    )
    story.end_test(REFUND, limit, seconds=4.0).end_phase(
        "checkout", Status.FAILED, Reason.TEST_FAILURES, seconds=20
    )
    story.tell(events.PhaseStarted(phase="pages"))
    _pages(story, output)
    story.end_phase("pages", seconds=9.0).end_test(
        EXPORT, because(Reason.BLOCKED, "checkout failed"), seconds=0.0
    )
    story.end_phase("reporting", Status.SKIPPED, Reason.BLOCKED, seconds=0.0)
    story.tell(events.GateEvaluated(gate="flaky", holds=False, message="1 flaky test, at most 0"))
    story.tell(events.Warned(message="checkout/refund left 1 process behind"))
    return story.tell(events.ServiceStopped(service="api", exit_status=0)).end(
        1, "required phase checkout failed"
    )


LOG = f"runs/{RUN_ID}/services/api.log"
LINES = [f"\x1b[32mINFO\x1b[0m request number {at}\n".encode() for at in range(60)]


def _byte(second: float) -> int:
    """Where the log stood then: it has a line for every second."""
    return sum(map(len, LINES[: math.ceil(second)]))


def _put_log(output: Path) -> str:
    times = "".join(f"{BEGAN.timestamp() + at:.3f} {_byte(at)}\n" for at in range(60))
    put(output, f"{LOG}.times", times.encode())
    return put(output, LOG, b"".join(LINES))


def meanwhile(story: Story, seconds: float, *, cases: Sequence[Case] = ()) -> tuple[ServiceLog, ...]:
    """What the service says in the attempt that begins now."""
    over = story.mono + seconds + sum(case.duration for case in cases)
    return (ServiceLog(service="api", log=LOG, begin=_byte(story.mono), end=_byte(over)),)


def _cart(story: Story, *, mended: bool) -> None:
    cases = good_cases(CART, 6)
    if mended:
        broken = because(Reason.TEST_FAILURES)
        cases = [*cases, bad_case(CART, name="sum", message="E   AssertionError: the sum is wrong")]
        story.attempt(CART, cases=cases, verdict=broken, exit_status=1).end_test(CART, broken)
    else:
        said = meanwhile(story, 2.0, cases=cases)
        story.attempt(CART, cases=cases, seconds=2.0, services=said).end_test(CART, seconds=2.6)


def _payment(story: Story, output: Path, *, mended: bool) -> None:
    if mended:
        story.attempt(PAYMENT, cases=good_cases(PAYMENT, 4)).end_test(PAYMENT)
        return
    failed = because(Reason.TEST_FAILURES)
    cases = [*good_cases(PAYMENT, 3), refused(PAYMENT, "card"), refused(PAYMENT, "wallet", amount=815)]
    for number in (1, 2):
        put(
            output,
            f"runs/{RUN_ID}/checkout/payment/attempt-{number}/output.log",
            b"\x1b[31mred\x1b[0m plain\n",
        )
        story.attempt(
            PAYMENT,
            cases=cases,
            verdict=failed,
            exit_status=1,
            number=number,
            seconds=3.0,
            slot=1,
            tail="\x1b[31mred\x1b[0m plain\n",
            services=meanwhile(story, 3.0, cases=cases),
        )
        if number == 1:
            story.tell(events.RetryScheduled(test=PAYMENT.id, number=2, delay=1.0, why="test_failures")).wait(
                1
            )
    story.end_test(PAYMENT, failed, seconds=8.0, attempts=2)


def _pages(story: Story, output: Path) -> None:
    failed = because(Reason.TEST_FAILURES)
    shot = put(output, f"runs/{RUN_ID}/pages/front/shot.png", PICTURE)
    trace = put(output, f"runs/{RUN_ID}/pages/front/trace.zip", b"PK")
    files = (
        Attachment(name="screenshot", path=shot, content_type="image/png"),
        Attachment(name="trace", path=trace, content_type="application/zip"),
    )
    names = ("opens", "shows the price")
    cases = [
        Case(id=f"front.spec.ts > {name}", status=CaseStatus.PASSED, project="chromium") for name in names
    ]
    first = Case(
        id=cases[1].id,
        status=CaseStatus.FAILED,
        message="Error: expect(price).toBeVisible() failed",
        file="front.spec.ts",
        line=9,
        project="chromium",
        attachments=files,
    )
    story.attempt(PAGES, cases=[cases[0], first], verdict=failed, exit_status=1, seconds=4.0)
    story.tell(events.RetryScheduled(test=PAGES.id, number=2, delay=0.5, why="test_failures")).wait(0.5)
    story.attempt(PAGES, cases=cases, number=2, seconds=3.0)
    story.end_test(PAGES, because(Reason.FLAKY), seconds=7.5, attempts=2)


HOSTILE_NAMES = (
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "right \u202eto left\u202c and back",
    "javascript:document.title='owned'",
    "../../../etc/passwd",
    "% 100%? #&=/ quotes ' \" `",
    "10:\u202eevil\u202c \0\x07 \x1b[31mred\x1b[0m \u2066alone\u2069",
)


def hostile(output: Path) -> list[Envelope]:
    """Names, messages, output and paths that would like to be something else."""
    tests = [a_test("<b>phase</b>", name, tags=("<i>tag",)) for name in HOSTILE_NAMES]
    story = (
        Story().start(a_plan(a_phase("<b>phase</b>", *tests))).tell(events.PhaseStarted(phase="<b>phase</b>"))
    )
    story.tell(*(events.ServiceStarted(service=name, log=LOG) for name in HOSTILE_NAMES))
    for name, test in zip(HOSTILE_NAMES, tests, strict=True):
        message = (
            f"E   {name}\n\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07 \x1b[31mred\x1b[0m {'x' * 14_000}"
        )
        bad = Attachment(name=name, path=f"../../{name}", content_type="text/html")
        case = Case(id=f"{name}::case", status=CaseStatus.FAILED, message=message, attachments=(bad,))
        verdict = because(Reason.TEST_FAILURES)
        tail = f"<script>document.title='owned'</script>\x1b[2J{'long ' * 200_000}\r\x1b[32mgreen\x1b[0m"
        said = f"{name}\n{tail}\n\0\x07\x9b31m\u2028\n".encode() + b"\xff\xfe\n"
        log = put(output, LOG, said)
        services = (ServiceLog(service=name, log=log, begin=0, end=len(said)),)
        story.attempt(
            test, cases=[case], verdict=verdict, exit_status=1, tail=tail, services=services
        ).end_test(test, verdict)
    story.tell(events.Warned(message=HOSTILE_NAMES[0]))
    return story.end_phase("<b>phase</b>", Status.FAILED).end(1, HOSTILE_NAMES[1])


def of_messages(messages: Sequence[str]) -> list[Envelope]:
    """A test ``p/t`` with a failed case ``c0``, ``c1`` … for each message."""
    test = a_test("p", "t")
    cases = [
        Case(id=f"c{at}", status=CaseStatus.FAILED, message=message) for at, message in enumerate(messages)
    ]
    verdict = because(Reason.TEST_FAILURES)
    story = Story().start(a_plan(a_phase("p", test))).tell(events.PhaseStarted(phase="p"))
    return story.attempt(test, cases=cases, verdict=verdict).end_test(test, verdict).end(1)


def very_many(number: int = 50_000, *, tests: int = 100) -> list[Envelope]:
    """Cases as they are: names that differ, durations that differ, here and there a failure."""
    chance = random.Random(7)
    words = ("login", "cart", "price", "search", "voucher", "stock", "refund", "address", "invoice", "order")
    planned = [a_test(f"phase_{at % 5}", f"{words[at % 10]}_{at}") for at in range(tests)]
    phases = [
        a_phase(f"phase_{at}", *(one for one in planned if one.phase == f"phase_{at}")) for at in range(5)
    ]
    story = Story().start(a_plan(*phases))
    for phase in phases:
        story.tell(events.PhaseStarted(phase=phase.name))
        for test in phase.tests:
            cases = []
            for at in range(number // tests):
                name = f"{test.target}::test_{chance.choice(words)}_{chance.choice(words)}[{at}-{chance.randrange(9999)}]"
                failed = chance.random() < 0.002
                status = CaseStatus.FAILED if failed else CaseStatus.PASSED
                message = REFUSED if failed else None
                cases.append(
                    Case(
                        id=name,
                        status=status,
                        duration=chance.expovariate(9),
                        message=message,
                        file=test.target,
                        line=at,
                    )
                )
            bad = any(case.bad for case in cases)
            verdict = because(Reason.TEST_FAILURES) if bad else None
            story.attempt(
                test, cases=cases, verdict=verdict, live=False, seconds=20.0, slot=chance.randrange(4)
            )
            story.end_test(test, verdict, seconds=20.0)
        story.end_phase(phase.name, Status.FAILED, seconds=400.0)
    return story.end(1, "many failed")
