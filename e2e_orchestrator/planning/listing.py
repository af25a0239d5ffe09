"""The tests of a phase as the file gives them: a mapping, or a list of names, paths and globs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from e2e_orchestrator.config.mistakes import suggestion
from e2e_orchestrator.config.schema import Runner, TestDetails
from e2e_orchestrator.planning.naming import name_targets
from e2e_orchestrator.planning.surroundings import Surroundings, is_glob

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A test with its name, its details, and the way to its place in the file."""

    name: str
    details: TestDetails
    keys: Keys


class Note(Protocol):
    def __call__(self, *keys: str | int, says: str, hint: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFrom:
    """The runner whose named tests a list may use, and the absolute folder where paths start."""

    name: str
    spec: Runner
    folder: Path


def expand(
    tests: dict[str, TestDetails] | tuple[str, ...],
    *,
    keys: Keys,
    runner: ListedFrom,
    surroundings: Surroundings,
    note: Note,
) -> list[Entry]:
    """The phase's tests in order; what is wrong with the list goes to ``note``, with its place."""
    if isinstance(tests, dict):
        return [Entry(name=name, details=details, keys=(*keys, name)) for name, details in tests.items()]
    listing = _Listing(runner, surroundings=surroundings, note=note)
    for index, text in enumerate(tests):
        listing.take(text, keys=(*keys, index))
    return listing.entries()


@dataclass(slots=True)
class _Listed:
    """``name`` is None for a path, which gets one when all of them are known."""

    name: str | None
    details: TestDetails
    keys: Keys


class _Listing:
    def __init__(self, runner: ListedFrom, *, surroundings: Surroundings, note: Note) -> None:
        self._runner, self._note = runner.spec, note
        self._runner_keys: Keys = ("runners", runner.name, "tests")
        self._folder, self._surroundings = runner.folder, surroundings
        self._listed: list[_Listed] = []
        self._written: set[str] = set()

    def take(self, text: str, *, keys: Keys) -> None:
        if text in self._written:
            self._note(*keys, says=f"`{text}` is listed twice", hint="names are unique in a phase")
            return
        self._written.add(text)
        if text in self._runner.tests:
            self._listed.append(
                _Listed(name=text, details=self._runner.tests[text], keys=(*self._runner_keys, text))
            )
        elif self._runner.kind == "django":  # A label is no path, and is as good a name as any.
            self._listed.append(_Listed(name=text, details=TestDetails(target=text), keys=keys))
        elif self._is_pattern(text):
            self._take_pattern(text, keys=keys)
        elif self._is_name(text):
            hint = suggestion(text, self._runner.tests, otherwise="the runner's `tests` are")
            self._note(*keys, says=f"`{text}` is no test of the runner, and no such file exists", hint=hint)
        else:
            self._take_path(text, keys=keys)

    def entries(self) -> list[Entry]:
        """All of them, named. A path that was listed by itself and matched by a glob stands once."""
        paths = [listed.details.target for listed in self._listed if listed.name is None]
        taken = {listed.name for listed in self._listed if listed.name is not None}
        names = iter(name_targets(paths, taken=taken))
        entries: dict[str, Entry] = {}
        for listed in self._listed:
            name = listed.name if listed.name is not None else next(names)
            if name in entries:
                first = entries[name].details.target
                says = f"the test `{name}` stands here already, for `{first}`"
                self._note(*listed.keys, says=says, hint="write a mapping with names of your own")
            entries[name] = Entry(name=name, details=listed.details, keys=listed.keys)
        return list(entries.values())

    def _take_path(self, path: str, *, keys: Keys) -> None:
        self._listed.append(_Listed(name=None, details=TestDetails(target=path), keys=keys))

    def _take_pattern(self, pattern: str, *, keys: Keys) -> None:
        found = self._surroundings.glob(self._folder, pattern)
        if not found and self._surroundings.is_folder(self._folder):
            self._note(*keys, says=f"`{pattern}` matches no file", hint=f"looked for in {self._folder}")
        present = {listed.details.target for listed in self._listed}
        for path in found:
            if path not in present:
                self._take_path(path, keys=keys)

    def _is_pattern(self, text: str) -> bool:
        path = text.partition("::")[0]
        # Brackets stand in the names of real files too, such as pages/[id].spec.ts.
        return is_glob(path) and "::" not in text and not self._surroundings.exists(self._folder / path)

    def _is_name(self, text: str) -> bool:
        """Whether it can only be a misspelt name: the runner has named tests, and no file is called so."""
        plain = not set(text) & set("/.:")
        return plain and bool(self._runner.tests) and not self._surroundings.exists(self._folder / text)
