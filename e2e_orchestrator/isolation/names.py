"""What databases of ours are called, and the marker by which they are known to be ours. Pure."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass

LONGEST = 63
"""Bytes of a name: PostgreSQL cuts longer ones off, MySQL refuses more than 64 characters."""

PREFIX = "test_"
TEMPLATE = "template"
_MARK = "e2e-orchestrator "
_UNSAFE = re.compile(r"[^A-Za-z0-9_]")
_DIGITS = 8


def clone_name(base: str, *, run_id: str, part: int | str) -> str:
    """``test_<base>_<run>_<part>``; what is cut off or replaced of the base comes back as eight hex digits.

    ``part`` is the number of a slot, ``template``, or what else a run needs a name for.
    """
    ending = f"_{_UNSAFE.sub('_', run_id)}_{part}"
    bare = base.removeprefix(PREFIX)
    plain = _UNSAFE.sub("_", bare)
    room = LONGEST - len(PREFIX) - len(ending)
    if plain != bare or len(plain) > room:
        digest = hashlib.sha256(base.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
        plain = f"{plain[: max(0, room - _DIGITS - 1)]}_{digest}"
    return f"{PREFIX}{plain}{ending}"


def is_our_name(name: str) -> bool:
    """Whether a name could be one of :func:`clone_name`: necessary, never sufficient."""
    return name.startswith(PREFIX) and len(name) <= LONGEST and not _UNSAFE.search(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Says whose a database is: it stands in the database's comment, or in a table of it.

    ``kind`` is clone, template or kept (a template that outlives its run); ``folder`` is the run's own on
    ``host``. ``sealed`` is true once a template is complete. ``source`` tells kept templates of one origin
    from those of another.
    """

    run_id: str
    kind: str
    host: str
    folder: str
    sealed: bool = False
    source: str = ""

    def __str__(self) -> str:
        return _MARK + json.dumps(asdict(self), sort_keys=True)


def read_marker(text: str | None) -> Marker | None:
    """None for whatever is not exactly a marker of ours."""
    if not text or not text.startswith(_MARK):
        return None
    try:
        marker = Marker(**json.loads(text[len(_MARK) :]))
    except (ValueError, TypeError):
        return None
    words = (marker.run_id, marker.kind, marker.host, marker.folder, marker.source)
    return marker if all(isinstance(word, str) for word in words) else None


def lock_number(text: str) -> int:
    """A signed 64-bit number for PostgreSQL's advisory locks."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def run_lock(run_id: str) -> str:
    """What a run holds on a server as long as it lives there."""
    return f"e2e-orchestrator run {run_id}"
