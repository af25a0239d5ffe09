"""Files that appear whole or not at all."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from e2e_orchestrator.safety.files import copy_whole, write_where_told, write_whole


def test_writes_the_file_and_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "results.json"
    write_whole(path, b"{}")
    assert path.read_bytes() == b"{}"


def test_replaces_what_was_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(b"old")
    write_whole(path, b"new")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("results.json", b"new")]


def test_the_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    write_whole(tmp_path / "ours", b"")
    (tmp_path / "theirs").write_bytes(b"")
    ours, theirs = ((tmp_path / name).stat().st_mode for name in ("ours", "theirs"))
    assert stat.S_IMODE(ours) == stat.S_IMODE(theirs)


def test_a_failure_leaves_the_old_file_and_no_remains(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.mkdir()
    with pytest.raises(OSError, match="results"):
        write_whole(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["results.json"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file" / "results.json", b"")


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious"


def test_copies_in_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(os.urandom(3_000_000))
    copy_whole(tmp_path / "source", tmp_path / "deep" / "copy")
    assert (tmp_path / "deep" / "copy").read_bytes() == (tmp_path / "source").read_bytes()


def test_a_source_that_is_gone_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_whole(tmp_path / "gone", tmp_path / "deep" / "copy")
    assert list(tmp_path.iterdir()) == []


def test_where_the_user_says_a_link_leads_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for data in (b"first", b"second"):
        write_where_told(tmp_path / "link", data)
        assert (tmp_path / "target").read_bytes() == data
    assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    path, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(path)
    (tmp_path / "link").symlink_to(path)
    # Opened for both, it does not wait for the other end.
    descriptor = os.open(path, os.O_RDWR)
    reader = threading.Thread(target=lambda: read.append(_read(descriptor, 300_000)))
    reader.start()
    write_where_told(tmp_path / "link", b"x" * 300_000)
    reader.join()
    os.close(descriptor)
    assert read == [b"x" * 300_000]
    assert stat.S_ISFIFO(path.stat().st_mode)


def _read(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += os.read(descriptor, size)
    return data


def test_a_pipe_that_nobody_reads_is_an_error_and_not_a_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe"):
        write_where_told(tmp_path / "pipe", b"new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


STANDARD_OUTPUT = """
from pathlib import Path
from e2e_orchestrator.safety.files import write_where_told
print("before")
write_where_told(Path("link"), b"data\\n")
print("after")
"""


@pytest.mark.parametrize("into", ["a file", "a pipe"])
def test_standard_output_is_written_between_what_is_printed(tmp_path: Path, into: str) -> None:
    (tmp_path / "link").symlink_to("/dev/fd/1")  # What /dev/stdout is; that one belongs to everybody.
    argv = [sys.executable, "-c", STANDARD_OUTPUT]
    if into == "a pipe":
        said = subprocess.run(argv, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout
    else:
        with (tmp_path / "out").open("wb") as out:
            subprocess.run(argv, cwd=tmp_path, stdout=out, check=True)
        said = (tmp_path / "out").read_bytes()
    assert said == b"before\ndata\nafter\n"
