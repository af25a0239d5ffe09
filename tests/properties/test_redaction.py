"""A secret does not come through, wherever it stands and in whatever pieces it arrives."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.process.pump import Pump
from e2e_orchestrator.safety.masking import KEPT, KEPT_BACK, LONGEST_LINE, Mask, Stream

# Few letters, so that secrets overlap with each other, with themselves and with what is around them.
SECRET = st.text(alphabet="abé/", min_size=2, max_size=12)
AROUND = st.binary(max_size=30) | st.text(alphabet="abé/ \n*", max_size=30).map(str.encode)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pump") / "output.log"


def carried(log: Path, mask: Mask, pieces: list[bytes]) -> bytes:
    log.unlink(missing_ok=True)
    pump = Pump(str(log), Stream(mask))
    for piece in pieces:
        pump.feed(piece)
    pump.close()
    return log.read_bytes()


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(one % (len(data) + 1) for one in cuts)})
    return [data[begin:end] for begin, end in pairwise(at)]


@given(
    secrets=st.lists(SECRET, min_size=1, max_size=3),
    parts=st.lists(AROUND, min_size=2, max_size=4),
    cuts=st.lists(st.integers(min_value=0), max_size=10),
)
def test_no_secret_comes_through_in_whatever_pieces_it_arrives(
    log: Path, secrets: list[str], parts: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(part + secrets[at % len(secrets)].encode() for at, part in enumerate(parts))
    kept = carried(log, Mask(secrets), in_pieces(data, cuts))
    assert not [secret for secret in secrets if secret.encode() in kept]


@given(
    size=st.integers(min_value=1, max_value=KEPT_BACK),
    before=st.integers(min_value=0, max_value=3 * LONGEST_LINE),
    after=st.integers(min_value=0, max_value=3 * LONGEST_LINE),
    cuts=st.lists(st.integers(min_value=0), max_size=10),
)
def test_no_secret_comes_through_in_lines_that_are_too_long_to_hold_back(
    log: Path, size: int, before: int, after: int, cuts: list[int]
) -> None:
    secret = "s" + "e" * (size - 1)
    data = b"x" * before + secret.encode() + b"y" * after
    kept = carried(log, Mask([secret]), in_pieces(data, cuts))
    assert secret.encode() not in kept
    assert kept.count(b"x") == before
    assert kept.count(b"y") == after


@given(
    lines=st.lists(st.text(alphabet="ab", min_size=1, max_size=5), min_size=2, max_size=3),
    parts=st.lists(AROUND, min_size=2, max_size=2),
    cuts=st.lists(st.integers(min_value=0), max_size=10),
)
def test_no_secret_of_several_lines_comes_through(
    log: Path, lines: list[str], parts: list[bytes], cuts: list[int]
) -> None:
    secret = "\n".join(lines)
    data = parts[0] + secret.encode() + parts[1]
    assert secret.encode() not in carried(log, Mask([secret]), in_pieces(data, cuts))


@given(
    body=st.lists(st.text(alphabet="MIEabc+/=", min_size=4, max_size=64), min_size=1, max_size=20),
    before=st.text(alphabet="ab \n", max_size=20),
    cuts=st.lists(st.integers(min_value=0), max_size=10),
)
def test_no_line_of_a_private_key_comes_through(
    log: Path, body: list[str], before: str, cuts: list[int]
) -> None:
    lines = [before, "-----BEGIN RSA PRIVATE KEY-----", *body, "-----END RSA PRIVATE KEY-----", "the end\n"]
    kept = carried(log, Mask(), in_pieces("\n".join(lines).encode(), cuts))
    assert not [line for line in body if line.encode() in kept.removeprefix(before.encode())]
    assert kept.endswith(b"\nthe end\n")


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(min_value=0), max_size=10))
def test_what_holds_no_secret_comes_through_unchanged(log: Path, data: bytes, cuts: list[int]) -> None:
    mask = Mask(["never-in-here"])
    assert carried(log, mask, in_pieces(data, cuts)) == mask.data(data)


@given(
    secrets=st.lists(SECRET, min_size=1, max_size=3), parts=st.lists(st.text(alphabet="abé/ "), max_size=4)
)
def test_text_and_bytes_are_masked_alike(secrets: list[str], parts: list[str]) -> None:
    mask, text = Mask(secrets), secrets[0].join(parts)
    assert mask.text(text).encode() == mask.data(text.encode())
    assert not [secret for secret in secrets if secret in mask.text(text)]


GAPS = ["...", "…", "'...\n", "\n", "[12 letters]", '", "']


def is_varied(secret: str) -> bool:
    return min(len(set(secret[:KEPT])), len(set(secret[-KEPT:]))) > KEPT // 4


@given(
    secret=st.text(alphabet="abcdefghij0123456789ABCDEF", min_size=KEPT + 5, max_size=300).filter(is_varied),
    shown=st.tuples(st.integers(KEPT, 200), st.sampled_from(GAPS), st.integers(KEPT, 200)),
    around=st.tuples(st.integers(0, 2 * LONGEST_LINE), st.integers(0, 2 * LONGEST_LINE)),
    cuts=st.lists(st.integers(min_value=0), max_size=10),
)
def test_nothing_long_is_left_of_a_secret_that_was_abbreviated(
    log: Path, secret: str, shown: tuple[int, str, int], around: tuple[int, int], cuts: list[int]
) -> None:
    head, gap, tail = shown
    parts = f"{secret[:head]}{gap}{secret[-tail:]}"
    data = f"{'x' * around[0]} {parts} {'y' * around[1]}".encode()
    masked = carried(log, Mask([secret]), in_pieces(data, cuts))
    windows = (secret[at : at + KEPT].encode() for at in range(len(secret) - KEPT + 1))
    assert not [one for one in windows if one in masked]
    assert (masked.count(b"x"), masked.count(b"y")) == around
