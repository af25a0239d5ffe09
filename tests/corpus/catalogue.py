"""The misbehaving suites below ``cases/``, and what is true of each: read from its ``expect.json``.

``status``, ``reason`` (``"*"``: any)  of the test; ``retried`` holds what differs when it is tried again
``cases``               end of a case's id -> its status, complete; ``counts`` where there are too many
``must_appear``         in the test's result; ``must_not_appear`` in no file and no line of the run
``survivors``           a word that no living process may have on its command line afterwards
``target args env timeout``  how it is run; ``hangs``: it is only tried once; ``needs_browser``
``max_seconds max_result_bytes forbidden_line_starts``  limits
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"
CONFIG = "playwright.config.ts"
# Its sources ask for E2E_EVENTS, which is a test's own: beside it nothing would be packed.
LEFT_OUT = {"stream_forged"}
# What a pack leaves behind is named in a warning, because nobody knows whose it is.
LEFT_BEHIND = {"daemon_left": "corpus-node-daemon"}
KEYS = {
    *("why", "status", "reason", "retried", "cases", "counts", "must_appear", "must_not_appear", "survivors"),
    *("target", "args", "env", "timeout", "hangs", "needs_browser", "max_seconds", "max_result_bytes"),
    *("forbidden_line_starts", "attempts"),
}


@dataclass(frozen=True, kw_only=True)
class Suite:
    """One folder of the corpus."""

    kind: str
    folder: Path
    expect: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def place(self) -> str:
        """The same in the folders, in the phases and in the results."""
        return f"{self.kind}/{self.name}"

    @property
    def target(self) -> str:
        if "target" in self.expect:
            return str(self.expect["target"])
        return "test_it.py" if self.kind == "pytest" else "it.spec.ts"

    @property
    def hangs(self) -> bool:
        return bool(self.expect.get("hangs"))

    @property
    def alone(self) -> bool:
        """Whether it is one file that needs no arguments and no environment of its own."""
        files = {path.name for path in self.folder.rglob("*") if path.is_file()}
        return files == {"expect.json", "test_it.py"} and not {"target", "args", "env"} & self.expect.keys()

    @property
    def leaves_open(self) -> bool:
        """Whether more than one outcome is the truth."""
        cases = (self.expect.get("cases") or {}).values()
        counts = self.expect.get("counts") or ()
        return (
            self.expect["reason"] == "*"
            or any(isinstance(one, list) for one in cases)
            or any("|" in words for words in counts)
        )

    def expected(self, *, retries: int) -> Mapping[str, Any]:
        again = self.expect.get("retried") if retries else None
        if again is None:
            return self.expect
        return {**self.expect, "reason": "*", "cases": None, "counts": None, **again}


def suites(kind: str) -> list[Suite]:
    found = []
    for path in sorted((CASES / kind).glob("*/expect.json")):
        expect = json.loads(path.read_text(encoding="utf-8"))
        assert expect.keys() <= KEYS, f"{path}: {expect.keys() - KEYS}"
        found.append(Suite(kind=kind, folder=path.parent, expect=expect))
    return found


def packable() -> list[Suite]:
    """Those of Playwright with the configuration that most of them have: one invocation can hold them all."""
    common = next(suite for suite in suites("playwright") if suite.name == "plain").folder / CONFIG
    return [
        suite
        for suite in suites("playwright")
        if suite.name not in LEFT_OUT and (suite.folder / CONFIG).read_text() == common.read_text()
    ]


def differences(test: Mapping[str, Any], expect: Mapping[str, Any]) -> Iterator[str]:
    """What is not as expected in one test of ``e2e-results.json``, in words."""
    status, reason = expect["status"], expect["reason"]
    if test["status"] != status:
        yield f"is {test['status']} ({test['reason']}: {test['error']}), should be {status}"
    elif reason != "*" and test["reason"] != reason:
        yield f"has the reason {test['reason']} ({test['error']}), should have {reason}"
    if "attempts" in expect and len(test["attempts"]) != expect["attempts"]:
        yield f"took {len(test['attempts'])} attempts, should take {expect['attempts']}"
    yield from _about_cases(test["cases"], expect)
    everything = json.dumps(test, ensure_ascii=False)
    squeezed = _squeezed(" ".join(_texts(test)))
    for words in expect.get("must_appear", ()):
        if _squeezed(words) not in squeezed:
            yield f"does not say {words!r}"
    if len(everything.encode("utf-8", "replace")) > expect.get("max_result_bytes", 1 << 20):
        yield f"its result has {len(everything)} letters"
    if test["duration"] > expect.get("max_seconds", 60):
        yield f"took {test['duration']:.1f} s"


def _about_cases(cases: list[Mapping[str, Any]], expect: Mapping[str, Any]) -> Iterator[str]:
    if expect.get("cases") is not None:
        left = {case["id"]: case["status"] for case in cases}
        for ending, wanted in expect["cases"].items():
            fitting = [one for one in left if one.endswith(ending)]
            if len(fitting) != 1:
                yield f"has {len(fitting)} cases that end in {ending!r} (there are {[*left.items()][:5]})"
                continue
            status = left.pop(fitting[0])
            if status not in (wanted if isinstance(wanted, list) else [wanted]):
                yield f"case {ending!r} is {status}, should be {wanted}"
        if left:
            yield f"has cases that nobody expects: {left}"
    counts = Counter(case["status"] for case in cases)
    for words, number in (expect.get("counts") or {}).items():
        if (found := sum(counts[word] for word in words.split("|"))) != number:
            yield f"has {found} cases that are {words}, should have {number} (there are {dict(counts)})"


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
