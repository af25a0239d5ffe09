"""Reads the report of pytest-json-report: the second witness beside the case stream.

An item's ``outcome`` is not to be believed: an interrupted case is ``passed`` there, and of two failures
only the last is named. The stages tell the truth.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e_orchestrator.model.outcomes import Case, CaseStatus
from e2e_orchestrator.parsers.text import message, short_id
from e2e_orchestrator.parsers.values import seconds, whole
from e2e_orchestrator.safety.regular import open_regular

_BIGGEST = 256 << 20
_STAGES = ("setup", "call", "teardown", "???")
_OUTCOMES = {
    "xfailed": CaseStatus.XFAILED,
    "xpassed": CaseStatus.XPASSED,
    "skipped": CaseStatus.SKIPPED,
    "rerun": CaseStatus.FLAKY,
    "retried": CaseStatus.FLAKY,
    "failed": CaseStatus.FAILED,
    "error": CaseStatus.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestReport:
    """``cases`` are those with a result; ``incomplete`` were begun only; ``collected`` names both and more."""

    exit_status: int | None
    cases: Mapping[str, Case]
    incomplete: frozenset[str] = frozenset()
    collected: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReport:
    """``why`` completes the sentence "the report ..."."""

    why: str


@dataclass(frozen=True, slots=True)
class _Item:
    nodeid: str
    case: Case | None


@dataclass(frozen=True, slots=True)
class _Collected:
    nodeid: str
    deselected: bool


@dataclass(slots=True)
class _Collectors:
    ids: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def read_report(path: Path) -> PytestReport | NoReport:
    """Read it only after the process has ended: it is written once, at the end."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _BIGGEST:
                return NoReport(why=f"has {size >> 20} MB, and more than {_BIGGEST >> 20} MB are not read")
            raw = json.loads(file.read().decode("utf-8"), object_hook=_compact)
    except FileNotFoundError:
        return NoReport(why="was not written")
    except OSError as error:
        return NoReport(why=f"cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        return NoReport(why="is cut off or no JSON")
    if not _is_report(raw):
        return NoReport(why="is JSON, but not a report of pytest-json-report with its tests and summary")
    return _parse(raw)


def _is_report(raw: object) -> bool:
    return (
        isinstance(raw, dict) and isinstance(raw.get("tests"), list) and isinstance(raw.get("summary"), dict)
    )


def _parse(raw: Mapping[str, Any]) -> PytestReport:
    cases: dict[str, Case] = {}
    incomplete: set[str] = set()
    for item in raw["tests"]:
        if isinstance(item, _Item):
            if item.case is None:
                incomplete.add(short_id(item.nodeid))
            else:
                cases[item.case.id] = item.case
    collectors = _collectors(raw.get("collectors"))
    return PytestReport(
        exit_status=whole(raw.get("exitcode")),
        cases=cases,
        incomplete=frozenset(incomplete),
        collected=tuple(collectors.ids),
        errors=tuple(collectors.errors),
    )


def _compact(raw: dict[str, Any]) -> object:
    """Keeps of each item only what is needed, while the rest is still being read: a fifth of the memory."""
    identity = raw.get("nodeid")
    if not isinstance(identity, str) or "result" in raw:
        return raw
    if "type" in raw:
        return _Collected(identity, bool(raw.get("deselected"))) if "lineno" in raw else None
    return _Item(identity, _case(raw)) if "lineno" in raw or "outcome" in raw else raw


def _collectors(raw: object) -> _Collectors:
    found = _Collectors()
    for one in raw if isinstance(raw, list) else []:
        if not isinstance(one, dict):
            continue
        if one.get("outcome") == "failed":
            found.errors.append(message(str(one.get("longrepr") or "")))
        results = one.get("result")
        for item in results if isinstance(results, list) else []:
            if isinstance(item, _Collected) and not item.deselected:
                found.ids.append(short_id(item.nodeid))
    return found


def _case(item: Mapping[str, Any]) -> Case | None:
    """None for a case that was still running when the process ended."""
    stages = {name: item[name] for name in _STAGES if isinstance(item.get(name), dict)}
    failed = [name for name, stage in stages.items() if stage.get("outcome") == "failed"]
    if not failed and "teardown" not in stages:
        return None
    outcome = str(item.get("outcome"))
    if failed:
        status = CaseStatus.FAILED if "call" in failed else CaseStatus.ERROR
    else:
        status = _OUTCOMES.get(outcome, CaseStatus.PASSED)
    longest = failed or (["call", "setup"] if status in (CaseStatus.SKIPPED, CaseStatus.XFAILED) else [])
    texts = [str(stages[name]["longrepr"]) for name in longest if stages.get(name, {}).get("longrepr")]
    line = whole(item.get("lineno"))
    return Case(
        id=short_id(item["nodeid"]),
        status=status,
        duration=sum(seconds(stage.get("duration")) for stage in stages.values()),
        message=message("\n\n".join(message(text) for text in texts)) or None,
        line=None if line is None or line < 0 else line + 1,
        # Whose set-up or teardown it was, only the plugin can tell.
        shared_failure=bool({"setup", "teardown"} & set(failed)),
    )
