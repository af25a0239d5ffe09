"""When output came, by the notes of the keeper: of long files, torn ones, and under a clock that was set."""

from pathlib import Path

import pytest

from e2e_orchestrator.process.came import Times, times_of


def noted(tmp_path: Path, text: bytes) -> Path:
    path = tmp_path / "api.log.times"
    path.write_bytes(text)
    return path


@pytest.mark.parametrize("number", [1, 50, 20_000], ids=lambda number: f"{number} notes")
def test_every_byte_has_the_time_of_the_note_before_it(number: int, tmp_path: Path) -> None:
    path = noted(tmp_path, b"".join(b"%.3f %d\n" % (1000 + at, 10 * at) for at in range(number)))
    for at in {0, 1, number // 3, number - 1} & set(range(number)):
        byte = 10 * at + 9
        assert times_of(path, begin=byte, end=byte + 1).at(byte) == 1000 + at
        assert times_of(path, begin=10 * at, end=byte).at(10 * at) == 1000 + at


def test_of_more_notes_than_are_read_the_rest_is_unknown_and_not_wrong(tmp_path: Path) -> None:
    path = noted(tmp_path, b"".join(b"%.3f %d\n" % (1000 + at, at) for at in range(60_000)))
    times = times_of(path, begin=0, end=60_000)
    assert times.at(100) == 1100
    assert times.at(59_999) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"5.0 0\n9.0 10\n7.0 20\n", 7.0, id="a clock that was set back is told as it was"),
        pytest.param(b"5.0 0\nnonsense\n\x00\xff\n6.0 20\n7.", 6.0, id="torn and foreign lines are no notes"),
        pytest.param(b"5.0 0\n" + b"x" * 9_000 + b"\n6.0 20\n", 6.0, id="nor is one that never ends"),
        pytest.param(b"5.0 30\n", None, id="before the first note nothing is known"),
        pytest.param(b"", None, id="nor without any"),
    ],
)
def test_notes_as_they_may_be(text: bytes, expected: float | None, tmp_path: Path) -> None:
    assert times_of(noted(tmp_path, text), begin=0, end=100).at(25) == expected


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert times_of(tmp_path / "nothing", begin=0, end=10) == Times()
    assert times_of(tmp_path, begin=0, end=10) == Times()


def test_the_first_byte_after_a_second(tmp_path: Path) -> None:
    times = times_of(noted(tmp_path, b"5.0 0\n6.0 10\n7.0 20\n"), begin=0, end=30)
    assert times.first_after(5.5) == 10
    assert times.first_after(7.0) is None
