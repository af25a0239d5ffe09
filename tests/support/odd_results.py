"""What may stand in a result file that others wrote, and what has to be said of it: by the program and by its page."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Place = tuple[str | int, ...]

GOOD: Mapping[str, Any] = {
    "schema": 1,
    "run_id": "20260228-090000-000001",
    "timestamp": "2026-02-28T09:00:00+00:00",
    "exit_code": 1,
    "phases": [
        {
            "name": "p",
            "tests": [
                {
                    "name": "bad",
                    "status": "failed",
                    "reason": "test_failures",
                    "duration": 1.5,
                    "error": "assert 1 == 2",
                    "cases": [{"id": "t.py::test_a", "status": "failed", "message": "assert 1 == 2"}],
                },
                {
                    "name": "good",
                    "status": "passed",
                    "reason": None,
                    "duration": 0.5,
                    "error": None,
                    "cases": [{"id": "t.py::test_b", "status": "passed", "message": None}],
                },
            ],
        }
    ],
}
TEST: Place = ("phases", 0, "tests", 0)
CASE: Place = (*TEST, "cases", 0)
MISSING = object()

_STATUSES = "one of passed, failed, skipped"
_TEST, _CASE = "phases[0].tests[0]", "phases[0].tests[0].cases[0]"

ODD: Mapping[str, tuple[Place, Any, str]] = {
    "a schema in words": (("schema",), "1", "schema must be a whole number from 0 to 1000000, but is a text"),
    "half a schema": (("schema",), 1.5, "schema must be a whole number from 0 to 1000000"),
    "a schema that is true": (("schema",), True, "but is true or false"),
    "no schema": (("schema",), MISSING, "schema is missing"),
    "a newer schema": (("schema",), 9, "was written by a newer version: its schema is 9"),
    "a number for an id": (("run_id",), 20260228, "run_id must be a text, but is a number"),
    "a list for an id": (("run_id",), ["a"], "run_id must be a text, but is a list"),
    "no id": (("run_id",), MISSING, "run_id is missing"),
    "a timestamp in seconds": (("timestamp",), 1772269200, "timestamp must be a text, but is a number"),
    "an exit code in words": (("exit_code",), "1", "exit_code must be a whole number from 0 to 255, but is"),
    "an exit code beyond all": (("exit_code",), 10**400, "exit_code must be a whole number from 0 to 255"),
    "an exit code below zero": (("exit_code",), -9, "exit_code must be a whole number from 0 to 255"),
    "an exit code that is false": (("exit_code",), False, "but is true or false"),
    "phases that are null": (("phases",), None, "phases must be a list, but is null"),
    "phases by name": (("phases",), {"p": []}, "phases must be a list, but is a mapping"),
    "phases in a list of their own": (("phases", 0), [], "phases[0] must be a mapping, but is a list"),
    "a phase in a word": (("phases", 0), "p", "phases[0] must be a mapping, but is a text"),
    "a phase without a name": (("phases", 0, "name"), MISSING, "phases[0].name is missing"),
    "a phase with a number": (("phases", 0, "name"), 7, "phases[0].name must be a text, but is a number"),
    "tests that are null": (("phases", 0, "tests"), None, "phases[0].tests must be a list, but is null"),
    "no tests": (("phases", 0, "tests"), MISSING, "phases[0].tests is missing"),
    "a test that is null": (TEST, None, f"{_TEST} must be a mapping, but is null"),
    "a nested test": (TEST, [[{}]], f"{_TEST} must be a mapping, but is a list"),
    "a test with a number": ((*TEST, "name"), 1.5, f"{_TEST}.name must be a text, but is a number"),
    "a status that is none": ((*TEST, "status"), "FAILED", f"{_TEST}.status must be {_STATUSES}"),
    "a status that goes on": ((*TEST, "status"), "running", f"{_TEST}.status must be {_STATUSES}"),
    "a status in a list": (
        (*TEST, "status"),
        ["failed"],
        f"{_TEST}.status must be {_STATUSES}, but is a list",
    ),
    "a reason in a mapping": (
        (*TEST, "reason"),
        {"a": 1},
        f"{_TEST}.reason must be a text, but is a mapping",
    ),
    "a duration in words": (
        (*TEST, "duration"),
        "1s",
        f"{_TEST}.duration must be a number of seconds, but is",
    ),
    "a duration before zero": ((*TEST, "duration"), -1, f"{_TEST}.duration must be a number of seconds"),
    "a duration for ever": ((*TEST, "duration"), 10**400, f"{_TEST}.duration must be a number of seconds"),
    "no duration": ((*TEST, "duration"), MISSING, f"{_TEST}.duration is missing"),
    "an error as an object": (
        (*TEST, "error"),
        {"m": "x"},
        f"{_TEST}.error must be a text, but is a mapping",
    ),
    "cases that are null": ((*TEST, "cases"), None, f"{_TEST}.cases must be a list, but is null"),
    "cases that are counted": ((*TEST, "cases"), 12, f"{_TEST}.cases must be a list, but is a number"),
    "a case that is its name": (CASE, "t.py::test_a", f"{_CASE} must be a mapping, but is a text"),
    "a case without an id": ((*CASE, "id"), None, f"{_CASE}.id must be a text, but is null"),
    "a case of no status": (
        (*CASE, "status"),
        "bad",
        f"{_CASE}.status must be one of passed, failed, error,",
    ),
    "a message as an object": ((*CASE, "message"), {"text": "x"}, f"{_CASE}.message must be a text, but is"),
    "a message in lines": ((*CASE, "message"), ["a", "b"], f"{_CASE}.message must be a text, but is a list"),
    "an odd case of a good test": (
        ("phases", 0, "tests", 1, "cases", 0, "id"),
        True,
        "phases[0].tests[1].cases[0].id must be a text, but is true or false",
    ),
}


def with_part(place: Place, value: Any) -> dict[str, Any]:
    """The good results, with this at that place."""
    results: Any = deepcopy(dict(GOOD))
    into = results
    for step in place[:-1]:
        into = into[step]
    if value is MISSING:
        del into[place[-1]]
    else:
        into[place[-1]] = value
    assert isinstance(results, dict)
    return results


def odd_file(name: str) -> tuple[str, str]:
    """A text for a file, and what has to be said of it."""
    place, value, says = ODD[name]
    return json.dumps(with_part(place, value)), says
