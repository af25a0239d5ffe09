"""Secrets in Playwright's blob report: a zip of its events, as lines of JSON, and of the files that tests attached.

The events hold what tests printed in pieces, and what they attached in base64, so a search in the text is
not enough. Binary files in it stay as they are, as they do beside it.
"""

import base64
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from e2e_orchestrator.safety.hidden import BIGGEST, CannotMaskError
from e2e_orchestrator.safety.masking import Mask

_HEAD = 8192  # A null byte in so many at the beginning tells a binary file.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    RecursionError,
    NotImplementedError,
    RuntimeError,
    EOFError,
)


def is_blob(file: BinaryIO) -> bool:
    """Whether it is a zip with events at its top, as no trace and no other zip of Playwright's has."""
    try:
        with zipfile.ZipFile(file) as archive:
            return any(map(_are_events, archive.namelist()))
    except _BROKEN:
        return False


def masked_blob(blob: bytes, mask: Mask) -> bytes:
    """The report with its texts masked; the same where there is nothing to mask.

    Raises CannotMaskError where the zip cannot be read, or could not be merged afterwards.
    """
    try:
        with zipfile.ZipFile(BytesIO(blob)) as archive:
            if sum(one.file_size for one in archive.infolist()) > BIGGEST:
                raise CannotMaskError(f"it holds more than {BIGGEST >> 20} MiB")
            old = {one.filename: archive.read(one) for one in archive.infolist() if not one.is_dir()}
        new = {name: _masked(name, data, mask) for name, data in old.items()}
    except _BROKEN as error:
        raise CannotMaskError(f"it cannot be masked: {error}") from error
    if new == old:
        return blob
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in new.items():
            archive.writestr(name, data)
    return written.getvalue()


def _are_events(name: str) -> bool:
    return name.endswith(".jsonl") and "/" not in name


def _masked(name: str, data: bytes, mask: Mask) -> bytes:
    return _masked_events(data, mask) if _are_events(name) else _masked_text(data, mask)


def _masked_text(data: bytes, mask: Mask) -> bytes:
    return data if b"\0" in data[:_HEAD] else mask.data(data)


def _masked_events(data: bytes, mask: Mask) -> bytes:
    """Lines in which nothing is masked stay as they are, to the byte."""
    lines = [line for line in data.split(b"\n") if line]
    told = [json.loads(line) for line in lines]
    joined = set(_join(told, mask))
    masked = []
    for at, (line, event) in enumerate(zip(lines, told, strict=True)):
        changed = _mask_encoded(event, mask) or at in joined
        new = mask.data(json.dumps(event).encode() if changed else line)
        if new != line:
            json.loads(new)  # Else nobody could merge it.
        masked.append(new + b"\n")
    return b"".join(masked)


def _join(told: Iterable[Any], mask: Mask) -> Iterator[int]:
    """Puts the pieces of an output together, in place, where together they hold a secret; which events are others now."""
    outputs: dict[tuple[str, str, str], list[tuple[int, dict[str, Any]]]] = {}
    for at, event in enumerate(told):
        if (
            isinstance(event, dict)
            and event.get("method") == "onStdIO"
            and isinstance(event.get("params"), dict)
        ):
            said = event["params"]
            key = (str(said.get("testId")), str(said.get("resultId")), str(said.get("type")))
            outputs.setdefault(key, []).append((at, said))
    for pieces in outputs.values():
        whole = b"".join(_printed(said) for _, said in pieces)
        if (new := _masked_text(whole, mask)) != b"".join(
            _masked_text(_printed(one), mask) for _, one in pieces
        ):
            for at, said in pieces:
                said.update(data=new.decode("utf-8", "replace"), isBase64=False)
                new = b""
                yield at


def _printed(said: dict[str, Any]) -> bytes:
    data = str(said.get("data", ""))
    return base64.b64decode(data) if said.get("isBase64") else data.encode("utf-8", "surrogatepass")


def _mask_encoded(value: Any, mask: Mask) -> bool:
    """Masks what stands in base64, in place; whether there was anything."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    found = sum(_mask_encoded(one, mask) for one in parts) > 0  # Each of them, not only up to the first.
    if isinstance(value, dict):
        for name in ("base64", *(["data"] if value.get("isBase64") else [])):
            if isinstance(value.get(name), str):
                old = base64.b64decode(value[name])
                if (new := _masked_text(old, mask)) != old:
                    value[name] = base64.b64encode(new).decode()
                    found = True
    return found
