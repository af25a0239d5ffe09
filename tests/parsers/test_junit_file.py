"""JUnit files: counted by case, refused where they could do harm."""

from pathlib import Path

import pytest

from e2e_orchestrator.model.outcomes import CaseStatus
from e2e_orchestrator.parsers.junit import BadJUnit, JUnitReport, read_junit


def junit(tmp_path: Path, text: str | bytes) -> JUnitReport | BadJUnit | None:
    path = tmp_path / "junit.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_junit(path)


def test_cases_are_counted_one_by_one_whatever_the_totals_say(tmp_path: Path) -> None:
    found = junit(
        tmp_path,
        """<?xml version="1.0"?>
        <testsuites><testsuite name="s" tests="999" failures="1" errors="1">
          <testcase classname="shop" name="pays" time="1.5" file="shop.py" line="7"/>
          <testcase classname="shop" name="fails"><failure message="assert 1">long &lt;text&gt;</failure></testcase>
          <testcase classname="shop" name="breaks"><error message="no database"/></testcase>
          <testcase classname="shop" name="waits"><skipped message="not today"/></testcase>
          <testcase classname="shop" name="known"><skipped type="pytest.xfail" message="bug"/></testcase>
          <testcase classname="shop" name="lucky"><flakyFailure message="first try"/></testcase>
          <testcase name="pays"/>
          <testcase classname="shop" name="pays"/>
        </testsuite></testsuites>""",
    )
    assert isinstance(found, JUnitReport)
    assert {case.id: case.status for case in found.cases} == {
        "shop::pays": CaseStatus.PASSED,
        "shop::fails": CaseStatus.FAILED,
        "shop::breaks": CaseStatus.ERROR,
        "shop::waits": CaseStatus.SKIPPED,
        "shop::known": CaseStatus.XFAILED,
        "shop::lucky": CaseStatus.FLAKY,
        "pays": CaseStatus.PASSED,
        "shop::pays (2)": CaseStatus.PASSED,
    }
    first, second = found.cases[:2]
    assert (first.duration, first.file, first.line) == (1.5, "shop.py", 7)
    assert second.message == "assert 1\nlong <text>"
    assert found.claimed_failures == 2


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>'
OUTSIDE = '<!DOCTYPE b SYSTEM "file:///etc/passwd"><testsuite/>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(BOMB, "document type", id="entities"),
        pytest.param(OUTSIDE, "document type", id="a file from outside"),
        pytest.param("<testsuite><testcase", "no XML", id="cut off"),
        pytest.param("", "no XML", id="empty"),
        pytest.param(b"\xff\xfe\x00", "no XML", id="garbage"),
        pytest.param("<html/>", "begins with <html>", id="another document"),
        pytest.param(
            "<testsuite>" + "<a>" * 500 + "</a>" * 500 + "</testsuite>", "nested", id="nested without end"
        ),
        pytest.param("<testsuite>\x00</testsuite>", "no XML", id="a character that XML has not"),
    ],
)
def test_what_cannot_be_read_safely_says_why(tmp_path: Path, text: str | bytes, why: str) -> None:
    found = junit(tmp_path, text)
    assert isinstance(found, BadJUnit)
    assert why in found.why


def test_no_file_is_no_mistake(tmp_path: Path) -> None:
    assert read_junit(tmp_path / "junit.xml") is None


def test_a_huge_failure_is_cut(tmp_path: Path) -> None:
    text = "x" * 5_000_000
    found = junit(tmp_path, f'<testsuite><testcase name="a"><failure>{text}</failure></testcase></testsuite>')
    assert isinstance(found, JUnitReport)
    assert len(found.cases[0].message or "") <= 16 * 1024
