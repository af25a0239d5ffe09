"""The results of a run inside another program as JUnit XML: one testsuite for each of its suites."""

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

from e2e_orchestrator.contrib.running import Ended
from e2e_orchestrator.model.outcomes import Case, CaseStatus
from e2e_orchestrator.safety.files import write_whole

_UNFIT = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {
    CaseStatus.FAILED: "failure",
    CaseStatus.ERROR: "error",
    CaseStatus.TIMEOUT: "error",
    CaseStatus.NOT_RUN: "error",
    CaseStatus.SKIPPED: "skipped",
    CaseStatus.XFAILED: "skipped",
}


def write_junit(path: Path, suites: Iterable[Ended]) -> None:
    """The file appears whole or not at all; its folder is made."""
    root = ET.Element("testsuites")
    for ended in suites:
        _suite(root, ended)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(root: ET.Element, ended: Ended) -> None:
    cases = list(ended.attempt.cases)
    if ended.unexplained:
        why = f"{ended.attempt.verdict.reason}: {ended.attempt.verdict.message or ''}"
        cases.append(
            Case(id=f"{ended.suite}.({ended.attempt.verdict.reason})", status=CaseStatus.ERROR, message=why)
        )
    elements = [_ELEMENTS.get(case.status) for case in cases]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_fit(ended.suite),
        tests=str(len(cases)),
        failures=str(elements.count("failure")),
        errors=str(elements.count("error")),
        skipped=str(elements.count("skipped")),
        time=f"{ended.attempt.duration:.3f}",
        timestamp=ended.attempt.started_at,
    )
    for case, element in zip(cases, elements, strict=True):
        owner, _, name = case.id.rpartition(".")
        one = ET.SubElement(
            suite, "testcase", classname=_fit(owner), name=_fit(name), time=f"{case.duration:.3f}"
        )
        if element:
            text = _fit(case.message or "")
            ET.SubElement(one, element, message=text.partition("\n")[0]).text = text


def _fit(text: str) -> str:
    """Without what XML cannot hold."""
    return _UNFIT.sub("?", text)
