"""Reads reports back as their consumers do, and refuses what one of them would refuse."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import junitparser
import xmlschema
import yaml
from jsonschema import Draft7Validator
from markdown_it import MarkdownIt
from support.formats.ctrf import CONSERVATIVE
from support.formats.results import RESULTS
from tap.parser import Parser as TapParser

_BAD = ("failure", "error")
_COMMAND = re.compile(r"::(?P<name>[a-z-]+)(?: [^\n]*?)?::(?P<data>.*)")
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
    _as_tap_py(data, points)
    return points


def _as_tap_py(data: bytes, points: list[dict[str, Any]]) -> None:
    """It reads version 13, which has the same lines and blocks, and knows no escaped ``#``."""
    lines = data.decode().replace("TAP version 14", "TAP version 13", 1).replace("\\#", "")
    read = [one for one in TapParser().parse_text(lines) if one.category == "test"]
    assert [(one.ok, one.number) for one in read] == [
        (point["word"] == "ok", at) for at, point in enumerate(points, 1)
    ]
    assert [bool(one.skip) for one in read] == [bool(point["directive"]) for point in points]


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


def check_results(data: bytes) -> dict[str, Any]:
    """By the documented keys, and by what they say of each other."""
    results: dict[str, Any] = json.loads(data)
    Draft7Validator(RESULTS, format_checker=Draft7Validator.FORMAT_CHECKER).validate(results)
    phases = Counter(phase["status"] for phase in results["phases"])
    assert results["total_phases"] == len(results["phases"])
    assert [results[word] for word in ("passed", "failed", "skipped")] == [
        phases[word] for word in ("passed", "failed", "skipped")
    ]
    assert results["success"] == (results["exit_code"] == 0)
    return results


def check_summary(data: bytes) -> str:
    """What GitHub takes of a step, and what CommonMark makes of it: none of a test's text is HTML or a link."""
    text = check_text(data)
    assert len(data) < 1 << 20
    tokens = MarkdownIt("commonmark").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    html = " ".join(token.content for token in (*tokens, *inline) if token.type.startswith("html_"))
    assert set(re.findall(r"</?([a-z]+)", html)) <= {"details", "summary", "code", "b", "br", "sub"}
    return text


def check_slack(data: bytes) -> dict[str, Any]:
    """The limits of Slack's blocks, beyond which a message is refused as a whole."""
    told: dict[str, Any] = json.loads(data)
    assert told["text"]
    assert 1 <= len(told["blocks"]) <= 50
    for block in told["blocks"]:
        limit = {"header": 150, "section": 3000}.get(block["type"])
        assert limit is None or 1 <= len(block["text"]["text"]) <= limit
    return told


def check_commands(lines: Sequence[str]) -> dict[str, list[str]]:
    """The workflow commands in a log as GitHub obeys them, by their names; those of a level are at most ten."""
    found: dict[str, list[str]] = {}
    stopped = None
    for line in lines:
        if stopped is not None:
            stopped = None if line == f"::{stopped}::" else stopped
        elif command := _COMMAND.fullmatch(line):
            found.setdefault(command["name"], []).append(command["data"])
            stopped = command["data"] if command["name"] == "stop-commands" else None
    assert stopped is None, "what stopped the commands never let them on again"
    assert set(found) <= {"error", "warning", "group", "endgroup", "stop-commands"}
    assert len(found.get("group", ())) == len(found.get("endgroup", ()))
    assert all(len(found.get(level, ())) <= 10 for level in ("error", "warning"))
    return found


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
    "e2e-results.json": check_results,
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
