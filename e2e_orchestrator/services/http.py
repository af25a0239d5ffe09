"""Asks over HTTP: status, body and values of a JSON answer.

Written on streams, because a blocking client limits each read and never the whole: a service that drips
its answer byte by byte would hold a thread beyond every limit.
"""

import asyncio
import json
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

from e2e_orchestrator.model.service import HttpProbe
from e2e_orchestrator.services.connections import connect, host_and_port

_READY_BELOW = 400
_LONGEST_BODY = 1 << 20
_SHOWN = 80


async def ask_http(probe: HttpProbe) -> str | None:
    """None if the answer is as it should be, else what is wrong with it.

    Redirects are an answer, they are not followed; proxies are not used: what is waited for is the
    service itself.
    """
    url = urlsplit(probe.http)
    reader, writer = await connect(*host_and_port(url), secure=url.scheme == "https")
    try:
        writer.write(_request(url))
        status = _status((await reader.readline()).decode("latin-1"))
        if isinstance(status, str):
            return status
        if (status not in probe.status) if probe.status else status >= _READY_BELOW:
            return f"HTTP {status}"
        if probe.body is None and not probe.json:
            return None
        body = await _body(reader)
    except ValueError:
        return "no HTTP answer: a line of its head has no end"
    finally:
        writer.transport.abort()
    return _wrong_body(body, probe)


def _request(url: SplitResult) -> bytes:
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    # HTTP/1.0: the answer ends with the connection, and comes in one piece.
    lines = (
        f"GET {path} HTTP/1.0",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "Accept: */*",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("utf-8")


def _status(line: str) -> int | str:
    """The number, or what stands there instead of one."""
    words = line.split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():  # noqa: PLR2004
        return f"no HTTP answer, but {' '.join(words)[:_SHOWN]!r}"
    return int(words[1])


async def _body(reader: asyncio.StreamReader) -> str:
    """What follows the head; a server that answers in pieces nevertheless is put together."""
    chunked = False
    while (line := (await reader.readline()).strip().lower()) != b"":
        chunked = chunked or (line.startswith(b"transfer-encoding:") and b"chunked" in line)
    pieces = []
    size = 0
    while size < _LONGEST_BODY and (piece := await reader.read(1 << 16)):
        pieces.append(piece)
        size += len(piece)
    body = b"".join(pieces)
    return (_joined(body) if chunked else body).decode("utf-8", "replace")


def _joined(body: bytes) -> bytes:
    """The pieces of RFC 9112, section 7.1, without their sizes."""
    whole = b""
    while body:
        head, _, rest = body.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if not size:
            break
        whole, body = whole + rest[:size], rest[size + 2 :]
    return whole


def _wrong_body(body: str, probe: HttpProbe) -> str | None:
    if probe.body is not None and not re.search(probe.body, body):
        return f"the body has no {probe.body!r}, it begins with {body[:_SHOWN]!r}"
    if not probe.json:
        return None
    try:
        answer = json.loads(body)
    except ValueError:
        return f"the body is no JSON, it begins with {body[:_SHOWN]!r}"
    for path, wanted in probe.json.items():
        found = _value_at(answer, path)
        if found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
            return f"{path} is {json.dumps(found)[:_SHOWN]}, not {json.dumps(wanted)}"
    return None


def _value_at(answer: Any, path: str) -> Any:
    """Along keys and, in lists, numbers; None where there is nothing."""
    for key in path.split("."):
        if isinstance(answer, dict):
            answer = answer.get(key)
        elif isinstance(answer, list) and key.isdigit() and int(key) < len(answer):
            answer = answer[int(key)]
        else:
            return None
    return answer
