#!/usr/bin/env python3
"""Checks that the relative links in all Markdown files lead to files, and to headings, that exist."""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

_LINK = re.compile(
    r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)",
    re.MULTILINE,
)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_FENCED = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1?\2[`~]*\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_SKIPPED = {"node_modules", "test-results", "dist"}


def main(root: Path) -> int:
    """Print every broken link below the folder; the exit code says whether there is one."""
    files = list(markdown_files(root))
    broken = [f"{file.relative_to(root)}:{line}: {why}" for file in files for line, why in broken_links(file)]
    sys.stdout.write("".join(f"{one}\n" for one in broken))
    sys.stdout.write(f"{len(files)} Markdown files, {len(broken)} broken links\n")
    return 1 if broken else 0


def markdown_files(root: Path) -> Iterator[Path]:
    """All that belong to the project, in a stable order."""
    for path in sorted(root.rglob("*.md")):
        parts = path.relative_to(root).parts
        if not any(part in _SKIPPED or part.startswith(".") for part in parts[:-1]):
            yield path


def broken_links(file: Path) -> Iterator[tuple[int, str]]:
    """The line and the reason of every link that leads nowhere."""
    text = _without_code(file.read_text(encoding="utf-8"))
    for match in _LINK.finditer(text):
        target = match[1] or match[2]
        if not _ELSEWHERE.match(target):
            why = _why_broken(target, file=file)
            if why:
                yield text.count("\n", 0, match.start()) + 1, why


def _why_broken(target: str, *, file: Path) -> str | None:
    path, _, anchor = unquote(target).partition("#")
    found = file.parent / path if path else file
    if not found.exists():
        return f"there is no {path}"
    if anchor and found.suffix == ".md" and anchor.lower() not in _anchors(found):
        return f"{path or 'this file'} has no heading #{anchor}"
    return None


@cache
def _anchors(file: Path) -> frozenset[str]:
    """What GitHub makes of the headings: lower case, hyphens for blanks, a number behind the second of a kind."""
    seen: dict[str, int] = {}
    anchors = set()
    for heading in _HEADING.findall(_without_fences(file.read_text(encoding="utf-8"))):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        anchors.add(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return frozenset(anchors)


def _without_fences(text: str) -> str:
    return _FENCED.sub(lambda match: "\n" * match[0].count("\n"), text)


def _without_code(text: str) -> str:
    return _CODE.sub(lambda match: " " * len(match[0]), _without_fences(text))


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1]))
