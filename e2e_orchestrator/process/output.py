"""Reads the ends of what a child printed; the whole of it stays on disk."""

from pathlib import Path

from e2e_orchestrator.safety.regular import open_regular

_TAIL_BYTES = 16 << 10


def tail_of(path: Path, *, size: int = _TAIL_BYTES) -> str:
    """The last bytes of a file as text; says so where something was cut. Empty if there is no such file."""
    try:
        with open_regular(path) as file:
            whole = file.seek(0, 2)
            file.seek(max(0, whole - size))
            data = file.read(size)
    except OSError:
        return ""
    text = data.decode("utf-8", "replace")
    return text if whole <= size else f"[… {whole - size} bytes cut …]\n{text}"


def size_of(path: Path) -> int:
    """In bytes; 0 if there is no such file."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
