"""Reading and writing PNG files with nothing but zlib (PNG specification, third edition, sections 5 and 11)."""

from __future__ import annotations

import struct
import zlib

MAGIC = b"\x89PNG\r\n\x1a\n"
_RGBA = 6
_HEADER_LENGTH = len(MAGIC) + 4 + 4 + 13


class NotPngError(ValueError):
    """The bytes are not a PNG image."""


def encode(width: int, height: int, rows: list[bytearray]) -> bytes:
    """Pack rows of RGBA pixels, eight bits per channel."""
    header = struct.pack(">IIBBBBB", width, height, 8, _RGBA, 0, 0, 0)
    raw = b"".join(b"\0" + row for row in rows)
    return MAGIC + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw, 6)) + _chunk(b"IEND", b"")


def dimensions(content: bytes) -> tuple[int, int]:
    """Return width and height; raise NotPngError unless the file starts as a PNG does."""
    if len(content) < _HEADER_LENGTH or not content.startswith(MAGIC) or content[12:16] != b"IHDR":
        raise NotPngError("This is not a PNG image.")
    width, height = struct.unpack(">II", content[16:24])
    if not (width and height):
        raise NotPngError("This PNG image has no pixels.")
    return width, height


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
