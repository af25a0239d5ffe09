"""A folder that one slot has to itself."""

import shutil
from dataclasses import dataclass
from pathlib import Path

SLOTS = ".slots"
"""Where they lie in a run's folder: no phase's folder begins with a dot."""


@dataclass(frozen=True, slots=True)
class SlotDirectory:
    path: Path

    def empty(self) -> None:
        """There, with nothing in it. Raises OSError."""
        self.remove()
        self.path.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """A link that stands in its place is removed, never followed."""
        if self.path.is_symlink():
            self.path.unlink()
        elif self.path.exists():
            # A slot's service may still write what a test that is over asked for. It would find a folder that is
            # being emptied, and fill it; one that has moved away it does not find.
            aside = self.path.with_name(f"{self.path.name}.old")
            self.path.rename(aside)
            shutil.rmtree(aside)
