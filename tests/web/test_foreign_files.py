"""Files of others that are dropped on the page: taken as they are meant, or refused with their name and the place."""

import base64
import json
import zlib
from pathlib import Path

import pytest
from opening import Open, Opened
from playwright.sync_api import expect
from support.formats.page import blocks
from support.odd_results import GOOD, ODD, odd_file
from support.stories import RUN_ID

pytestmark = [pytest.mark.browser, pytest.mark.slow]

JOURNAL, RESULTS, PAGE = "journal.jsonl", "e2e-results.json", "e2e-report.html"
# A file of the run before, what is replaced in it and by what, and what has to be said of that.
BENT = {
    "a duration that is a list": (
        JOURNAL,
        '"message":null},"duration":',
        '"message":null},"duration":[],"was":',
        "event.duration must be a number of seconds, but is a list",
    ),
    "a case that is a list": (
        JOURNAL,
        '"cases":[',
        '"cases":[[],',
        "event.attempt.cases[0] must be a mapping",
    ),
    "a line that is no JSON": (JOURNAL, '{"seq":3,', '{"seq":3,,', "line 3: this is no event of a journal"),
    "a run of a number": (JOURNAL, '"run_id":"', '"run_id":7,"was":"', "line 1: event.run_id must be a text"),
    "results that are no JSON": (RESULTS, '"phases": [', '"phases": [,', "its data cannot be read"),
    "a test that is null": (PAGE, '"tests":[', '"tests":[null,', "tests[0] must be a mapping, but is null"),
    "a title of a number": (PAGE, '"title":"', '"title":7,"was":"', "groups[0].title must be a text"),
    "a failure of no test": (
        PAGE,
        '"failures":[[0',
        '"failures":[[{}',
        "groups[0].failures[0][0] must be a whole",
    ),
    "another version": (PAGE, '"wire":1', '"wire":2', "its data is of version 2, and this page reads 1"),
}


def drop(one: Opened, name: str, text: str) -> None:
    file = {"name": name, "mimeType": "application/json", "buffer": text.encode()}
    one.page.set_input_files("input[type=file]", files=[file])


def refusal(one: Opened, name: str, text: str) -> str:
    """What the page says of a file that it does not take."""
    drop(one, name, text)
    one.page.wait_for_selector(f'[role=alert]:has-text("{name}")')
    return one.text("[role=alert]")


def bent(report: Path, name: str, *, find: str, put: str) -> str:
    """The report, or another file of the same run, with something else in it."""
    if name != PAGE:
        text = (report.parent / "runs" / RUN_ID / name).read_text()
        assert find in text
        return text.replace(find, put, 1)
    html = report.read_text()
    packed = blocks(html)["run"]
    run = zlib.decompress(packed).decode()
    assert find in run
    again = zlib.compress(run.replace(find, put, 1).encode())
    return html.replace(base64.b64encode(packed).decode(), base64.b64encode(again).decode())


def test_what_is_odd_is_refused_with_its_place_and_changes_nothing(opened: Open, shop_compared: Path) -> None:
    """In the words of the program, which refuses the same as a baseline."""
    one = opened(shop_compared, "compare")
    one.page.wait_for_selector(".signatures")
    compared = one.text("h1"), one.text(".signatures")
    for number, name in enumerate(ODD):
        text, says = odd_file(name)
        assert says in refusal(one, f"odd-{number}.json", text), name
    assert (one.text("h1"), one.text(".signatures")) == compared
    drop(one, "good.json", json.dumps(GOOD))
    expect(one.page.locator("[role=alert]")).to_have_count(0)
    assert GOOD["run_id"] in one.text(".lead")


@pytest.mark.parametrize("name", BENT)
def test_a_report_that_was_bent_is_refused_with_the_place(
    name: str, opened: Open, shop: Path, shop_before: Path
) -> None:
    file, find, put, says = BENT[name]
    one = opened(shop, "compare")
    assert says in refusal(one, file, bent(shop_before, file, find=find, put=put))
    assert one.text("h1") == "Compare with another run"
