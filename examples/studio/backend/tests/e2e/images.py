"""PNG files, made and read by hand: the tests trust no drawing code of the application."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

MAGIC = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Image:
    """What a decoded PNG file turned out to be."""

    width: int
    height: int
    pixels: bytes

    def pixel(self, x: int, y: int) -> tuple[int, ...]:
        """Return red, green, blue and alpha."""
        start = (y * self.width + x) * 4
        return tuple(self.pixels[start : start + 4])


def make_png(width: int, height: int, colour: tuple[int, int, int, int] = (200, 30, 90, 255)) -> bytes:
    """Return a PNG file of one colour."""
    rows = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return MAGIC + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def read_png(content: bytes) -> Image:
    """Decode an RGBA file without row filters, verifying every checksum on the way."""
    assert content.startswith(MAGIC)
    chunks = dict(_chunks(content))
    width, height, depth, colour_type = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour_type) == (8, 6)
    raw = zlib.decompress(chunks[b"IDAT"])
    stride = 4 * width + 1
    assert len(raw) == stride * height
    rows = [raw[start : start + stride] for start in range(0, len(raw), stride)]
    assert {row[0] for row in rows} == {0}
    return Image(width, height, b"".join(row[1:] for row in rows))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, position = [], len(MAGIC)
    while position < len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        kind, data = content[position + 4 : position + 8], content[position + 8 : position + 8 + length]
        assert (
            zlib.crc32(kind + data) == struct.unpack(">I", content[position + 8 + length : position + 12 + length])[0]
        )
        found.append((kind, data))
        position += 12 + length
    return found
