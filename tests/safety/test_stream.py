"""Nothing that is to be masked is cut in two by the pieces in which it comes."""

import pytest

from e2e_orchestrator.safety.masking import KEPT_BACK, LONGEST_LINE, MARK, MOST_HELD, Mask, Stream

KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG\n" * 40 + "-----END RSA PRIVATE KEY-----"
TEXTS = {
    "a bearer header": "GET / HTTP/1.1\nAuthorization: Bearer abcdefghREMAINDEROFTOKEN12345 and more\n",
    "a header whose value stands in the next line": '{"authorization":\n  "Basic dXNlcjpwYXNz"}\n',
    "a bearer token": "with bearer abcdefgh12345678REMAINDER to it\n",
    "a GitHub token": "push ghp_" + "a1B2" * 9 + "REMAINDER done\n",
    "a JSON web token": "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl y\n",
    "a password in an address": "to postgresql://app:hunter2@db:5432/x and back\n",
    "a Stripe key": "key sk-proj-abcdefghijklmnopqrstuvwxyz end\n",
    "a private key": f"here:\n{KEY}\nthere\n",
    "a literal": "it is correct-horse, said he\n",
}


def carried(pieces: list[bytes], *secrets: str) -> bytes:
    stream = Stream(Mask(secrets))
    return b"".join([stream.feed(piece) for piece in pieces]) + stream.end()


@pytest.mark.parametrize("before", [b"", b"x" * (LONGEST_LINE + 10) + b" "], ids=["short line", "long line"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_in_whatever_two_pieces_it_comes_it_is_masked_as_if_it_were_whole(text: str, before: bytes) -> None:
    whole = before + text.encode()
    expected = Mask(["correct-horse"]).data(whole)
    assert MARK.encode() in expected
    for at in range(len(whole) - len(text), len(whole)):
        assert carried([whole[:at], whole[at:]], "correct-horse") == expected


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_in_single_bytes_as_well(text: str) -> None:
    pieces = [bytes([byte]) for byte in text.encode()]
    assert carried(pieces, "correct-horse") == Mask(["correct-horse"]).data(text.encode())


@pytest.mark.parametrize("size", [KEPT_BACK + 1, LONGEST_LINE, 40_000])
def test_a_secret_may_be_longer_than_what_is_usually_kept_back(size: int) -> None:
    secret = "a" + "b" * size + "c"
    whole = b"x" * 20_000 + secret.encode() + b"y" * 20_000
    pieces = [whole[at : at + 1000] for at in range(0, len(whole), 1000)]
    assert carried(pieces, secret) == b"x" * 20_000 + b"***" + b"y" * 20_000


def test_lines_are_given_out_as_soon_as_they_are_whole() -> None:
    stream = Stream(Mask(["hunter2"]))
    assert stream.feed(b"one\ntw") == b"one\n"
    assert stream.feed(b"o hunter2\nthree") == b"two ***\n"
    assert stream.end() == b"three"


@pytest.mark.parametrize("begun", [b"-----BEGIN PRIVATE KEY-----\n", b"authorization: token\n", b"a\n"])
def test_what_never_ends_is_not_held_for_ever(begun: bytes) -> None:
    stream = Stream(Mask(["a\n" * 50]))
    given = [stream.feed(piece) for piece in [begun, *[b"more and more\n"] * (3 * MOST_HELD // 14)]]
    assert len(stream.end()) <= MOST_HELD
    assert b"".join(given)


@pytest.mark.parametrize(("data", "found"), [(b"plain\ntext", False), (b"plain\nhunter2", True)])
def test_it_is_known_whether_there_was_anything_to_mask(data: bytes, found: bool) -> None:
    stream = Stream(Mask(["hunter2"]))
    stream.feed(data)
    stream.end()
    assert stream.found is found
