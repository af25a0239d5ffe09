"""Coverage as lcov and Cobertura write it, as lines and branches that several files can be put together of."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from e2e_orchestrator.safety.regular import open_regular

_BIGGEST = 100_000_000
_CONDITIONS = re.compile(r"\((\d+)/(\d+)\)")

Place = tuple[str, ...]


@dataclass(slots=True)
class Reached:
    """Whether each line and each branch was reached by anybody; a place begins with the file."""

    lines: dict[Place, bool] = field(default_factory=lambda: defaultdict(bool))
    branches: dict[Place, bool] = field(default_factory=lambda: defaultdict(bool))

    def add(self, path: Path) -> None:
        """Raises ValueError for what is neither format, OSError for what cannot be read."""
        with open_regular(path) as file:
            data = file.read(_BIGGEST + 1)
        if len(data) > _BIGGEST:
            raise ValueError(f"larger than {_BIGGEST // 1_000_000} MB")
        if data.lstrip()[:1] == b"<":
            self._add_cobertura(data)
        else:
            self._add_lcov(data.decode("utf-8", "replace"))

    def _add_lcov(self, text: str) -> None:
        """https://github.com/linux-test-project/lcov/blob/master/man/geninfo.1."""
        file, seen = "", False
        for line in text.splitlines():
            key, _, value = line.partition(":")
            parts = value.split(",")
            match key, parts:
                case "SF", _:
                    file, seen = value, True
                case "DA", [number, hits, *_]:
                    self.lines[file, number] |= hits not in ("0", "-")
                case "BRDA", [number, block, branch, taken]:
                    self.branches[file, number, block, branch] |= taken not in ("0", "-")
                case _:
                    pass
        if not seen:
            raise ValueError("neither lcov nor Cobertura")

    def _add_cobertura(self, data: bytes) -> None:
        try:
            root = ET.fromstring(data)  # noqa: S314 - expat itself refuses entities that explode.
        except ET.ParseError as error:
            raise ValueError(f"neither lcov nor Cobertura: {error}") from None
        if root.tag != "coverage":
            raise ValueError(f"neither lcov nor Cobertura: its root is <{root.tag[:40]}>")
        for unit in root.iter("class"):
            file = unit.get("filename", "")
            for line in unit.iterfind("lines/line"):
                number = line.get("number", "")
                self.lines[file, number] |= line.get("hits", "0") != "0"
                if found := _CONDITIONS.search(line.get("condition-coverage", "")):
                    for at in range(min(int(found[2]), 1_000)):
                        self.branches[file, number, str(at)] |= at < int(found[1])
