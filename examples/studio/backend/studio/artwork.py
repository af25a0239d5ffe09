"""Drawing: turns a spec, two colours and a title into an image of exactly the right size."""

from __future__ import annotations

from math import isqrt

from studio import png
from studio.twitch import Spec

Colour = tuple[int, int, int]

_CLEAR = b"\0\0\0\0"
# Capital letters and digits on a grid of 5x7: each number is one row, the highest bit on the left.
_GLYPHS = {
    "A": (14, 17, 17, 31, 17, 17, 17), "B": (30, 17, 17, 30, 17, 17, 30), "C": (14, 17, 16, 16, 16, 17, 14),
    "D": (30, 17, 17, 17, 17, 17, 30), "E": (31, 16, 16, 30, 16, 16, 31), "F": (31, 16, 16, 30, 16, 16, 16),
    "G": (14, 17, 16, 23, 17, 17, 15), "H": (17, 17, 17, 31, 17, 17, 17), "I": (14, 4, 4, 4, 4, 4, 14),
    "J": (7, 2, 2, 2, 2, 18, 12), "K": (17, 18, 20, 24, 20, 18, 17), "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17), "N": (17, 25, 21, 19, 17, 17, 17), "O": (14, 17, 17, 17, 17, 17, 14),
    "P": (30, 17, 17, 30, 16, 16, 16), "Q": (14, 17, 17, 17, 21, 18, 13), "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30), "T": (31, 4, 4, 4, 4, 4, 4), "U": (17, 17, 17, 17, 17, 17, 14),
    "V": (17, 17, 17, 17, 17, 10, 4), "W": (17, 17, 17, 21, 21, 27, 17), "X": (17, 17, 10, 4, 10, 17, 17),
    "Y": (17, 17, 10, 4, 4, 4, 4), "Z": (31, 1, 2, 4, 8, 16, 31), "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 6, 8, 16, 31), "3": (30, 1, 1, 14, 1, 1, 30),
    "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14), "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
}  # fmt: skip
_GLYPH_WIDTH, _GLYPH_HEIGHT = 5, 7
_SPACE = (0,) * _GLYPH_HEIGHT


def parse_colour(text: str) -> Colour:
    """Read `#rrggbb`."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def render(spec: Spec, *, primary: str, accent: str, title: str) -> bytes:
    """Return a PNG file: a shaded ground, a disc, the title; or a see-through frame where the spec wants one."""
    ground, mark = parse_colour(primary), parse_colour(accent)
    canvas = _Canvas(spec.width, spec.height)
    canvas.shade(ground)
    if spec.asset_type == "overlay":
        canvas.disc(spec.width - spec.height // 8, spec.height // 8, spec.height // 5, mark)
        canvas.cut_out(margin=spec.height // 24)
        return canvas.as_png()
    if spec.width < 2 * spec.height:
        _draw_badge(canvas, spec, mark, _initials(title))
    else:
        _draw_strip(canvas, spec, mark, title, ink=_ink(ground))
    if spec.transparent:
        canvas.round_corners(spec.height // 5)
    return canvas.as_png()


def _draw_badge(canvas: _Canvas, spec: Spec, mark: Colour, text: str) -> None:
    """Put initials on a disc in the middle."""
    radius = int(spec.height * 0.42)
    canvas.disc(spec.width // 2, spec.height // 2, radius, mark)
    scale = _largest_scale(text, width=int(1.3 * radius), height=radius)
    left = (spec.width - _text_width(text, scale)) // 2
    canvas.write(text, left=left, scale=scale, ink=_ink(mark))


def _draw_strip(canvas: _Canvas, spec: Spec, mark: Colour, text: str, *, ink: Colour) -> None:
    """Put the title on the left, and a disc that is cut off on the right."""
    centre, radius, margin = spec.width - spec.height // 4, spec.height // 2, spec.height // 12
    canvas.disc(centre, spec.height // 2, radius, mark)
    scale = _largest_scale(text, width=centre - radius - 2 * margin, height=int(spec.height * 0.3))
    canvas.write(text, left=margin, scale=scale, ink=ink)


class _Canvas:
    """Rows of RGBA pixels that are painted in horizontal runs, which is what makes plain Python quick enough."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._rows = [bytearray(4 * width) for _ in range(height)]

    def as_png(self) -> bytes:
        return png.encode(self._width, self._height, self._rows)

    def shade(self, colour: Colour) -> None:
        """Fill everything, darker towards the bottom."""
        for y, row in enumerate(self._rows):
            light = 1 - 0.45 * y / self._height
            row[:] = _pixel(tuple(int(channel * light) for channel in colour)) * self._width

    def disc(self, x: int, y: int, radius: int, colour: Colour) -> None:
        for dy in range(-radius, radius + 1):
            half = isqrt(radius * radius - dy * dy)
            self._run(y + dy, x - half, x + half + 1, _pixel(colour))

    def write(self, text: str, *, left: int, scale: int, ink: Colour) -> None:
        """Set the text in block letters, half-way up; what has no letter here becomes a space."""
        top = (self._height - _GLYPH_HEIGHT * scale) // 2
        for index, letter in enumerate(text.upper()):
            glyph = _GLYPHS.get(letter, _SPACE)
            self._letter(glyph, left + index * (_GLYPH_WIDTH + 1) * scale, top, scale, _pixel(ink))

    def _letter(self, glyph: tuple[int, ...], left: int, top: int, scale: int, ink: bytes) -> None:
        for row, bits in enumerate(glyph):
            for column in range(_GLYPH_WIDTH):
                if bits >> (_GLYPH_WIDTH - 1 - column) & 1:
                    for y in range(top + row * scale, top + (row + 1) * scale):
                        self._run(y, left + column * scale, left + (column + 1) * scale, ink)

    def cut_out(self, *, margin: int) -> None:
        """Make the middle see-through, so that only a frame remains."""
        for y in range(margin, self._height - 3 * margin):
            self._run(y, margin, self._width - margin, _CLEAR)

    def round_corners(self, radius: int) -> None:
        for dy in range(radius):
            cut = radius - isqrt(radius * radius - (radius - dy) ** 2)
            for y in (dy, self._height - 1 - dy):
                self._run(y, 0, cut, _CLEAR)
                self._run(y, self._width - cut, self._width, _CLEAR)

    def _run(self, y: int, start: int, end: int, pixel: bytes) -> None:
        start, end = max(0, start), min(self._width, end)
        if 0 <= y < self._height and start < end:
            self._rows[y][4 * start : 4 * end] = pixel * (end - start)


def _pixel(colour: tuple[int, ...]) -> bytes:
    return bytes((*colour, 255))


def _ink(ground: Colour) -> Colour:
    """Choose black or white, whichever reads better on the ground (ITU-R BT.601 luma)."""
    red, green, blue = ground
    return (24, 20, 37) if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else (255, 255, 255)


def _text_width(text: str, scale: int) -> int:
    return (len(text) * (_GLYPH_WIDTH + 1) - 1) * scale


def _largest_scale(text: str, *, width: int, height: int) -> int:
    return max(1, min(width // _text_width(text, 1), height // _GLYPH_HEIGHT))


def _initials(title: str) -> str:
    words = [word for word in title.split() if word[0].upper() in _GLYPHS]
    return "".join(word[0] for word in words[:2]) or "S"
