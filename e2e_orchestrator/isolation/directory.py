"""A folder that one slot has to itself."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "E2E_SLOT_DIR"
SLOTS = ".slots"
"""Where they lie in a run's folder: no phase's folder begins with a dot."""


@dataclass(frozen=True, slots=True)
class SlotDirectory:
    path: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {VARIABLE: str(self.path)}

    def empty(self) -> None:
        """There, with nothing in it. Raises OSError."""
        self.remove()
        self.path.mkdir(parents=True)

    def remove(self) -> None:
        """A link that stands in its place is removed, never followed."""
        if self.path.is_symlink():
            self.path.unlink()
        elif self.path.exists():
            shutil.rmtree(self.path)
