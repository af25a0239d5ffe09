"""The HTML report in a real Chromium: every view, keys, filter, deep links, comparison, hostile names, accessibility."""

import json
import re
from dataclasses import replace
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import reports
from opening import Open, Opened
from support.odd_results import GOOD
from support.stories import RUN_ID, Story, a_phase, a_plan, interrupted, service_failed

from e2e_orchestrator.cli.baseline import compared_with
from e2e_orchestrator.history.baseline import baseline_of_run
from e2e_orchestrator.model import events
from e2e_orchestrator.model.safeguards import Checked, Target
from e2e_orchestrator.model.storing import ArtifactsStored, Stored
from e2e_orchestrator.model.summary import RunState, fold
from e2e_orchestrator.reporters.comparison import comparison_of
from e2e_orchestrator.reporters.html_details import Evidence
from e2e_orchestrator.reporters.html_moments import Moments
from e2e_orchestrator.reporters.html_page import page
from e2e_orchestrator.reporters.text import clean

ROOT = Path(__file__).parents[2]
GROUPS = ROOT / "tests" / "reporters" / "test_groups.py"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


FILTERS = {
    "s:failed": ["payment", "refund"],
    "!s:passed !s:failed": ["front", "export"],
    "@money": ["payment", "refund"],
    "tag:smoke s:passed": ["cart", "payment"],
    "p:chromium": ["front"],
    "phase:pages": ["front"],
    "runner:frontend": ["front"],
    "is:flaky": ["front"],
    "is:retried": ["payment", "front"],
    "dur:>7s": ["payment", "front"],
    '"the price"': ["front"],
    "refused": ["payment"],
    "group:2": ["refund"],
    "nothing-like-it": [],
}


def names(one: Opened, kind: str) -> list[str]:
    found: list[str] = one.page.locator(f".rows .row.{kind} .name").all_inner_texts()
    return found


class TestOverview:
    def test_says_the_verdict_and_why(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        assert one.text("h1") == "No go\n1 required phase failed: checkout (exit code 1)"
        why = one.text(".why")
        assert "Exit code 1: a required phase failed" in why
        assert "required phase checkout: 2 tests of 3 failed" in why
        assert "gate flaky: 1 flaky test, at most 0" in why

    def test_answers_without_scrolling(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        for selector in (".verdict", ".phases", ".counts", ".group", ".services", ".in-use"):
            box = one.page.locator(selector).first.bounding_box()
            assert box is not None
            assert box["y"] < 860, selector

    def test_failures_with_one_signature_are_one_group(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        assert [text.splitlines()[0] for text in one.page.locator(".group").all_inner_texts()] == ["2", "1"]
        one.page.locator(".group .count").first.click()
        one.page.wait_for_selector(".rows")
        assert names(one, "case") == ["test_card", "test_wallet"]

    def test_everything_on_it_is_a_link_to_more(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        one.page.locator(".phases a", has_text="pages").click()
        one.page.wait_for_selector(".rows")
        assert names(one, "test") == ["front"]
        one.page.go_back()
        one.page.locator(".counts a", has_text="flaky").click()
        one.page.wait_for_selector(".rows")
        assert names(one, "test") == ["front"]


class TestTests:
    def test_a_failed_test_shows_what_failed(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "tests")
        assert names(one, "test") == ["cart", "payment", "refund", "front", "export"]
        assert names(one, "case") == ["test_card", "test_wallet"]

    def test_filters(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "tests")
        for query, tests in FILTERS.items():
            one.page.fill("#filter", query)
            one.page.wait_for_function(
                "q => new URLSearchParams(location.hash.split('?')[1]).get('q') === q", arg=query
            )
            assert names(one, "test") == tests, query

    def test_a_word_that_is_none_is_explained(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "tests?q=is:odd")
        assert "is:odd: there are new, still" in one.text(".mistake")

    def test_the_address_holds_filter_and_order(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "tests?q=s%3Afailed&view=flat&sort=duration")
        assert one.page.input_value("#filter") == "s:failed"
        assert one.page.get_by_role("button", name="Slowest").get_attribute("aria-pressed") == "true"
        assert one.page.locator(".row.case").count() == 2

    def test_phases_and_tests_open_and_close(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "tests")
        one.page.get_by_role("button", name="Cases of cart").click()
        assert names(one, "case")[:6] == [f"test_{at}" for at in range(6)]
        one.page.get_by_role("button", name="checkout", exact=True).click()
        assert names(one, "test") == ["front", "export"]


class TestKeys:
    def test_rows_are_walked_and_opened(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "tests")
        for _ in range(3):
            one.page.keyboard.press("j")
        one.page.keyboard.press("k")
        assert one.page.locator(".row.selected .name").inner_text() == "cart"
        one.page.keyboard.press("Enter")
        one.page.wait_for_selector(".test-page")
        assert one.text("h1") == "cart"

    def test_slash_goes_to_the_filter_from_anywhere(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        one.page.keyboard.press("/")
        one.page.wait_for_selector("#filter:focus")
        one.page.keyboard.type("jk/f?")
        assert one.page.input_value("#filter") == "jk/f?"

    def test_f_goes_from_failure_to_failure(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        seen = []
        for _ in range(3):
            one.page.keyboard.press("f")
            one.page.wait_for_function(
                "old => document.querySelector('h1 bdi')?.innerText !== old", arg=seen[-1] if seen else ""
            )
            seen.append(one.text("h1 bdi"))
        assert seen == ["payment", "refund", "payment"]

    def test_brackets_step_through_attempts(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fpayment")
        one.page.wait_for_selector("[role=tab][aria-selected=true]")
        assert one.text("[role=tab][aria-selected=true]").startswith("Attempt 2")
        one.page.keyboard.press("[")
        one.page.wait_for_selector("#tab-1[aria-selected=true]")
        one.page.keyboard.press("]")
        one.page.wait_for_selector("#tab-2[aria-selected=true]")

    def test_a_question_mark_shows_the_keys(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        one.page.keyboard.press("?")
        assert one.page.locator("dialog[open]").count() == 1
        one.page.keyboard.press("Escape")
        assert one.page.locator("dialog[open]").count() == 0

    def test_figures_change_the_view(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        for key, heading in (("2", "Timeline"), ("4", "Compare with another run"), ("3", "Tests")):
            one.page.keyboard.press(key)
            one.page.wait_for_function("h => document.querySelector('h1')?.textContent === h", arg=heading)


class TestTestPage:
    def test_the_error_comes_first_with_its_code(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fpayment")
        one.page.wait_for_selector(".problem")
        assert one.page.locator(".problem h3").all_inner_texts() == ["test_card", "test_wallet"]
        message = one.page.locator(".message").first
        assert message.locator(".culprit").inner_text().startswith(">       assert api.pay(1200)")
        assert (
            message.locator(".error").first.inner_text().strip()
            == "E       AssertionError: payment 4711 was refused"
        )
        assert "- expected" in message.locator(".minus").inner_text()
        assert "+ received" in message.locator(".plus").inner_text()
        assert one.page.get_by_text("1 more like this").count() == 2

    def test_attempts_stand_side_by_side(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/pages%2Ffront?side=1")
        one.page.wait_for_selector(".beside .attempt")
        assert [
            text.split("\n")[0].split()[0] for text in one.page.locator(".line-of-facts").all_inner_texts()
        ] == ["failed", "passed"]

    def test_pictures_are_inside_and_other_files_are_linked(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/pages%2Ffront?attempt=1")
        one.page.wait_for_selector(".files img")
        assert one.page.evaluate("document.querySelector('.files img').decode().then(() => true)")
        link = one.page.get_by_role("link", name="trace")
        assert link.get_attribute("href") == f"./runs/{RUN_ID}/pages/front/trace.zip"

    def test_a_copy_in_a_bucket_is_linked_beside_the_file(self, opened: Open, tmp_path: Path) -> None:
        """An address that a journal was made to hold, and that is none of the web, is no link."""
        folder = f"runs/{RUN_ID}/pages/front"
        stored = (
            Stored(path=f"{folder}/trace.zip", url="https://bucket.example/run/trace.zip"),
            Stored(path=f"{folder}/shot.png", url="javascript:alert(1)"),
        )
        *most, last = reports.shop(tmp_path)
        event = ArtifactsStored(test="pages/front", attempt=1, stored=stored)
        told = [*most, replace(last, event=event), replace(last, seq=last.seq + 1)]
        one = opened(reports.write(tmp_path, told), "test/pages%2Ffront?attempt=1")
        one.page.wait_for_selector(".files img")
        copies = one.page.locator(".files a", has_text="in the bucket")
        assert [link.get_attribute("href") for link in copies.all()] == [stored[0].url]
        assert (
            one.page.get_by_role("link", name="trace", exact=True).get_attribute("href")
            == f"./{stored[0].path}"
        )

    def test_output_keeps_its_colours_and_loses_its_escapes(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fpayment")
        one.page.locator("summary", has_text="Output").click()
        assert one.text(".output pre").strip() == "red plain"
        assert one.page.locator(".output .ansi-1").inner_text() == "red"

    def test_a_failure_shows_what_the_service_said_meanwhile(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fpayment?attempt=1")
        one.page.wait_for_selector(".log .within")
        marked = [line.split("\n") for line in one.page.locator(".log .within").all_inner_texts()]
        numbers = [int(said.split()[-1]) for _, said, *_ in marked]
        assert numbers == [5, 6, 7, 8]
        assert [stamp for stamp, *_ in marked] == ["+900ms", "+1.9s", "+2.9s", "+3.9s"]
        assert one.page.locator(".log .line").count() == 5 + 4 + 10, "with lines before and after"
        assert one.page.locator(".log .ansi-2").first.inner_text() == "INFO"
        link = one.page.locator(".slice p a")
        assert link.get_attribute("href") == f"./runs/{RUN_ID}/services/api.log"

    def test_a_test_that_passed_shows_it_when_asked(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fcart")
        one.page.locator("summary", has_text="Service logs").click()
        one.page.wait_for_selector(".log .within")

    def test_an_attempt_without_services_says_so(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/pages%2Ffront?attempt=1&logs=1")
        one.page.get_by_text("Nothing of the services' logs is in this file").wait_for()

    def test_a_link_to_a_case_opens_the_attempt_that_has_it(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/pages%2Ffront?case=front.spec.ts+%3E+shows+the+price")
        one.page.wait_for_selector("#tab-1[aria-selected=true]")
        assert one.text(".cases .wanted .name") == "front.spec.ts > shows the price"

    def test_a_test_that_never_ran_says_why(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/reporting%2Fexport")
        assert one.text(".empty") == "checkout failed"
        one.go("test/nowhere%2Fnothing")
        one.page.wait_for_function(
            "document.querySelector('.empty')?.textContent.includes('There is no test')"
        )

    def test_what_is_copied_is_what_an_issue_needs(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fpayment", permissions=["clipboard-read", "clipboard-write"])
        one.page.wait_for_selector(".problem")
        one.page.get_by_role("button", name="Copy for an issue").click()
        one.page.get_by_text("Copied").wait_for()
        text = one.page.evaluate("navigator.clipboard.readText()")
        assert text.startswith("## checkout/payment failed\n")
        assert "payment 4711 was refused" in text
        assert "e2e-orchestrate --config /app/phases.yaml --test=checkout/payment --retries 0" in text


class TestTimeline:
    def test_has_lanes_for_phases_services_and_slots(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline")
        labels = [text.split("\n")[0] for text in one.page.locator(".tl-lane .tl-label").all_inner_texts()]
        assert labels == ["Phases", "Services", "api", "Slots", "In use", "slot 0", "slot 1"]
        assert (
            one.page.get_by_role(
                "link", name=re.compile(r"checkout.payment, attempt \d of 2: failed")
            ).count()
            == 2
        )

    def test_waiting_and_pauses_are_seen_by_test(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline?by=tests")
        assert one.page.locator(".bar-on.wait").count() >= 2
        assert one.page.locator(".bar-on.pause").count() == 2

    def test_a_timeout_is_marked(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline")
        assert one.page.locator(".tl-mark.timeout").count() == 1

    def test_a_bar_opens_its_test_and_the_log_of_its_seconds(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline")
        one.page.get_by_role("link", name=re.compile(r"checkout.payment, attempt 2")).click()
        one.page.wait_for_selector("aside.picked .log .within")
        assert "test=checkout%2Fpayment&attempt=2" in one.hash
        assert one.page.locator(".bar-on.picked").count() == 1
        assert one.text("aside.picked .log .within .said").endswith("request number 10")
        in_sight = "box => box.scrollTop > 0 && box.scrollTop <= box.querySelector('.within').offsetTop"
        assert one.page.locator("aside.picked .log").evaluate(in_sight)
        one.page.get_by_role("link", name="Open the test").click()
        one.page.wait_for_selector(".test-page .log .within")
        assert one.text("h1 bdi") == "payment"
        assert "attempt=2&logs=1" in one.hash
        one.page.wait_for_function(
            "(() => { const box = document.querySelector('.log').getBoundingClientRect(); return box.top < innerHeight; })()"
        )

    def test_the_bar_of_a_test_that_passed_leads_to_its_log(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline")
        href = one.page.get_by_role("link", name=re.compile(r"checkout.cart")).get_attribute("href")
        assert href == "#/test/checkout%2Fcart?attempt=1&logs=1"
        one.page.goto(one.url + href)
        one.page.wait_for_selector(".test-page .log .within")

    def test_an_interruption_and_a_service_that_failed_are_marked(self, opened: Open, tmp_path: Path) -> None:
        told = {"cancel": interrupted(), "service": service_failed()}
        for kind, envelopes in told.items():
            one = opened(reports.write(tmp_path / kind, envelopes), "timeline")
            assert one.page.locator(f".tl-mark.{kind} span").get_attribute("aria-label")

    def test_zooms_around_the_middle_and_back(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline")
        width = "document.querySelector('.tl-plane').offsetWidth"
        fits = one.page.evaluate(width)
        for _ in range(3):
            one.page.keyboard.press("+")
        one.page.wait_for_function(f"{width} > {2 * fits}")
        one.page.keyboard.press("0")
        one.page.wait_for_function(f"{width} === {fits}")


def test_what_was_left_out_is_said(opened: Open, tmp_path: Path) -> None:
    run, moments = RunState(), Moments()
    for envelope in reports.shop(tmp_path):
        run.apply(envelope)
        moments.apply(envelope)
    path = tmp_path / "small.html"
    path.write_bytes(page(run, moments, evidence=Evidence(root=tmp_path), soft=0, hard=0).at(""))
    one = opened(path)
    assert re.search(r"\d parts \(.+\): output and messages of tests", one.text("section:has(#left)"))
    one.go("test/checkout%2Fpayment")
    one.page.wait_for_selector(".empty")
    assert "left out to keep this file small" in one.text(".empty")


def test_what_the_safeguards_looked_at_is_listed(opened: Open, tmp_path: Path) -> None:
    checked = (
        Checked(
            what="env.DATABASE_URL",
            where="phases.yaml:3:5",
            target=Target(host="127.0.0.1", database="shop_test"),
        ),
        Checked(
            what="DATABASE_URL",
            where="flows/login",
            target=Target(host="127.0.0.1", database="shop_test"),
            proof="a test database by its name",
        ),
    )
    run, moments = RunState(), Moments()
    for envelope in reports.shop(tmp_path):
        run.apply(envelope)
        moments.apply(envelope)
    assert run.plan is not None
    run.plan = replace(run.plan, checked=checked)
    path = tmp_path / "checked.html"
    path.write_bytes(page(run, moments, evidence=Evidence(root=tmp_path)).at(""))
    shown = opened(path).text("section:has(#checked)")
    assert "2 targets" in shown
    assert "127.0.0.1/shop_test" in shown
    assert "looks fine; isolated: a test database by its name" in shown


class TestCompare:
    @pytest.fixture
    def compared(self, opened: Open, shop: Path, shop_before: Path) -> Opened:
        one = opened(shop, "compare")
        one.page.set_input_files("input[type=file]", shop_before)
        one.page.wait_for_selector(".signatures")
        return one

    def test_by_signature(self, compared: Opened) -> None:
        told = [text.split("\t") for text in compared.page.locator(".signatures tbody tr").all_inner_texts()]
        assert [(row[0].strip(), row[2], row[3]) for row in told] == [
            ("new", "0", "2"),
            ("still", "1", "1"),
            ("fixed", "1", "0"),
        ]

    def test_by_test_and_in_every_view(self, compared: Opened) -> None:
        assert compared.text("h1") == "1 new failure, 1 still failing, 1 fixed"
        compared.page.get_by_role("link", name="Tests").first.click()
        for query, expected in (("is:new", ["payment"]), ("is:still", ["refund"]), ("is:fixed", ["cart"])):
            compared.page.fill("#filter", query)
            compared.page.wait_for_function("q => decodeURIComponent(location.hash).includes(q)", arg=query)
            assert names(compared, "test") == expected
        compared.page.keyboard.press("Escape")
        compared.go("overview")
        compared.page.wait_for_selector(".changes")
        assert compared.text(".changes").startswith("1 new")

    def test_with_the_baseline_that_it_was_made_with(
        self, opened: Open, shop_compared: Path, compared: Opened
    ) -> None:
        """Nothing has to be dropped, and it says what the page says of a run that was."""
        one = opened(shop_compared, "compare")
        one.page.wait_for_selector(".signatures")
        for selector in ("h1", ".signatures", "[aria-labelledby=changed]"):
            assert one.text(selector) == compared.text(selector), selector
        one.go("tests")
        one.page.fill("#filter", "is:new")
        one.page.wait_for_function("q => decodeURIComponent(location.hash).includes(q)", arg="is:new")
        assert names(one, "test") == ["payment"]
        one.go("overview")
        one.page.wait_for_selector(".changes")
        assert one.text(".changes").startswith("1 new")

    def test_the_page_and_the_reports_agree_on_what_is_new(
        self, opened: Open, shop_compared: Path, tmp_path: Path
    ) -> None:
        """Counted in Python for the console, and in the page for itself."""
        baseline = baseline_of_run(fold(reports.shop(tmp_path, mended=True)))
        found = comparison_of(fold(compared_with(reports.shop(tmp_path), baseline)))
        assert found is not None
        one = opened(shop_compared, "overview")
        one.page.wait_for_selector(".changes")
        counts = [int(text) for text in one.page.locator(".changes b").all_inner_texts()]
        assert counts == [
            len(each) for each in (found.new, found.still, found.fixed, found.flaky, found.not_run)
        ]
        one.go("compare")
        one.page.wait_for_selector(".signatures")
        told = [text.split("\t") for text in one.page.locator(".signatures tbody tr").all_inner_texts()]
        assert sorted((row[0], row[1]) for row in told) == sorted(
            (each.change, each.title) for each in found.errors
        )

    @pytest.mark.parametrize("kind", ["journal.jsonl", "e2e-results.json"])
    def test_with_a_journal_and_with_results(
        self, kind: str, opened: Open, shop: Path, shop_before: Path
    ) -> None:
        one = opened(shop, "compare")
        path = shop_before.parent / "runs" / RUN_ID / kind
        one.page.set_input_files("input[type=file]", path)
        one.page.wait_for_selector(".signatures")
        assert one.text("h1") == "1 new failure, 1 still failing, 1 fixed"
        changes = one.page.locator(".signatures .badge").all_inner_texts()
        assert changes == ["new", "still", "fixed"]

    def test_any_other_file_is_refused_with_words(self, opened: Open, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "x.json").write_text("[]")
        one = opened(shop, "compare")
        one.page.set_input_files("input[type=file]", tmp_path / "x.json")
        assert "drop an e2e-report.html, an e2e-results.json or a journal.jsonl" in one.text("[role=alert]")


class TestHostile:
    @pytest.fixture
    def hostile(self, tmp_path: Path) -> Path:
        return reports.write(tmp_path, reports.hostile(tmp_path))

    def test_names_stay_names_in_every_view(self, opened: Open, hostile: Path) -> None:
        one = opened(hostile)
        for view in ("overview", "timeline", "timeline?by=tests", "tests", "compare"):
            one.go(view)
            one.page.wait_for_timeout(100)
            assert one.page.title() != "owned"
        assert one.page.locator("script:not([type])").count() == 0
        assert one.page.locator("img").count() == 0
        one.go("tests")
        one.page.wait_for_selector(".row.test")
        assert [name in names(one, "test") for name in reports.HOSTILE_NAMES[:2]] == [True, True]

    def test_test_pages_stay_pages(self, opened: Open, hostile: Path) -> None:
        one = opened(hostile)
        for name in reports.HOSTILE_NAMES:
            one.page.evaluate(
                "id => { location.hash = '#/test/' + encodeURIComponent(id) }", f"<b>phase</b>/{name}"
            )
            one.page.wait_for_function(
                "name => document.querySelector('h1 bdi')?.textContent === name", arg=clean(name)
            )
            one.page.wait_for_selector(".problem")
            assert "\x1b" not in one.text(".message")
            for link in one.page.locator("main a").all():
                assert re.match(r"#|\./", link.get_attribute("href") or ""), name
            one.page.locator("summary", has_text="Output").click()
            assert one.page.locator(".output pre").first.bounding_box()["width"] < 1360
            one.page.wait_for_selector(".log .within")
            assert one.page.locator(".log").first.bounding_box()["width"] < 1360
            assert not re.search("[\x00-\x08\x1b\x7f-\x9f\u202a-\u202e]", one.text(".log"))
        assert one.page.title() != "owned"


def axe(one: Opened) -> list[str]:
    if not AXE.is_file():
        pytest.skip("axe is not installed: cd web && npm ci")
    # Through the protocol and not as a script of the page, whose policy would refuse it.
    one.page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = one.page.evaluate("axe.run().then(found => found.violations)")
    return [
        f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


VIEWS = (
    "overview",
    "timeline?test=checkout%2Fpayment",
    "timeline?by=tests",
    "tests",
    "tests?view=flat",
    "test/checkout%2Fpayment",
    "test/pages%2Ffront?side=1",
    "compare",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(scheme: str, opened: Open, shop: Path, shop_before: Path) -> None:
    one = opened(shop, color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for compared in (False, True):
        if compared:
            one.page.set_input_files("input[type=file]", shop_before)
            one.page.wait_for_selector(".signatures")
        for view in VIEWS:
            one.go(view)
            one.page.wait_for_selector(f"main.view-{view.partition('?')[0].partition('/')[0]} > *")
            found[view, compared] = axe(one)
    problems = [f"{view}: {problem}" for view, told in found.items() for problem in told]
    assert not problems, "\n".join(problems)


def test_the_colours_can_be_chosen(opened: Open, shop: Path) -> None:
    one = opened(shop, color_scheme="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = one.page.evaluate(colour)
    for _ in range(2):
        one.page.locator(".bar .ghost").first.click()
    assert one.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert one.page.evaluate(colour) != light


def test_what_is_printed_has_no_controls(opened: Open, shop: Path) -> None:
    one = opened(shop)
    one.page.emulate_media(media="print")
    assert not one.page.locator(".bar nav").is_visible()
    assert one.page.locator(".verdict h1").is_visible()
    assert one.page.evaluate(
        "document.querySelector('main').clientHeight >= document.querySelector('.overview').offsetHeight"
    )


@pytest.mark.parametrize("dark", ["system", "chosen"])
def test_what_is_printed_is_dark_on_white_whatever_the_screen_is(opened: Open, shop: Path, dark: str) -> None:
    one = opened(shop, color_scheme="dark" if dark == "system" else "light")
    if dark == "chosen":
        one.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    card = "getComputedStyle(document.querySelector('.verdict')).backgroundColor"
    assert one.page.evaluate(card) == "rgb(26, 28, 31)"
    one.page.emulate_media(media="print")
    assert one.page.evaluate(card) == "rgb(255, 255, 255)"


def test_the_printed_list_of_tests_fits_on_the_page(opened: Open, shop: Path) -> None:
    one = opened(shop, "tests")
    one.page.set_viewport_size({"width": 768, "height": 800})
    one.page.emulate_media(media="print")
    assert not one.page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_attempts_side_by_side_say_which_is_which(opened: Open, shop: Path) -> None:
    one = opened(shop, "test/checkout%2Fpayment?side=1")
    assert one.page.locator(".attempt h2.which").all_inner_texts() == ["Attempt 1", "Attempt 2"]
    one.page.keyboard.press("s")
    one.page.locator(".attempt h2.which").first.wait_for(state="hidden")


def test_nothing_moves_for_those_who_want_no_motion(opened: Open, shop: Path) -> None:
    moving = (
        "[...document.querySelectorAll('*')].some(one => getComputedStyle(one).transitionDuration !== '0s')"
    )
    one = opened(shop, reduced_motion="reduce")
    assert not one.page.evaluate(moving)
    assert opened(shop, reduced_motion="no-preference").page.evaluate(moving)


def test_a_run_without_anything_has_a_page(opened: Open, tmp_path: Path) -> None:
    for at, envelopes in enumerate(([], Story().end(2), Story().start(a_plan()).end(4), Story().start(a_plan(a_phase("p"))).tell(events.PhaseStarted(phase="p")).envelopes)):  # fmt: skip
        one = opened(reports.write(tmp_path / str(at), envelopes))
        for view in ("timeline", "tests", "compare", "overview"):
            one.go(view)
            one.page.wait_for_selector(f"main.view-{view} > *")


def test_the_page_and_the_reporter_agree_on_signatures(opened: Open, shop: Path, tmp_path: Path) -> None:
    """Of every message that the groups are tested with: dropped as results, none looks new or fixed."""
    messages = [one for pair in run_path(str(GROUPS))["SAME"].values() for one in pair]
    assert len(messages) > 20
    path = reports.write(tmp_path, reports.of_messages(messages))
    cases = [{"id": f"c{at}", "status": "failed", "message": text} for at, text in enumerate(messages)]
    test = {"name": "t", "status": "failed", "duration": 1.0, "cases": cases}
    results = {**GOOD, "phases": [{"name": "p", "tests": [test]}]}
    (tmp_path / "other.json").write_text(json.dumps(results))
    one = opened(path, "compare")
    one.page.set_input_files("input[type=file]", tmp_path / "other.json")
    one.page.wait_for_selector(".signatures")
    odd = [
        row
        for row in one.page.locator(".signatures tbody tr").all_inner_texts()
        if not row.startswith("still")
    ]
    assert odd == []
