from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.config.values import (
    Refused,
    format_duration,
    format_size,
    parse_duration,
    parse_positive_duration,
    parse_size,
    parse_workers,
)

DURATIONS = {
    "a bare number counts seconds": ("90", 90.0),
    "a number stays what it is": (90, 90.0),
    "fractions are seconds too": (0.25, 0.25),
    "seconds": ("90s", 90.0),
    "minutes": ("5m", 300.0),
    "hours and minutes": ("1h30m", 5400.0),
    "blanks between the parts": (" 1h 30m ", 5400.0),
    "milliseconds": ("250ms", 0.25),
    "a fraction of a unit": ("1.5h", 5400.0),
    "capitals": ("5M", 300.0),
    "days": ("1d", 86400.0),
    "nothing at all": ("0", 0.0),
}
NO_DURATIONS = {
    "an unknown unit": "5x",
    "a unit alone": "m",
    "an empty text": "",
    "units in the wrong order": "30m1h",
    "the same unit twice": "1m1m",
    "a negative text": "-5s",
    "a negative number": -1,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "digits of another script": "\u0669\u0660s",
    "a clock": "1:30",
    "more than a year": "400d",
}


@pytest.mark.parametrize(("written", "seconds"), DURATIONS.values(), ids=DURATIONS.keys())
def test_a_duration_is_read_as(written, seconds):
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("written", NO_DURATIONS.values(), ids=NO_DURATIONS.keys())
def test_no_duration_is(written):
    with pytest.raises(Refused) as refused:
        parse_duration(written)
    assert refused.value.message.startswith("{value} ")
    assert refused.value.hint


def test_a_limit_leaves_some_time():
    with pytest.raises(Refused, match="no time at all"):
        parse_positive_duration("0s")
    assert parse_positive_duration("1ms") == 0.001


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.25, "250ms"), (90, "1m30s"), (5400, "1h30m"), (600, "10m"), (1.5, "1.5s")],
)
def test_durations_are_written_short(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=300_000))
def test_what_is_written_is_read_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused(text):
    with suppress(Refused):
        assert parse_duration(text) >= 0


@pytest.mark.parametrize(
    ("written", "workers"), [("auto", None), ("Auto", None), ("4", 4), (4, 4), (" 2 ", 2)]
)
def test_workers_are_a_number_or_auto(written, workers):
    assert parse_workers(written) == workers


@pytest.mark.parametrize("written", ["0", 0, -1, "-1", "1.5", "", "many", "٣", "9999999"])
def test_workers_are_at_least_one(written):
    with pytest.raises(Refused, match="number of workers"):
        parse_workers(written)


SIZES = {
    "bytes": ("4096", 4096),
    "a number": (4096, 4096),
    "bytes by name": ("10 B", 10),
    "mebibytes": ("500MiB", 500 << 20),
    "gibibytes": ("1GiB", 1 << 30),
    "megabytes": ("1MB", 1_000_000),
    "a letter": ("2k", 2000),
    "a fraction": ("1.5gib", 3 << 29),
    "terabytes": ("1TB", 10**12),
}


@pytest.mark.parametrize(("text", "size"), SIZES.values(), ids=SIZES.keys())
def test_a_size_is_written_in(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "big", "-1", "1 XiB", "1e9", "GiB", "0", "0MiB"])
def test_no_size(text):
    with pytest.raises(Refused):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3072.0 GiB")],
)
def test_a_size_is_said_as(size, text):
    assert format_size(size) == text
