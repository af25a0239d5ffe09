"""What a child left in its folder: text is masked whatever its name, and nothing else is touched."""

import os
from pathlib import Path

import pytest

from e2e_orchestrator.safety.folder import BIGGEST, holds_secret, mask_files
from e2e_orchestrator.safety.masking import Mask
from e2e_orchestrator.safety.redact import secret_values

SECRET = "hunter2-of-2024"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "results" / "runs" / "attempt-1"
    path.mkdir(parents=True)
    return path


def masked(folder: Path, *secrets: str) -> list[str]:
    root = folder.parents[1]
    return mask_files(folder, below=root, mask=Mask(secrets or [SECRET]), spared=folder / "output.log")


@pytest.mark.parametrize("name", ["report.json", "trace.har", "state.yaml", "noname", "deep/er/output.log"])
def test_text_is_masked_in_place_whatever_its_name(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"a {SECRET} ".encode() + b"\xff")
    path.chmod(0o640)
    assert masked(folder) == []
    assert path.read_bytes() == b"a *** \xff"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_with_nothing_to_mask_is_not_written_again(folder: Path) -> None:
    (folder / "plain.txt").write_text("nothing to see")
    before = (folder / "plain.txt").stat().st_ino
    masked(folder)
    assert (folder / "plain.txt").stat().st_ino == before


def test_the_output_and_binary_files_are_left_alone(folder: Path) -> None:
    (folder / "output.log").write_text(SECRET)
    (folder / "video.webm").write_bytes(b"\x1a\0\0" + SECRET.encode())
    assert masked(folder) == []
    assert (folder / "output.log").read_text() == SECRET
    assert SECRET.encode() in (folder / "video.webm").read_bytes()


def test_a_large_file_is_masked_in_pieces_that_split_no_secret(folder: Path) -> None:
    line = "x" * 1000 + SECRET
    (folder / "large.ndjson").write_text(line * 3000)
    masked(folder)
    assert (folder / "large.ndjson").read_text() == ("x" * 1000 + "***") * 3000


def test_what_is_too_large_is_said(folder: Path) -> None:
    (folder / "hole.txt").write_text("x" * 10_000)
    os.truncate(folder / "hole.txt", BIGGEST + 1)
    assert masked(folder) == ["hole.txt could not be masked: it is larger than 1 GiB"]


HOLDING = {
    "text with a secret": (f"a {SECRET}".encode(), True),
    "text in which it was masked": (b"a ***, Authorization: ***", False),
    "text without one": (b"a word", False),
    "a binary file, of which nobody knows": (b"PK\0" + SECRET.encode(), False),
    "a secret far behind the beginning": (b"x" * 300_000 + SECRET.encode(), True),
}


@pytest.mark.parametrize(("data", "holds"), HOLDING.values(), ids=HOLDING.keys())
def test_it_is_known_whether_a_file_may_leave(folder: Path, data: bytes, holds: bool) -> None:
    path = folder / "artifact"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert holds_secret(file, Mask([SECRET])) is holds


def test_a_text_that_is_too_large_to_be_masked_may_not_leave(folder: Path) -> None:
    path = folder / "hole.txt"
    path.write_text("x" * 10_000)
    os.truncate(path, BIGGEST + 1)
    with path.open("rb") as file:
        assert holds_secret(file, Mask([SECRET]))


def test_no_link_out_of_the_folder_is_followed(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "settings.json").write_text(SECRET)
    (folder / "file.json").symlink_to(victim / "settings.json")
    (folder / "sub").symlink_to(victim)
    os.link(victim / "settings.json", folder / "hard.json")
    masked(folder)
    assert (victim / "settings.json").read_text() == SECRET
    assert (folder / "hard.json").read_text() == "***"


@pytest.mark.parametrize("replaced", ["the folder itself", "one above it"])
def test_a_folder_that_was_replaced_by_a_link_is_not_entered_and_that_is_said(
    folder: Path, tmp_path: Path, replaced: str
) -> None:
    victim = tmp_path / "victim"
    (victim / folder.name).mkdir(parents=True)
    (victim / folder.name / "settings.json").write_text(SECRET)
    folder.rmdir()
    if replaced == "the folder itself":
        folder.symlink_to(victim / folder.name)
    else:
        folder.parent.rmdir()
        folder.parent.symlink_to(victim)
    [said] = masked(folder)
    assert "link leads elsewhere" in said
    assert (victim / folder.name / "settings.json").read_text() == SECRET


def test_a_folder_that_the_child_removed_is_no_trouble(folder: Path) -> None:
    folder.rmdir()
    assert masked(folder) == []


def test_pipes_and_devices_are_no_files(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    assert masked(folder) == []


SPELLINGS = {
    "XML text": "tok&amp;5f1d&lt;9c\"77'e0",
    "an XML attribute": "tok&amp;5f1d&lt;9c&quot;77'e0",
    "an HTML attribute": "tok&amp;5f1d&lt;9c&#34;77&#39;e0",
    "an HTML attribute of the standard library": "tok&amp;5f1d&lt;9c&quot;77&#x27;e0",
    "a representation": "tok&5f1d<9c\"77\\'e0",
    "a representation in XML": "tok&amp;5f1d&lt;9c\"77\\'e0",
    "a representation in JSON": "tok&5f1d<9c\\\"77\\\\'e0",
    "JSON in an attribute": "tok&amp;5f1d&lt;9c\\&#34;77&#39;e0",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_secret_is_masked_in_the_spellings_of_reports(folder: Path, spelling: str) -> None:
    (folder / "junit.xml").write_text(f"<a>{spelling}</a>")
    masked(folder, *secret_values({"A_TOKEN": "tok&5f1d<9c\"77'e0"}))
    assert (folder / "junit.xml").read_text() == "<a>***</a>"
