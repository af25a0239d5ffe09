"""Which Playwright tests may share one invocation. docs/explanation/packed-playwright.md has the reasons."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from e2e_orchestrator.model.packs import Pack
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.runners.playwright_server import project_with_server
from e2e_orchestrator.runners.playwright_sources import Mentions, mentions, project_of
from e2e_orchestrator.runners.playwright_target import own_path

# Arguments that mean the same for many files as for one, with the number of values that follow; None
# stands for any number. What is not listed may count, select or stop over the whole run.
_HARMLESS: Mapping[str, int | None] = {
    "--browser": 1,
    "--config": 1,
    "--fail-on-flaky-tests": 0,
    "--forbid-only": 0,
    "--grep": 1,
    "--grep-invert": 1,
    "--headed": 0,
    "--ignore-snapshots": 0,
    "--no-deps": 0,
    "--project": None,
    "--quiet": 0,
    "--repeat-each": 1,
    "--reporter": 1,
    "--retries": 1,
    "--timeout": 1,
    "--trace": 1,
    "--tsconfig": 1,
    "-c": 1,
    "-g": 1,
    "-gv": 1,
}
_CONFIGURATION = frozenset({"-c", "--config"})
_FEWEST = 2


def packs(tests: Sequence[Test], *, slots: int) -> Iterator[Pack]:
    """Packs of at least two tests with equal folder, arguments and environment; the others run alone."""
    found: dict[Path, Mentions] = {}
    for group in _alike(tests):
        cwd = Path(os.path.realpath(group[0].cwd))
        project = project_of(cwd)
        members = _apart(test for test in group if _is_below(test, project))
        if len(members) < _FEWEST or not all_harmless(members[0].args):
            continue
        if project not in found:
            found[project] = mentions(project)
        alone = project_with_server(members[0]) is not None
        yield from _split(members, found[project], slots=slots, alone=alone)


def _alike(tests: Iterable[Test]) -> list[list[Test]]:
    groups: dict[object, list[Test]] = {}
    for test in tests:
        key = (test.runner, test.cwd, test.args, tuple(sorted(test.env.items())))
        groups.setdefault(key, []).append(test)
    return list(groups.values())


def _is_below(test: Test, project: Path) -> bool:
    path = own_path(test)
    return path is not None and path.is_relative_to(project)


def _apart(tests: Iterable[Test]) -> list[Test]:
    """Without a test whose files, or some of them, are also another's: a case must have one owner."""
    kept: list[Test] = []
    taken: list[Path] = []
    for test in tests:
        path = own_path(test)
        if path and not any(path.is_relative_to(one) or one.is_relative_to(path) for one in taken):
            kept.append(test)
            taken.append(path)
    return kept


def _split(tests: list[Test], found: Mentions, *, slots: int, alone: bool) -> Iterator[Pack]:
    """One pack over all slots; or one in each slot, where cases of a file must not meet or know their slot.

    One that must be ``alone`` is the only one: in a slot where a slot is known or the workers are fixed.
    """
    if found.unknown or found.own_world:
        return
    if alone and (found.own_slot or (found.fixed_workers and found.parallel)):
        yield Pack(tests=tuple(tests), width=1)
        return
    if alone or not (found.own_slot or (found.workers and found.parallel)):
        yield Pack(tests=tuple(tests), width=min(slots, len(tests)))
        return
    for slot in range(slots):
        share = tests[slot::slots]
        if len(share) >= _FEWEST:
            yield Pack(tests=tuple(share), width=1)


def all_harmless(args: Sequence[str]) -> bool:
    """Whether every argument is known to mean the same for a pack as for each of its tests."""
    rest = list(args)
    while rest:
        name, given, value = rest.pop(0).partition("=")
        wanted = _HARMLESS.get(name, 0)
        if name not in _HARMLESS or (given and wanted == 0):
            return False
        values = [value] if given else rest[: _values(rest) if wanted is None else wanted]
        if not given:
            del rest[: len(values)]
        # The sources beside a configuration elsewhere are not those that were looked through.
        if name in _CONFIGURATION and any(Path(one).is_absolute() or ".." in one for one in values):
            return False
    return True


def _values(words: Sequence[str]) -> int:
    """How many words there are before the next option."""
    return next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
