"""Reads reports back as their consumers do, and refuses what one of them would refuse."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import junitparser
import xmlschema
import yaml
from jsonschema import Draft7Validator
from support.formats.ctrf import CONSERVATIVE

_BAD = ("failure", "error")
_TOKEN = re.compile(r"\[\[ATTACHMENT\|([^\]\n]+)\]\]")
_POINT = re.compile(
    r"(?P<word>ok|not ok) (?P<number>\d+) - (?P<name>(?:[^#\\]|\\.)*?)(?P<directive> # SKIP.*)?"
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@cache
def _xsd() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(Path(__file__).parent / "junit.xsd"))


def check_junit(data: bytes) -> ET.Element:
    """By the schema, by the counts, and by what GitLab and Jenkins do with it."""
    assert len(data) < 30_000_000
    root = ET.fromstring(data)
    _xsd().validate(root)
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        found = Counter(child.tag for case in cases for child in case)
        counts = {"tests": len(cases), "failures": found["failure"], "errors": found["error"]}
        for name, count in {**counts, "skipped": found["skipped"]}.items():
            assert element.get(name) == str(count), (name, element.attrib)
    _as_gitlab(root)
    suites = junitparser.JUnitXml.fromstring(data)
    assert sum(1 for suite in suites for _ in suite) == len(list(root.iter("testcase")))
    return root


def _as_gitlab(root: ET.Element) -> None:
    """Same classname and name means the same test, of which all but one are dropped."""
    names = Counter((case.get("classname"), case.get("name")) for case in root.iter("testcase"))
    assert {name: count for name, count in names.items() if count > 1} == {}
    for case in root.iter("testcase"):
        assert len(case.findall("system-out")) <= 1
        for token in _TOKEN.findall(case.findtext("system-out") or ""):
            assert not token.startswith("/")
            assert ".." not in token.split("/")


def check_ctrf(data: bytes) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(data)
    Draft7Validator(CONSERVATIVE, format_checker=Draft7Validator.FORMAT_CHECKER).validate(report)
    summary, tests = report["results"]["summary"], report["results"]["tests"]
    statuses = Counter(test["status"] for test in tests)
    for word in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[word] == statuses[word]
    assert summary["tests"] == len(tests)
    assert summary["flaky"] == sum(test.get("flaky", False) for test in tests)
    assert len({test["id"] for test in tests}) == len(tests)
    for test in tests:
        assert test.get("retries", 0) == max(len(test.get("retryAttempts", ())) - 1, 0)
        assert not test.get("flaky") or test["status"] == "passed"
    return report


def check_tap(data: bytes) -> list[dict[str, Any]]:
    """The points with their diagnoses; refuses every line that is neither."""
    version, plan, *lines = data.decode().splitlines()
    assert version == "TAP version 14"
    points: list[dict[str, Any]] = []
    rest = iter(lines)
    for line in rest:
        if line == "  ---":
            block = "\n".join(iter(rest.__next__, "  ..."))
            points[-1]["diagnosis"] = yaml.safe_load(block)
            continue
        found = _POINT.fullmatch(line)
        assert found, line
        assert int(found["number"]) == len(points) + 1
        points.append(found.groupdict())
    assert plan == f"1..{len(points)}"
    return points


def check_quality(data: bytes) -> list[dict[str, Any]]:
    """What GitLab's code quality demands of every entry."""
    issues: list[dict[str, Any]] = json.loads(data)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert not issue["location"]["path"].startswith(("/", "./"))
        assert issue["location"]["lines"]["begin"] >= 0
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


def check_text(data: bytes) -> str:
    text = data.decode()
    assert not CONTROL.search(text)
    return text


def check_json(data: bytes) -> Any:
    return json.loads(data)


def check_outputs(data: bytes) -> dict[str, str]:
    """As GitHub reads a file of outputs: one a line, a name before the first equals sign."""
    told = dict(line.split("=", 1) for line in data.decode().splitlines())
    assert all(re.fullmatch(r"[a-z-]+", name) for name in told)
    return told


def check_page(data: bytes) -> str:
    """It loads nothing and runs nothing but its own; ``tests/web`` opens it in a browser."""
    text = data.decode("utf-8")
    assert text.lower().startswith("<!doctype html>")
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?https?:", text)
    return text


CHECKS: Mapping[str, Callable[[bytes], Any]] = {
    "ctrf-report.json": check_ctrf,
    "gl-code-quality-report.json": check_quality,
    ".xml": check_junit,
    ".tap": check_tap,
    ".env": check_outputs,
    ".md": check_text,
    ".json": check_json,
    ".html": check_page,
    "post": check_json,
}


def check(name: str, data: bytes) -> Any:
    """The report as its consumer reads it; every file has one."""
    for ending, read in CHECKS.items():
        if name.endswith(ending) or (ending == "post" and name.startswith("post")):
            return read(data)
    raise AssertionError(f"nobody knows how to read {name}")
