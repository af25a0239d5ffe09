"""The page at the widths of telephones, tablets and laptops: nothing lies outside, and keys take the focus along."""

from pathlib import Path

import pytest
from opening import Open
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (360, 390, 640, 641, 768, 820, 900, 960, 981, 1280)
VIEWS = (
    "overview",
    "timeline",
    "timeline?by=tests",
    "timeline?test=checkout%2Fpayment",
    "tests",
    "tests?view=flat",
    "test/checkout%2Fpayment",
    "test/pages%2Ffront?side=1",
    "compare",
)

# What scrolls by itself may be wider inside: the timeline's plane, the list of tests, the phases.
_OUTSIDE = """() => [...document.querySelectorAll('.bar, .bar *, main, main *')].filter(one => {
  const box = one.getBoundingClientRect();
  const moves = one.parentElement?.closest('.tl-box, .virtual, pre, .phases ol, .offscreen');
  return box.width > 1 && !moves && (box.right > innerWidth + 1 || box.left < -1);
}).map(one => one.outerHTML.slice(0, 80))"""
_WIDER = "document.documentElement.scrollWidth > innerWidth"


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_lies_outside_at_any_width(view: str, opened: Open, shop_compared: Path, shop: Path) -> None:
    for path in (shop_compared, shop) if view == "compare" else (shop_compared,):
        one = opened(path, view)
        for width in WIDTHS:
            one.page.set_viewport_size({"width": width, "height": 800})
            assert one.page.evaluate(_OUTSIDE) == [], width
            assert not one.page.evaluate(_WIDER), width


def test_a_badge_stays_on_one_line(opened: Open, shop_compared: Path) -> None:
    one = opened(shop_compared, "compare")
    one.page.set_viewport_size({"width": 360, "height": 800})
    assert {round(box.bounding_box()["height"]) for box in one.page.locator(".badge").all()} <= set(
        range(15, 25)
    )


class TestFocus:
    def test_f_goes_to_the_test_that_it_opens(self, opened: Open, shop: Path) -> None:
        one = opened(shop)
        one.page.keyboard.press("f")
        expect(one.page.locator(".test-page h1")).to_be_focused()

    def test_j_goes_to_the_next_test(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "test/checkout%2Fcart")
        one.page.keyboard.press("j")
        expect(one.page.locator(".test-page h1", has_text="payment")).to_be_focused()

    def test_in_the_list_it_is_on_the_selected_row(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "tests")
        for key in ("j", "j", "k"):
            one.page.keyboard.press(key)
            expect(one.page.locator(".row.selected:focus, .row.selected :focus")).to_have_count(1)

    def test_in_the_timeline_it_is_on_what_was_picked(self, opened: Open, shop: Path) -> None:
        one = opened(shop, "timeline")
        one.page.keyboard.press("j")
        expect(one.page.locator("aside.picked")).to_be_focused()
        one.page.keyboard.press("Escape")
        expect(one.page.locator(".tl-box")).to_be_focused()
