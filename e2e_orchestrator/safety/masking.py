"""Masks secrets in text and in bytes; standard library only, because the keeper loads it by its path.

Literal values are searched one by one (a plain search runs at memory speed, an alternation of thirty
words does not), shapes of tokens only where a piece that all of them hold is present.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "***"
LONGEST_LINE = 8192  # Bytes of a line that are held back at most, waiting for its end.
KEPT_BACK = 4096  # So many stay when a longer line is cut, or as many as the longest secret has.
MOST_HELD = 1 << 15  # What is begun is not waited for any longer.
_ASIDE = 3  # Bytes beside a match that its shape looks at: `://` before it, `@` behind it.
SHORT = 2048  # Below this length one look for all words at once is cheaper than one look for each.

# (pieces of which every match holds one; the pattern; if it may go over several lines: the pattern of one
# that has begun, up to the end of the data)
SHAPES: tuple[tuple[tuple[str, ...], str, str | None], ...] = (
    (("://",), r"(?<=://)[^\s/:@'\"<>]*:[^\s/@'\"<>]+(?=@)", None),
    (
        ("uthorization", "UTHORIZATION"),
        r"(?i:authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+)[A-Za-z0-9._~+/=-]{4,}",
        r"(?i:authorization[\"']?\s*[:=]\s*[\"']?[a-z]*\s*)[A-Za-z0-9._~+/=-]{0,3}\Z",
    ),
    (("earer ", "EARER "), r"(?i:bearer +)(?=[A-Za-z0-9._~+/=-]*\d)[A-Za-z0-9._~+/=-]{16,}", None),
    (("eyJ",), r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{6,}", None),
    (("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", None),
    (("ghp_", "gho_", "ghs_", "github_pat_"), r"\b(?:gh[pos]_|github_pat_)[A-Za-z0-9_]{30,}", None),
    (("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,}", None),
    (("xox",), r"\bxox[abeprs]-[A-Za-z0-9-]{10,}", None),
    (("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+", None),
    (("k_live_", " sk-"), r"(?:\b[sr]k_live_|(?<= )sk-(?:proj-|ant-)?)[A-Za-z0-9_-]{20,}", None),
    (
        ("PRIVATE KEY-----",),
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-[-A-Z ]*)?\Z",
    ),
)


class Mask:
    """``literals`` are the secret values themselves; the longest is tried first."""

    def __init__(self, literals: Iterable[str] = ()) -> None:
        self.literals = sorted({one for one in literals if one}, key=len, reverse=True)
        self._bytes = [one.encode("utf-8", "surrogateescape") for one in self.literals]
        self.longest = max(map(len, self._bytes), default=0)
        self._of_several_lines = [
            (secret[: secret.index(b"\n") + 1], secret) for secret in self._bytes if b"\n" in secret
        ]
        self._shapes = [(pieces, re.compile(shape)) for pieces, shape, _ in SHAPES]
        hints = [*self.literals, *(piece for pieces, *_ in SHAPES for piece in pieces)]
        self._hint = re.compile("|".join(map(re.escape, hints)))
        self._byte_shapes = [
            ([piece.encode() for piece in pieces], re.compile(shape.encode())) for pieces, shape, _ in SHAPES
        ]
        # What all pieces begin with, if anything: most often one look for it spares one look for each.
        self._starts = [_common_start(pieces) for pieces, _ in self._byte_shapes]
        self._begun = [re.compile(begun.encode()) if begun else None for *_, begun in SHAPES]

    def text(self, value: str) -> str:
        if len(value) < SHORT and not self._hint.search(value):
            return value
        for literal in self.literals:
            if literal in value:
                value = value.replace(literal, MARK)
        for pieces, shape in self._shapes:
            if any(piece in value for piece in pieces):
                value = shape.sub(MARK, value)
        return value

    def data(self, value: bytes) -> bytes:
        """The same for bytes, whatever their encoding is."""
        mark = MARK.encode()
        for literal in self._bytes:
            if literal in value:
                value = value.replace(literal, mark)
        for start, (pieces, shape) in zip(self._starts, self._byte_shapes, strict=True):
            if start in value and any(piece in value for piece in pieces):
                value = shape.sub(mark, value)
        return value

    def place_to_cut(self, data: bytes, cut: int) -> int:
        """The last place up to ``cut`` where nothing that is to be masked is cut in two; 0 if there is none."""
        while cut and (begin := min(self._cut_in_two(data, cut), default=cut)) < cut:
            cut = begin
        return cut

    def _cut_in_two(self, data: bytes, cut: int) -> Iterator[int]:
        """Where that begins which a cut would split. Few shapes and secrets go on after the end of a line."""
        after_line = data[cut - 1 : cut] == b"\n"
        for literal in () if after_line else self._bytes:
            begin = data.find(literal, max(0, cut - len(literal) + 1), cut + len(literal) - 1)
            if begin >= 0:
                yield begin
        for first, secret in self._of_several_lines:
            begin = data.find(first, max(0, cut - len(secret) + 1), cut)
            while begin >= 0 and not secret.startswith(data[begin : begin + len(secret)]):
                begin = data.find(first, begin + 1, cut)
            if begin >= 0:
                yield begin
        around = max(0, cut - (LONGEST_LINE if after_line else MOST_HELD))
        for (pieces, shape), begun in zip(self._byte_shapes, self._begun, strict=True):
            if (begun or not after_line) and any(data.find(piece, around) >= 0 for piece in pieces):
                yield from _beginnings(shape, data, cut=cut, around=around)
                yield from _beginnings(begun, data, cut=cut, around=around) if begun else ()


def _common_start(pieces: list[bytes]) -> bytes:
    first, last = min(pieces), max(pieces)
    size = len(first)
    while not last.startswith(first[:size]):
        size -= 1
    return first[:size]


def _beginnings(shape: re.Pattern[bytes], data: bytes, *, cut: int, around: int) -> Iterator[int]:
    for match in shape.finditer(data, around):
        if match.start() - _ASIDE < cut <= match.end():
            yield max(0, match.start() - _ASIDE)


class Stream:
    """Masks what comes in pieces, in whole lines where it can; ``found`` is true once there was something.

    A piece is masked only together with what is around it: what may be the beginning of a secret is held
    back as it came, until its end is there, or too much of it.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.found = False
        self._held = b""
        self._kept_back = max(KEPT_BACK, mask.longest)
        self._longest_line = self._kept_back + LONGEST_LINE - KEPT_BACK
        self._most_held = max(MOST_HELD, 2 * self._longest_line)

    def feed(self, data: bytes) -> bytes:
        """What can be given out now, masked."""
        data = self._held + data
        cut = data.rfind(b"\n") + 1
        if len(data) - cut > self._longest_line:
            cut = len(data) - self._kept_back
        cut = self.mask.place_to_cut(data, cut)
        if len(data) - cut > self._most_held:
            cut = len(data)
        self._held = data[cut:]
        return self._masked(data[:cut])

    def end(self) -> bytes:
        """The rest."""
        data, self._held = self._held, b""
        return self._masked(data)

    def _masked(self, data: bytes) -> bytes:
        masked = self.mask.data(data)
        self.found = self.found or masked != data
        return masked
