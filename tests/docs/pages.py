"""The pages of the documentation, and what stands in their fences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """``text`` without the indentation of its fence; ``before`` is the last paragraph above it."""

    page: Path
    line: int
    language: str
    text: str
    before: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """The fenced blocks of a page in these languages (default: all), in order."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        if not languages or match["language"] in languages:
            indent = len(match["indent"])
            yield Block(
                page=page,
                line=text.count("\n", 0, match.start()) + 1,
                language=match["language"],
                text="".join(line[indent:] for line in match["text"].splitlines(keepends=True)),
                before=text[: match.start()].rstrip().rpartition("\n\n")[2],
            )


def all_blocks(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page, *languages)]


def rows(page: Path, *, below: str | None = None) -> list[list[str]]:
    """The cells of every table row of a page, or of the part below one heading; headings of tables included."""
    text = page.read_text(encoding="utf-8")
    if below is not None:
        text = re.split(r"^## ", text.partition(f"\n## {below}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def words(cell: str) -> list[str]:
    """Everything in backticks."""
    return re.findall(r"`([^`]+)`", cell)
