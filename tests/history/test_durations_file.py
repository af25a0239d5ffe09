"""The file of durations: readable, replaced whole, and never the reason for a failure."""

import json
import os
from pathlib import Path

import pytest
from support.journals import a_run, written
from support.stories import flaky, our_crash

from e2e_orchestrator.history.durations import recall, remember
from e2e_orchestrator.history.learning import from_journals
from e2e_orchestrator.planning.durations import Durations, Key

A, B = (Key(id=f"p/{name}", kind="command", target=name) for name in "ab")


def test_what_is_remembered_is_recalled(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "durations.json"
    assert remember(path, Durations({A: (1.5,), B: (2.0,)})) is None
    assert remember(path, Durations({A: (1.25,)})) is None
    told = recall(path)
    assert told.durations.samples == {B: (2.0,), A: (1.5, 1.25)}
    assert told.warnings == ()
    assert len(path.read_text().splitlines()) == 4, "one line a test"
    assert [one.name for one in path.parent.iterdir()] == ["durations.json"]


def test_a_run_that_teaches_nothing_makes_no_file(tmp_path: Path) -> None:
    assert remember(tmp_path / "x.json", Durations()) is None
    assert not list(tmp_path.iterdir())


ENTRY = {"id": "p/a", "kind": "command", "target": "a"}
OTHERS = {
    "no JSON": "{",
    "text": "hello",
    "another file": "[1, 2]",
    "a package": json.dumps({"name": "shop", "dependencies": {}}),
    "nested without end": "[" * 100_000,
    "a newer version": json.dumps({"schema": 2, "tests": []}),
}
BROKEN = {
    "an empty file": "",
    "a file that was cut": '{"schema": 1, "tests": [\n{"id": "p/a", "ki',
    "a test without a name": json.dumps({"schema": 1, "tests": [{"seconds": [1]}]}),
    "a duration that is none": json.dumps({"schema": 1, "tests": [{**ENTRY, "seconds": ["1"]}]}),
    "an endless duration": '{"schema": 1, "tests": [{"id": "a", "kind": "b", "target": "c", "seconds": [1e999]}]}',
    "a negative duration": json.dumps({"schema": 1, "tests": [{**ENTRY, "seconds": [-1]}]}),
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS.keys())
def test_what_somebody_else_wrote_is_a_warning_and_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "durations.json"
    path.write_text(text)
    told = recall(path, output=tmp_path)
    assert (told.durations, len(told.warnings)) == (Durations(), 1)
    assert f"{path} holds something else" in (remember(path, Durations({A: (1.0,)})) or "")
    assert path.read_text() == text


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_a_warning_and_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "durations.json"
    path.write_text(text)
    told = recall(path, output=tmp_path)
    assert told.durations == Durations()
    assert len(told.warnings) == 1
    assert str(path) in told.warnings[0]
    assert remember(path, Durations({A: (1.0,)})) is None
    assert recall(path).durations.samples == {A: (1.0,)}


def test_a_place_that_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert recall(tmp_path / "folder").warnings
    os.mkfifo(tmp_path / "pipe")
    assert recall(tmp_path / "pipe").warnings, "nobody waits at it"
    (tmp_path / "file").touch()
    assert "cannot be written" in (remember(tmp_path / "file" / "x.json", Durations({A: (1.0,)})) or "")


def test_without_the_file_the_journals_say_the_same(tmp_path: Path) -> None:
    output = tmp_path / "out"
    written(output / "runs" / "20260301-120000-a1b2c3", flaky())
    written(output / "runs" / "20260301-130000-a1b2c3", our_crash())
    a_run(output, "20260301-140000-a1b2c3")
    told = from_journals(output)
    assert told == recall(tmp_path / "nowhere.json", output=output).durations
    assert {key.id for key in told.samples} >= {"health/redis_health", "backend_smoke/login"}
    assert "performance/speed" not in {key.id for key in told.samples}, "it failed"
    assert recall(tmp_path / "nowhere.json").durations == Durations()
