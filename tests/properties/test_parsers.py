"""Whatever bytes a child leaves as evidence: they are read without an error, and the same in any pieces."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.model.outcomes import CaseStatus
from e2e_orchestrator.parsers.case_stream import CaseStreamReader, StreamEvent, read_stream
from e2e_orchestrator.parsers.junit import BadJUnit, read_junit
from e2e_orchestrator.parsers.pytest_report import NoReport, PytestReport, read_report
from e2e_orchestrator.parsers.text import ID_LIMIT, cut, short_id, unique
from e2e_orchestrator.runners.decision import all_cases

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        *(
            "session_started",
            "collected",
            "case_started",
            "case_retried",
            "case_finished",
            "session_finished",
        ),
        *("error", "collection_error", "internal_error", "interrupted", "stopped", "tomorrow"),
    ]
)
IDS = st.sampled_from(["a", "b", "c::d[x]", "x" * (ID_LIMIT + 1)])
EVENT = st.fixed_dictionaries(
    {"event": WORDS},
    optional={
        "id": IDS | ANY_JSON,
        "ids": st.lists(IDS | ANY_JSON, max_size=4) | ANY_JSON,
        "files": ANY_JSON,
        "status": st.sampled_from([*map(str, CaseStatus), "wonderful"]) | ANY_JSON,
        "duration": ANY_JSON,
        "message": ANY_JSON,
        "line": ANY_JSON,
        "attachments": st.lists(st.dictionaries(st.sampled_from(["name", "path"]), ANY_JSON)) | ANY_JSON,
        "exit_status": ANY_JSON,
        "deselected": ANY_JSON,
        "writer": st.sampled_from(["w", "v"]) | ANY_JSON,
    },
)
LINE = EVENT.map(lambda event: json.dumps(event).encode()) | ANY_JSON.map(
    lambda value: json.dumps(value).encode()
)
STREAM = st.lists(LINE | st.binary(max_size=20), max_size=12).map(b"\n".join)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(one % (len(data) + 1) for one in cuts)})
    return [data[begin:end] for begin, end in pairwise(at)]


@given(STREAM, st.lists(st.integers(min_value=0), max_size=8))
def test_a_stream_says_the_same_in_whatever_pieces_it_comes(data: bytes, cuts: list[int]) -> None:
    whole, torn = CaseStreamReader(), CaseStreamReader()
    events: list[StreamEvent] = [event for piece in in_pieces(data, cuts) for event in torn.feed(piece)]
    assert repr(events) == repr(whole.feed(data))  # Their text, because NaN does not equal itself.
    assert (torn.foreign, torn.garbage) == (whole.foreign, whole.garbage)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence") / "file"


@given(data=STREAM)
def test_a_stream_of_anything_gives_cases_that_are_named_once_and_have_a_status(
    file: Path, data: bytes
) -> None:
    file.write_bytes(data)
    evidence = read_stream(file)
    cases = all_cases(evidence, reported={}, running=CaseStatus.ERROR)
    assert len({case.id for case in cases}) == len(cases)
    assert all(isinstance(case.status, CaseStatus) and 0 <= case.duration < 1e9 for case in cases)
    assert all(len(case.id) <= ID_LIMIT for case in cases)
    assert {case.id for case in cases} >= {*evidence.running, *evidence.cases, *evidence.not_run}


STAGE = st.fixed_dictionaries({}, optional={"outcome": ANY_JSON, "duration": ANY_JSON, "longrepr": ANY_JSON})
ITEM = st.fixed_dictionaries(
    {"nodeid": IDS | ANY_JSON},
    optional={
        "outcome": st.sampled_from(["passed", "failed", "xfailed", "rerun", "subtests passed"]) | ANY_JSON,
        "lineno": ANY_JSON,
        **dict.fromkeys(("setup", "call", "teardown", "???"), STAGE | ANY_JSON),
    },
)
COLLECTOR = st.fixed_dictionaries(
    {},
    optional={
        "outcome": st.sampled_from(["passed", "failed", "skipped"]) | ANY_JSON,
        "longrepr": ANY_JSON,
        "result": st.lists(st.fixed_dictionaries({}, optional={"nodeid": ANY_JSON, "lineno": ANY_JSON}))
        | ANY_JSON,
    },
)
REPORT = st.fixed_dictionaries(
    {
        "tests": st.lists(ITEM | ANY_JSON, max_size=4),
        "summary": st.dictionaries(st.text(max_size=8), ANY_JSON),
    },
    optional={"exitcode": ANY_JSON, "collectors": st.lists(COLLECTOR | ANY_JSON, max_size=3) | ANY_JSON},
)


@given(report=REPORT)
def test_a_report_of_the_right_shape_is_read_whatever_its_values_are(file: Path, report: object) -> None:
    file.write_text(json.dumps(report), encoding="utf-8")
    found = read_report(file)
    assert isinstance(found, PytestReport)
    assert all(case.id == name and 0 <= case.duration < 1e9 * 4 for name, case in found.cases.items())


@given(data=st.binary() | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_a_report_of_anything_else_is_no_report_and_no_error(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    found = read_report(file)
    assert isinstance(found, NoReport)
    assert found.why


TAGS = st.sampled_from(
    [
        *(b"<testsuites>", b"</testsuites>", b'<testsuite failures="1">', b"</testsuite>", b"<testsuite/>"),
        *(b'<testcase name="a" time="nan">', b"</testcase>", b'<testcase classname="b" line="-1"/>'),
        *(b'<failure message="m">', b"</failure>", b"<skipped/>", b"<error>", b"</error>", b"<!DOCTYPE x>"),
        *(b"<![CDATA[", b"]]>", b"&lt;", b"&#0;", b"&x;", b"<?xml version='1.0' encoding='utf-16'?>"),
    ]
)


@given(data=st.lists(TAGS | st.binary(max_size=4), max_size=16).map(b"".join))
def test_xml_of_anything_is_read_or_refused(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    found = read_junit(file)
    assert found is not None
    if isinstance(found, BadJUnit):
        assert found.why
    else:
        assert len({case.id for case in found.cases}) == len(found.cases)


@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "b", ""]) | st.text(max_size=3)))
def test_names_are_made_different_and_the_first_keeps_its_own(names: list[str]) -> None:
    found = list(unique(names))
    assert len(set(found)) == len(names) == len(found)
    assert not names or found[0] == names[0]


@given(st.text(), st.integers(min_value=256, max_value=400), st.integers(min_value=1, max_value=100))
def test_what_is_cut_fits_its_limit_and_is_not_cut_again(text: str, limit: int, times: int) -> None:
    once = cut(text * times, limit=limit)
    assert len(once) <= limit
    assert cut(once, limit=limit) == once


@given(st.text(min_size=1, max_size=3), st.integers(min_value=1, max_value=ID_LIMIT))
def test_long_names_stay_different_and_are_shortened_once(letters: str, times: int) -> None:
    long, other = short_id(letters * times + "x" * ID_LIMIT), short_id(letters * times + "x" * (ID_LIMIT + 1))
    assert long != other
    assert len(long) <= ID_LIMIT
    assert short_id(long) == long
