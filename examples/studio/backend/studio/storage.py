"""Files in one folder: logos that were uploaded, images that were made."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


class Storage:
    """Write whole files or nothing, and never outside the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, key: str, content: bytes) -> None:
        """Put `content` under `key`; a reader sees the old file or the new one."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        draft.write_bytes(content)
        os.replace(draft, path)

    def read(self, key: str) -> bytes | None:
        """Return the content, or None where there is none."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        self._path(key).unlink(missing_ok=True)

    def probe(self) -> None:
        """Write, read and delete a small file; raise OSError when that does not work."""
        key, content = f"probes/{secrets.token_hex(8)}", secrets.token_bytes(32)
        self.write(key, content)
        try:
            if self.read(key) != content:
                raise OSError("a file did not come back as it was written")
        finally:
            self.delete(key)

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root):
            raise ValueError(f"{key!r} leaves the storage folder")
        return path
