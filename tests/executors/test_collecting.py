"""What an attempt keeps of the files that it was asked to leave, and what it says of the others."""

from pathlib import Path

import pytest

from e2e_orchestrator.executors import artifacts
from e2e_orchestrator.executors.artifacts import Collected, collect
from e2e_orchestrator.model.command import AttemptSpec


def collected(tmp_path: Path, sizes: dict[str, int]) -> Collected:
    cwd, folder = tmp_path / "cwd", tmp_path / "out" / "attempt"
    cwd.mkdir()
    folder.mkdir(parents=True)
    for name, size in sizes.items():
        (cwd / name).write_bytes(b"x" * size)
    spec = AttemptSpec(
        number=1,
        max_attempts=1,
        run_id="r",
        slot=0,
        slot_count=1,
        folder=folder,
        output_root=tmp_path / "out",
    )
    return collect(["*"], cwd=cwd, spec=spec, before={})


def names(found: Collected) -> list[str]:
    return [one.name for one in found.attachments]


def test_a_file_that_is_too_big_leaves_room_for_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "_BIGGEST", 2_000_000)
    found = collected(tmp_path, {"a.txt": 5, "b.mp4": 2_000_001, "c.png": 7, "d.bin": 1_999_999, "e.txt": 1})
    assert names(found) == ["a.txt", "c.png", "e.txt"]
    assert found.left == (
        "b.mp4: an attempt keeps at most 2 MB",
        "d.bin: an attempt keeps at most 2 MB",
    )


def test_every_file_beyond_the_most_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "_MOST", 1)
    found = collected(tmp_path, dict.fromkeys("abc", 1))
    assert names(found) == ["a"]
    assert found.left == ("b: an attempt keeps at most 1 files", "c: an attempt keeps at most 1 files")
