"""Secrets that a search in a text file cannot see: in the zip of Playwright's HTML report, and between pieces of output."""

import base64
import binascii
import json
import re
import zipfile
import zlib
from io import BytesIO
from typing import Any

from e2e_orchestrator.safety.masking import Mask

BIGGEST = 1 << 28  # Of a page, and of what its zip holds: it is read as a whole.
_ZIP = re.compile(rb"(data:application/zip;base64,)([A-Za-z0-9+/=]+)")


class CannotMaskError(Exception):
    """What it says is the reason."""


def is_page(head: bytes) -> bool:
    """Whether a file that begins so may be such a report."""
    return b"<html" in head.lower()


def masked_page(page: bytes, mask: Mask) -> bytes:
    """The page with the texts in its zips masked; the same where there is nothing to mask.

    Raises CannotMaskError where a zip cannot be read, or could not be read afterwards.
    """
    return _ZIP.sub(lambda found: found[1] + _masked_zip(found[2], mask), page)


def _masked_zip(encoded: bytes, mask: Mask) -> bytes:
    try:
        with zipfile.ZipFile(BytesIO(base64.b64decode(encoded, validate=True))) as archive:
            if sum(one.file_size for one in archive.infolist()) > BIGGEST:
                raise CannotMaskError(f"its zip holds more than {BIGGEST >> 20} MiB")
            old = {one.filename: archive.read(one) for one in archive.infolist()}
        new = {name: _masked_entry(name, data, mask) for name, data in old.items()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        binascii.Error,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise CannotMaskError(f"its zip cannot be masked: {error}") from error
    if new == old:
        return encoded
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in new.items():
            archive.writestr(name, data)
    return base64.b64encode(written.getvalue())


def _masked_entry(name: str, data: bytes, mask: Mask) -> bytes:
    """As JSON it must still be JSON, else the report shows nothing at all."""
    masked = mask.data(data)
    if masked != data and name.endswith(".json"):
        json.loads(masked)
    return masked


def masked_output(report: bytes, mask: Mask) -> bytes:
    """Playwright's JSON report, without secrets that begin in one piece of output and end in the next."""
    if b'"stdout"' not in report or b'"text"' not in report:
        return report
    try:
        content = json.loads(report)
        return json.dumps(content, indent=2).encode() if _join(content, mask) else report
    except (ValueError, RecursionError):  # Not Playwright's.
        return report


def _join(value: Any, mask: Mask) -> bool:
    """Puts the pieces together, in place, where together they hold a secret; whether there are such."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    joined = sum(_join(one, mask) for one in parts) > 0  # Each of them, not only up to the first.
    for name in ("stdout", "stderr"):
        pieces = value.get(name) if isinstance(value, dict) else None
        if isinstance(pieces, list) and (whole := _whole(pieces)) and mask.text(whole) != whole:
            value[name] = [{"text": mask.text(whole)}]
            joined = True
    return joined


def _whole(pieces: list[Any]) -> str:
    texts = [one["text"] for one in pieces if isinstance(one, dict) and isinstance(one.get("text"), str)]
    return "".join(texts) if len(texts) == len(pieces) else ""
