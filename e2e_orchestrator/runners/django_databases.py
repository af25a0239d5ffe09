"""One test database for each slot of a run, and their end with it; what Django does about it is the shim's."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from e2e_orchestrator.model.command import AttemptSpec, Command
from e2e_orchestrator.model.names import DATABASES
from e2e_orchestrator.model.plan import RunnerSpec, Test

MANAGE = Path(__file__).parent / "shims" / "django_manage.py"
_HOME = Path(DATABASES).parent.name
_KEEPING = frozenset({"--keepdb", "--reuse-db"})


class SlotDatabases:
    """Remembers with which interpreter and environment the databases of a run were made: they end by the same."""

    def __init__(self, spec: RunnerSpec) -> None:
        self._spec = spec
        self._makers: dict[tuple[str, str, tuple[tuple[str, str], ...]], Mapping[str, str]] = {}

    def claim(self, test: Test, spec: AttemptSpec, *, python: str) -> dict[str, str]:
        """The variables that tell the shim what it must not touch, and where it is unless databases are shared."""
        guarded = self._guarded()
        if not self._spec.slot_databases:
            return guarded
        self.expect(test, python=python)
        keep = self._spec.keepdb or bool(_KEEPING & set(test.args))
        home = spec.output_root / "runs" / spec.run_id / _HOME
        switches = {"E2E_DJANGO_KEEP": keep, "E2E_DJANGO_CACHES": self._spec.slot_caches}
        return {**guarded, "E2E_DJANGO": str(home), **{name: "1" for name, on in switches.items() if on}}

    def expect(self, test: Test, *, python: str) -> None:
        """That this interpreter, with the environment of this test, makes databases or has made them."""
        self._makers[python, test.cwd, tuple(sorted(test.env.items()))] = test.env

    def closing(self, *, run_id: str, folder: Path) -> tuple[Command, ...]:
        """What drops every database that was made in the run."""
        if not (folder / DATABASES).is_file():
            return ()
        return tuple(
            Command(
                argv=(python, str(MANAGE), "--drop", str(folder / _HOME)),
                cwd=Path(cwd),
                env={**env, **self._guarded(), "E2E_RUN_ID": run_id},
            )
            for (python, cwd, _), env in self._makers.items()
        )

    def _guarded(self) -> dict[str, str]:
        rules = self._spec.safeguards
        allow = [one.parts for one in rules.allow]
        return {"E2E_DJANGO_SAFEGUARDS": json.dumps({"words": rules.words, "allow": allow})}


def not_dropped(folder: Path) -> list[str]:
    """The databases that the run in this folder made and nobody dropped, as its ledger has them."""
    names: dict[str, None] = {}
    try:
        lines = (folder / DATABASES).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):
            names[str(json.loads(line)["name"])] = None
    return list(names)
