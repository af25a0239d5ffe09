"""Masks secrets in text and in bytes; standard library only, because the keeper loads it by its path.

Literal values are searched one by one (a plain search runs at memory speed, an alternation of thirty
words does not), shapes of tokens only where a piece that all of them hold is present. Of a long value
that somebody abbreviated, what is kept of its beginning or its end is masked as well.
"""

from __future__ import annotations

import re
from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import AnyStr

MARK = "***"
LONGEST_LINE = 8192  # Bytes of a line that are held back at most, waiting for its end.
KEPT_BACK = 4096  # So many stay when a longer line is cut, or as many as the longest secret has.
MOST_HELD = 1 << 15  # What is begun is not waited for any longer.
_ASIDE = 3  # Bytes beside a match that its shape looks at: `://` before it, `@` behind it.
SHORT = 100  # Below this length one look for all words at once is cheaper than one look for each.
KEPT = 16  # So many characters of the beginning or the end of a longer secret are as good as a secret.
_FEWEST_LETTERS = 4  # Of what has fewer different ones (a ruler, zeros), a part is found everywhere.
_NEAR = 12  # Bytes beside such a part that tell whether the secret was cut there.

# What a part of a secret stands beside where it was cut: anything that is not of the same word. Of an
# address everybody knows the beginning and the end, so there it has to be something that means a gap.
_GAP = rb"\.\.|\xe2\x80\xa6|\\u2026|&hellip;|&#8230;|\[|\]"
_WORD = rb"\w+/=.:@%~-"
_AFTER = re.compile(rb"[^" + _WORD + rb"]|\.(?!\w)|\\|\Z|" + _GAP)
_BEFORE = re.compile(rb"(?:\A|[^" + _WORD + rb"]|\\[nrt]|\x1b\[[\d;]*m|" + _GAP + rb")\Z")
_GAP_AFTER = re.compile(rb"['\"`]?\s?(?:" + _GAP + rb")")
_GAP_BEFORE = re.compile(rb"(?:" + _GAP + rb")\s?['\"`]?\Z")

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
        self._bytes = _encoded(self.literals)
        self.longest = max(map(len, self._bytes), default=0)
        self._of_several_lines = [
            (secret[: secret.index(b"\n") + 1], secret) for secret in self._bytes if b"\n" in secret
        ]
        long = [one for one in self.literals if _has_parts(one)]
        self._heads, self._tails = _by_part(long, slice(KEPT)), _by_part(long, slice(-KEPT, None))
        self._byte_parts = [part for part, _ in (*self._heads, *self._tails)]
        self._parts = [part.decode("utf-8", "surrogateescape") for part in self._byte_parts]
        self._whole = [one for one in self.literals if not _has_parts(one)]
        self._long = [one for one in self.literals if len(one) > KEPT]
        self._short = [one for one in self.literals if len(one) <= KEPT]
        self._byte_whole, self._byte_long, self._byte_short = map(
            _encoded, (self._whole, self._long, self._short)
        )
        self._shapes = [(pieces, re.compile(shape)) for pieces, shape, _ in SHAPES]
        hints = [*self._parts, *self._whole, *(piece for pieces, *_ in SHAPES for piece in pieces)]
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
        if _holds(value, self._parts):
            value = _replaced(value, self._long, MARK)
            found = self._without_parts(value.encode("utf-8", "surrogatepass"))
            value = _replaced(found.decode("utf-8", "surrogatepass"), self._short, MARK)
        else:
            value = _replaced(value, self._whole, MARK)
        for pieces, shape in self._shapes:
            if any(piece in value for piece in pieces):
                value = shape.sub(MARK, value)
        return value

    def data(self, value: bytes) -> bytes:
        """The same for bytes, whatever their encoding is."""
        mark = MARK.encode()
        if _holds(value, self._byte_parts):
            value = self._without_parts(_replaced(value, self._byte_long, mark))
            value = _replaced(value, self._byte_short, mark)
        else:
            value = _replaced(value, self._byte_whole, mark)
        for start, (pieces, shape) in zip(self._starts, self._byte_shapes, strict=True):
            if start in value and any(piece in value for piece in pieces):
                value = shape.sub(mark, value)
        return value

    def _without_parts(self, value: bytes) -> bytes:
        kept, done = [], 0
        for part in sorted(self._found_parts(value), key=lambda one: one.begin):
            if part.was_cut(value):
                if part.begin >= done:
                    kept += [value[done : part.begin], MARK.encode()]
                done = max(done, part.end)
        return b"".join([*kept, value[done:]]) if kept else value

    def _found_parts(self, value: bytes) -> Iterator[_Part]:
        """Where the beginning or the end of a long secret is, as much of it as is there."""
        for head, secrets in self._heads:
            at = value.find(head)
            while at >= 0:
                size, secret = max((_beginning(one, value, at), one) for one in secrets)
                yield _Part(secret, at, at + size, is_head=True)
                at = value.find(head, at + size - len(head) + 1)
        for tail, secrets in self._tails:
            at = value.find(tail)
            while at >= 0:
                end = at + len(tail)
                size, secret = max((_ending(one, value, end), one) for one in secrets)
                yield _Part(secret, end - size, end, is_head=False)
                at = value.find(tail, at + 1)

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
        yield from () if after_line else self._parts_at(data, cut)
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

    def _parts_at(self, data: bytes, cut: int) -> Iterator[int]:
        """Together with what is beside them, which tells whether they are to be masked."""
        around = max(0, cut - self.longest - _NEAR)
        for part in self._found_parts(data[around : cut + self.longest + _NEAR]):
            if around + part.begin - _NEAR < cut < around + part.end + _NEAR:
                yield max(0, around + part.begin - _NEAR)


class _Part:
    """A beginning or an end of a secret in some data."""

    def __init__(self, secret: bytes, begin: int, end: int, *, is_head: bool) -> None:
        self.begin, self.end = begin, end
        self._is_head, self._is_address = is_head, b"://" in secret

    def was_cut(self, data: bytes) -> bool:
        if self._is_head:
            return bool((_GAP_AFTER if self._is_address else _AFTER).match(data, self.end))
        before = data[max(0, self.begin - _NEAR) : self.begin]
        return bool((_GAP_BEFORE if self._is_address else _BEFORE).search(before))


def _holds(value: AnyStr, parts: list[AnyStr]) -> bool:
    for part in parts:  # noqa: SIM110 - half the time of `any`, for every text of every event.
        if part in value:
            return True
    return False


def _replaced(value: AnyStr, literals: list[AnyStr], mark: AnyStr) -> AnyStr:
    for literal in literals:
        if literal in value:
            value = value.replace(literal, mark)
    return value


def _encoded(texts: list[str]) -> list[bytes]:
    return [one.encode("utf-8", "surrogateescape") for one in texts]


def _has_parts(secret: str) -> bool:
    ends = (secret[:KEPT], secret[-KEPT:])
    return len(secret) > KEPT and all(len(set(end)) >= _FEWEST_LETTERS for end in ends)


def _by_part(secrets: list[str], which: slice) -> list[tuple[bytes, list[bytes]]]:
    """The spellings of a secret often begin and end alike."""
    found: dict[str, list[bytes]] = {}
    for secret in secrets:
        found.setdefault(secret[which], []).append(secret.encode("utf-8", "surrogateescape"))
    return [(part.encode("utf-8", "surrogateescape"), alike) for part, alike in found.items()]


def _beginning(secret: bytes, data: bytes, at: int) -> int:
    """How much of the secret is there from a place on."""
    return bisect_left(range(1, len(secret) + 1), 1, key=lambda n: not data.startswith(secret[:n], at))


def _ending(secret: bytes, data: bytes, end: int) -> int:
    """How much of the secret is there up to a place."""
    return bisect_left(range(1, len(secret) + 1), 1, key=lambda n: not data.endswith(secret[-n:], 0, end))


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
