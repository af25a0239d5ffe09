"""What the page shows of names and texts: nothing that writes backwards or cannot be seen, and slots by their own number."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
import reports
from opening import Open, Opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME = reports.HOSTILE_NAMES[-1]
SHOWN = "10:evil  red alone"
TEST = quote(f"<b>phase</b>/{NAME}", safe="")
VIEWS = (
    "overview",
    "timeline",
    "timeline?by=tests",
    f"timeline?test={TEST}",
    "tests",
    "tests?view=flat",
    f"test/{TEST}",
    "compare",
)

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ALL_THAT_IS_READ = """() => [document.title, document.body.textContent, ...[...document.querySelectorAll('*')].flatMap(
  one => ['title', 'aria-label', 'alt', 'placeholder'].map(name => one.getAttribute(name) ?? ''))]"""


def read(one: Opened) -> list[str]:
    """Everything on the page that eyes or a screen reader reach."""
    found: list[str] = one.page.evaluate(_ALL_THAT_IS_READ)
    return found


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    return reports.write(tmp_path, reports.hostile(tmp_path))


class TestNames:
    @pytest.mark.parametrize("view", VIEWS)
    def test_nothing_is_reversed_or_unseen_in_any_view(self, view: str, opened: Open, hostile: Path) -> None:
        one = opened(hostile, view)
        if TEST in view:
            one.page.wait_for_selector(".log .within")
        told = read(one)
        assert [text for text in told if _UNSEEN.search(text)] == []
        if view != "compare":
            assert any(SHOWN in text for text in told)

    def test_nor_of_a_run_that_is_dropped_on_it(
        self, opened: Open, hostile: Path, shop: Path, tmp_path: Path
    ) -> None:
        one = opened(shop, "compare")
        one.page.set_input_files("input[type=file]", hostile)
        one.page.wait_for_selector(".signatures")
        told = read(one)
        assert any(SHOWN in text for text in told)
        assert [text for text in told if _UNSEEN.search(text)] == []

    def test_links_still_lead_to_the_test_and_its_case(self, opened: Open, hostile: Path) -> None:
        one = opened(hostile, "tests")
        one.page.locator(".row.test .name", has_text=SHOWN).click()
        one.page.wait_for_selector(".test-page .problem")
        assert one.text("h1 bdi") == SHOWN.replace("  ", " ")
        one.go(f"test/{TEST}?case={quote(f'{NAME}::case', safe='')}")
        one.page.wait_for_selector(".cases .wanted")

    def test_nor_in_what_is_copied(self, opened: Open, hostile: Path) -> None:
        one = opened(hostile, f"test/{TEST}", permissions=["clipboard-read", "clipboard-write"])
        one.page.wait_for_selector(".test-page .problem")
        for button in ("Copy command", "Copy for an issue"):
            one.page.get_by_role("button", name=button).click()
            one.page.wait_for_selector("text=Copied")
            copied = one.page.evaluate("navigator.clipboard.readText()")
            assert SHOWN in copied
            assert not _UNSEEN.search(copied)
            one.page.wait_for_selector("text=Copied", state="detached")


class TestSlots:
    """They count from 0 as in ``E2E_SLOT``: who reads a log must not read the neighbour's."""

    def test_in_the_timeline(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline")
        labels = one.page.locator(".tl-lane.slot .tl-label").all_inner_texts()
        assert [text.strip() for text in labels] == ["slot 0", "slot 1"]
        said = one.page.locator(".tl-lane.slot").nth(1).locator("a").first.get_attribute("title")
        assert "in slot 1" in said

    def test_on_the_page_of_a_test(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fpayment?attempt=1")
        one.page.wait_for_selector(".line-of-facts")
        assert "slot 1" in one.text(".line-of-facts")
