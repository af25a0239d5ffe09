"""What a child left behind is only read if it is a plain file."""

import os
from pathlib import Path

import pytest

from e2e_orchestrator.parsers.case_stream import MOST_BYTES, read_stream
from e2e_orchestrator.parsers.junit import BadJUnit, read_junit
from e2e_orchestrator.parsers.pytest_report import NoReport, read_report
from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.safety.regular import open_regular

TRAPS = {
    "a pipe that nobody writes into": os.mkfifo,
    "a device that never ends": lambda path: path.symlink_to("/dev/zero"),
    "a folder": os.mkdir,
    "a link to nowhere": lambda path: path.symlink_to("/nowhere/at/all"),
}


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"text"


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS.keys())
def test_a_trap_is_refused_at_once_by_every_reader(tmp_path: Path, trap: object) -> None:
    path = tmp_path / "trap"
    assert callable(trap)
    trap(path)
    with pytest.raises(OSError, match=r"not a file|No such file"):
        open_regular(path)
    assert isinstance(read_report(path), NoReport)
    assert read_junit(path) is None or isinstance(read_junit(path), BadJUnit)
    assert not read_stream(path).spoken
    assert not tail_of(path)


def test_a_hole_of_a_terabyte_in_the_stream_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "session_started"}\n')
    os.truncate(path, MOST_BYTES << 10)
    evidence = read_stream(path)
    assert evidence.overflow
    assert evidence.started is not None
