"""The ways in which a run can be carried out, and what a suite came to in one of them.

Warm or cold, packed or not, in one order or another, one, two or eight at a time: ``WAYS`` holds every pair of these
choices.
"""

import json
import math
import random
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.catalogue import CONFIG, LEFT_BEHIND, Suite
from corpus.running import World, run

from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.model import events


@dataclass(frozen=True, kw_only=True)
class Way:
    """``seed`` makes the order; None is that of the file."""

    warm: str
    pack: str
    workers: int
    seed: int | None

    def __str__(self) -> str:
        order = "in the file's order" if self.seed is None else f"shuffled with the seed {self.seed}"
        return f"warm {self.warm}, pack {self.pack}, {self.workers} at a time, {order}"

    @property
    def choices(self) -> tuple[str, str, int, bool]:
        return self.warm, self.pack, self.workers, self.seed is not None

    def order(self, suites: Sequence[Suite]) -> list[Suite]:
        suites = [*suites]
        if self.seed is not None:
            random.Random(self.seed).shuffle(suites)
        return suites


WAYS = (
    Way(warm="off", pack="off", workers=8, seed=None),
    Way(warm="on", pack="auto", workers=8, seed=1),
    Way(warm="on", pack="auto", workers=2, seed=None),
    Way(warm="off", pack="off", workers=2, seed=2),
    Way(warm="off", pack="auto", workers=1, seed=None),
    Way(warm="on", pack="off", workers=1, seed=3),
)


OWN: Mapping[str, Mapping[str, str]] = {"pytest": {"python": sys.executable}, "playwright": {}}
# What hangs is a configuration, which nobody else can have.
APART = {"playwright/hangs_in_set_up"}


def carry_out(
    folder: Path, way: Way, suites: Sequence[Suite], *, patience: Callable[[Suite], float], config: Path
) -> World:
    """A run over the suites, in their order; ``config`` is the one that those of Playwright share."""
    in_file = sorted(suites, key=lambda suite: (suite.kind != "pytest", suite.name))
    planned = _planned(folder, in_file, patience=patience)
    if (folder / "playwright").exists():
        shutil.copy(config, folder / "playwright" / CONFIG)
    _remember(folder / "durations.json", suites)
    choices = ("--warm", way.warm, "--pack", way.pack, "--workers", str(way.workers))
    world = run(folder, planned, *choices, "--durations", "durations.json")
    assert world.exit_code in (0, 3), world.printed
    return world


def _planned(folder: Path, suites: Sequence[Suite], *, patience: Callable[[Suite], float]) -> dict[str, Any]:
    """All suites of a kind below one folder: the same arguments and environment, one Playwright configuration."""
    phases: dict[str, dict[str, Any]] = {}
    for suite in suites:
        shutil.copytree(suite.folder, folder / suite.place)
        args = [*suite.expect.get("args", [])]
        if suite.place in APART:
            args += ["--config", f"{suite.name}/{CONFIG}"]
        elif suite.kind == "playwright":
            (folder / suite.place / CONFIG).unlink()
        phase = phases.setdefault(
            suite.kind,
            {"name": suite.kind, "runner": suite.kind, "required": False, "timeout": "1h", "tests": {}},
        )
        phase["tests"][suite.name] = {
            "target": f"{suite.name}/{suite.target}",
            "timeout": patience(suite),
            "env": suite.expect.get("env", {}),
            "args": args,
        }
    return {
        "version": 1,
        "project": "corpus",
        "timeout": "1h",
        "retries": 0,
        "runners": {kind: {"kind": kind, "cwd": kind, **OWN[kind]} for kind in phases},
        "phases": [*phases.values()],
    }


def _remember(path: Path, order: Sequence[Suite]) -> None:
    """Durations by which the run starts the tests of a phase in this order, the longest first."""
    tests = [
        {
            "id": suite.place,
            "kind": suite.kind,
            "target": f"{suite.name}/{suite.target}",
            "seconds": [float(len(order) - at)],
        }
        for at, suite in enumerate(order)
    ]
    path.write_text(json.dumps({"schema": 1, "tests": tests}))


def expected(suite: Suite, way: Way) -> Mapping[str, Any]:
    """Without how long it may take, which eight at a time say nothing about."""
    expect = {**suite.expected(retries=0), "max_seconds": math.inf}
    if way.pack == "auto" and suite.name in LEFT_BEHIND:
        return {**expect, "must_appear": []}
    return expect


def outcome(test: Mapping[str, Any]) -> tuple[Any, ...]:
    """Of the test and of each case; one suite has the time of its start in the names of its cases."""
    cases = [
        (re.sub(r"\d{12,}", "NOW", one["id"]), one["status"], one["file"], one["line"])
        for one in test["cases"]
    ]
    return test["status"], test["reason"], sorted(cases, key=repr)


def confirm(world: World, way: Way, suites: Sequence[Suite]) -> None:
    """The run was carried out in this way, and the suites in this order."""
    (journal,) = (world.output / "runs").glob("*/journal.jsonl")
    every = [one.event for one in JournalReader(Path(journal))]
    begun = [*dict.fromkeys(one.test for one in every if isinstance(one, events.AttemptStarted))]
    kinds = ("pytest", "playwright") if way.pack == "off" else ("pytest",)  # A pack has an order of its own.
    ordered = [suite.place for kind in kinds for suite in suites if suite.kind == kind]
    assert begun[: len(ordered)] == ordered
    held = {suite.kind for suite in suites}
    chosen = [one for one in every if isinstance(one, events.StartChosen)]
    assert any(one.way == "warm" for one in chosen) == (way.warm == "on" and "pytest" in held)
    # One suite empties its environment, which packages of this interpreter may have read at their import.
    cold = [one.why for one in chosen if one.way == "cold"]
    assert not [why for why in cold if not why.startswith("started again: the project sets ")], cold
    packed = bool([*journal.parent.glob("packs/*/pack.json")])
    assert packed == (way.pack == "auto" and "playwright" in held)
    starts = [one for one in every if isinstance(one, events.RunStarted)]
    assert [one.plan.workers for one in starts] == [way.workers]
