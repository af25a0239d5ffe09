"""How many tests and cases each format says there were, and how they ended: to be compared with one another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET

from support.formats.otlp import attributes


@dataclass(frozen=True, kw_only=True)
class Cases:
    """``flaky`` ones are good; None where a format does not tell them from others."""

    total: int
    bad: int
    skipped: int
    flaky: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tests:
    total: int
    passed: int
    failed: int
    skipped: int
    flaky: int


_BAD = frozenset({"failed", "error", "timeout"})
_SKIPPED = frozenset({"skipped", "xfailed", "not_run"})
_LETTERS = {
    "f": "failed",
    "e": "error",
    "t": "timeout",
    "s": "skipped",
    "x": "xfailed",
    "n": "not_run",
    "k": "flaky",
}


def _cases(statuses: list[str]) -> Cases:
    return Cases(
        total=len(statuses),
        bad=sum(one in _BAD for one in statuses),
        skipped=sum(one in _SKIPPED for one in statuses),
        flaky=statuses.count("flaky"),
    )


def cases_of_results(results: Mapping[str, Any]) -> Cases:
    """A test without cases counts as one."""
    tests = [test for phase in results["phases"] for test in phase["tests"]]
    return _cases(
        [status for test in tests for status in [one["status"] for one in test["cases"]] or [test["status"]]]
    )


def entries_of_results(results: Mapping[str, Any]) -> Cases:
    """Besides the cases, what fails without one to blame: tests, and services."""
    tests = [test for phase in results["phases"] for test in phase["tests"]]
    own = [test["status"] for test in tests if test["cases"] and _blames_no_case(test)]
    services = [one["status"] for one in results["services"] if one["status"] == "failed"]
    cases = cases_of_results(results)
    more = _cases([*own, *services])
    return replace(cases, total=cases.total + more.total, bad=cases.bad + more.bad)


def _blames_no_case(test: Mapping[str, Any]) -> bool:
    bad = any(case["status"] in _BAD for case in test["cases"])
    return test["status"] == "failed" and (test["reason"] == "infrastructure" or not bad)


def cases_of_page(run: Mapping[str, Any]) -> Cases:
    return _cases(
        [
            status
            for test in run["tests"]
            for status in [_LETTERS.get(one, "passed") for one in test["letters"]] or [test["status"]]
        ]
    )


def cases_of_junit(root: ET.Element) -> Cases:
    cases = [{child.tag for child in case} for case in root.iter("testcase")]
    return Cases(
        total=len(cases),
        bad=sum(bool(one & {"failure", "error"}) for one in cases),
        skipped=sum("skipped" in one for one in cases),
        flaky=sum(bool(one & {"flakyFailure", "flakyError"}) for one in cases),
    )


def cases_of_ctrf(report: Mapping[str, Any]) -> Cases:
    told = report["results"]["summary"]
    skipped = told["skipped"] + told["pending"]
    return Cases(total=told["tests"], bad=told["failed"], skipped=skipped, flaky=told["flaky"])


def cases_of_tap(points: list[dict[str, Any]]) -> Cases:
    return Cases(
        total=len(points),
        bad=sum(one["word"] == "not ok" for one in points),
        skipped=sum(bool(one["directive"]) for one in points),
        flaky=sum(one.get("diagnosis", {}).get("status") == "flaky" for one in points),
    )


def tests_of_results(results: Mapping[str, Any]) -> Tests:
    tests = [test for phase in results["phases"] for test in phase["tests"]]
    return _tests([test["status"] for test in tests], flaky=len(results["flaky"]))


def tests_of_page(run: Mapping[str, Any]) -> Tests:
    flaky = sum(test["reason"] == "flaky" for test in run["tests"])
    return _tests([test["status"] for test in run["tests"]], flaky=flaky)


def _tests(statuses: list[str], *, flaky: int) -> Tests:
    passed, failed, skipped = (statuses.count(word) for word in ("passed", "failed", "skipped"))
    return Tests(total=len(statuses), passed=passed, failed=failed, skipped=skipped, flaky=flaky)


def tests_of_facts(facts: Mapping[str, Any]) -> Tests:
    """Of GitHub's outputs, the facts of a template, and the last line on standard error."""
    total, *rest = (int(facts[word]) for word in ("tests", "passed", "failed", "skipped", "flaky"))
    passed, failed, skipped, flaky = rest
    return Tests(total=total, passed=passed, failed=failed, skipped=skipped, flaky=flaky)


def tests_of_markdown(text: str) -> Tests:
    """From the table of phases."""
    rows = re.findall(r"^\| [^|]* \| `[^|]*` \|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|", text, re.MULTILINE)
    passed, failed, skipped, flaky = (
        sum(int(one.strip() or 0) for one in column) for column in zip(*rows, strict=True)
    )
    return Tests(total=passed + failed + skipped, passed=passed, failed=failed, skipped=skipped, flaky=flaky)


def tests_of_console(text: str) -> Tests:
    """From the lines of the phases at the end; a test that was not run says why it was skipped."""
    phases = text.rpartition("\nPhases\n")[2].partition("\n\n")[0]
    words = {"passed": 0, "failed": 0, "blocked": 0, "skipped": 0, "cancelled": 0}
    for number, word in re.findall(rf"(\d+) ({'|'.join(words)})\b", phases):
        words[word] += int(number)
    flaky = (
        len(re.findall(r"^  ~ ", text.rpartition("\nFlaky tests\n")[2], re.MULTILINE))
        if "\nFlaky tests\n" in text
        else 0
    )
    passed, failed = words.pop("passed"), words.pop("failed")
    skipped = sum(words.values())
    return Tests(total=passed + failed + skipped, passed=passed, failed=failed, skipped=skipped, flaky=flaky)


def tests_of_trace(spans: Mapping[str, Any], *, total: int) -> Tests:
    """Those that never started have no span: nobody waited for them."""
    told = [attributes(span) for span in spans.values()]
    tests = [one for one in told if "e2e_orchestrator.attempts" in one]
    statuses = [one["test.suite.run.status"] for one in tests]
    return Tests(
        total=total,
        passed=statuses.count("success"),
        failed=sum(one in ("failure", "timed_out", "aborted") for one in statuses),
        skipped=total - len(statuses),
        flaky=sum(one["e2e_orchestrator.flaky"] for one in tests),
    )
