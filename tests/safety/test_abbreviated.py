"""What is kept of the beginning and the end of a long secret by somebody who abbreviates it."""

import json
import reprlib
from unittest.util import safe_repr
from xml.sax.saxutils import escape

import pytest
from _pytest._io.saferepr import saferepr

from e2e_orchestrator.safety.masking import KEPT, MARK, Mask, Stream
from e2e_orchestrator.safety.redact import secret_values

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
TOKEN = "".join(LETTERS[(7 * at * at + at) % 61] + LETTERS[at % 62] for at in range(150))
MASK = Mask(secret_values({"LONG_API_TOKEN": TOKEN}))
HEAD, TAIL = TOKEN[:40], TOKEN[-30:]


def left_of(secret: str, text: str) -> list[str]:
    """The parts of a secret that are too long to be left."""
    windows = {secret[at : at + KEPT] for at in range(len(secret) - KEPT + 1)}
    return [one for one in windows if one in text]


def in_pieces(data: bytes, *, size: int) -> str:
    stream = Stream(MASK)
    given = [stream.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return b"".join([*given, stream.end()]).decode()


def _short(limit: int) -> str:
    short = reprlib.Repr()
    short.maxstring = limit
    return short.repr(TOKEN)


WAYS = {
    "pytest": saferepr(TOKEN, maxsize=240),
    "the standard library": _short(60),
    "unittest": safe_repr(TOKEN, short=True),
    "a typographic ellipsis": f"'{HEAD}…'",
    "a typographic ellipsis in the middle": f"{HEAD}…{TAIL}",
    "an ellipsis in JSON": json.dumps(f"{HEAD}…{TAIL}"),
    "an ellipsis in HTML": f"<b>{HEAD}&hellip;{TAIL}</b>",
    "Node.js": f"'{HEAD}'... 260 more characters",
    "a note in the middle": f"{HEAD}[230 chars]{TAIL}",
    "a note at the end": f"{HEAD} [truncated]",
    "a representation in XML": escape(f'<failure message="{HEAD}...{TAIL}"/>', {'"': "&quot;"}),
    "the end of the line": f"error: {HEAD}\nand on",
    "the end of the line in JSON": json.dumps(f"error: {HEAD}\n{TAIL}\nand on"),
    "the end of a text": f"error: {HEAD}",
    "a quoted beginning": f"assert '{HEAD}' == 'x'",
    "a shell that prints a part": f"token {HEAD} was refused.",
    "the end of a sentence": f"It is {HEAD}. Go on.",
    "a diff that leaves out what is the same": f"- x\n+ {TAIL}",
    "colours": f"\x1b[31m{TAIL}\x1b[0m",
    "as much as may be left": f"{TOKEN[: KEPT + 1]}...{TOKEN[-KEPT - 1 :]}",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS.keys())
def test_nothing_long_is_left_of_a_secret_that_was_abbreviated(text: str) -> None:
    assert left_of(TOKEN, text)
    for masked in (MASK.text(text), MASK.data(text.encode()).decode(), in_pieces(text.encode(), size=7)):
        assert left_of(TOKEN, masked) == []
        assert MARK in masked


DATABASE = "postgresql+psycopg://app:hunter2@localhost:5432/orders_of_today"
HARMLESS = {
    "the beginning of an address": "see postgresql+psycopg://app is the user",
    "the beginning of a line": "postgresql+psycopg://app\n",
    "the end of an address": "listening on localhost:5432/orders_of_today\n",
    "another login": "postgresql+psycopg://them@localhost:5432/orders_of_today",
    "a ruler": "-" * 40 + "...",
    "zeros": "0" * 20 + "...",
    "less of it than may be left": f"{HEAD[: KEPT - 1]}... {TAIL[-KEPT + 1 :]}",
    "a longer word with the same beginning": f"{HEAD}-and-more",
    "a longer word with the same end": f"more-{TAIL}",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_everybody_may_know_stays(text: str) -> None:
    secrets = {"A_DSN": DATABASE, "A_TOKEN": "-" * 60, "B_TOKEN": "0" * 30 + "x", "LONG_API_TOKEN": TOKEN}
    mask = Mask(secret_values(secrets))
    assert mask.text(text) == text
    assert mask.data(text.encode()).decode() == text


def test_an_address_that_was_abbreviated_is_masked() -> None:
    masked = Mask(secret_values({"A_DSN": DATABASE})).text(f"to '{DATABASE[:32]}...{DATABASE[-28:]}'")
    assert "hunter" not in masked
    assert "localhost" not in masked


def test_a_short_secret_inside_of_a_long_one_does_not_save_the_rest() -> None:
    mask = Mask([TOKEN, TOKEN[5:15]])
    assert left_of(TOKEN, mask.text(f"{HEAD}...")) == []
    assert mask.text(f"{HEAD}...") == "***..."


def test_parts_of_two_secrets_that_overlap_are_masked_together() -> None:
    other = TOKEN[20:40] + TOKEN[::-1]
    assert Mask([TOKEN, other]).text(f"{TOKEN[:40]}...") == "***..."


def test_both_spellings_that_begin_alike_are_known() -> None:
    secret = "abcdefghijklmnopqrst\"uvw'xyz0123456789<&>"
    mask = Mask(secret_values({"A_TOKEN": secret}))
    for spelling in (secret, json.dumps(secret), escape(secret)):
        assert (
            mask.text(f"{spelling[:30]}... it") == f"{'***' if spelling[0] == 'a' else chr(34) + '***'}... it"
        )
