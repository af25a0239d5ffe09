"""Which names look like production, and which say that they are for tests: pure, over names and hosts.

Standard library only and Python 3.8 upwards, and nothing of this package: what is put into the interpreter
of a Django project loads this file too, so that there is one rule.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Iterator, Sequence  # noqa: UP035 - Python 3.8.

# Runs of capitals, words and numbers: what stands between separators, digits and changes of case.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TEST = re.compile(r"test[_-].+|.+[_-]test", re.IGNORECASE | re.DOTALL)
_BEGINS_AS_TEST = re.compile(r"test[_-].", re.IGNORECASE | re.DOTALL)
# The last label of a host that is a registry's: of a country, or one that is a word of ours as well.
_REGISTRY = re.compile(r"live|[a-z]{2}", re.IGNORECASE)
_FOR_TESTS = frozenset({"test", "tests", "testing", "ci"})


def looks_like_production(text: str, *, words: Sequence[str]) -> str | None:
    """The word in a name that looks like production, as it is written there; None if there is none.

    Words are what stands between separators, changes of case and digits: ``prod_shop``, ``shopProd``,
    ``eu1prod`` and ``shop-prod2`` look like it, ``products`` and ``delivery`` do not. A word of several parts,
    such as ``eu-main``, is found whatever stands between them.
    """
    text = unicodedata.normalize("NFKC", text)  # As names of hosts are before they are looked up.
    found = list(_PARTS.finditer(text))
    parts = [one[0].lower() for one in found]
    for word in words:
        wanted = _parts(word)
        if not wanted and word.lower() in text.lower():  # Of another script: it has no parts that we know.
            return word
        for at in range(len(parts) - len(wanted) + 1 if wanted else 0):
            if parts[at : at + len(wanted)] == wanted:
                return text[found[at].start() : found[at + len(wanted) - 1].end()]
    return None


def host_looks_like_production(host: str, *, words: Sequence[str]) -> str | None:
    """The same of a host's labels or of a socket's path; the registry's label does not count: ``example.live``."""
    if host.startswith(("/", "@")):
        return looks_like_production(host, words=words)
    labels = unicodedata.normalize("NFKC", host).rstrip(".").split(".")
    if len(labels) > 1 and _REGISTRY.fullmatch(labels[-1]):
        labels.pop()
    return next(filter(None, (looks_like_production(label, words=words) for label in labels)), None)


def settings_look_like_production(module: str, *, words: Sequence[str]) -> str | None:
    """The same of a module of settings, unless its last part says that it is for tests."""
    if _FOR_TESTS & set(_parts(module.rpartition(".")[2])):
        return None
    return looks_like_production(module, words=words)


def begins_as_test(name: str) -> bool:
    """Whether it is called ``test_…``, as Django and this program call what they make, whatever follows."""
    return bool(_BEGINS_AS_TEST.match(name))


def is_test_database(name: str, *, words: Sequence[str]) -> bool:
    """Whether its very name says that it is for tests: ``test_…``, or ``…_test`` without a word of production.

    Of a SQLite file the stem is its name.
    """
    if not _TEST.fullmatch(name):
        return False
    return begins_as_test(name) or looks_like_production(name, words=words) is None


def is_local(host: str | None) -> bool:
    """This machine: no host at all, a socket's path, ``localhost`` or a loopback address."""
    if not host or host.startswith("/"):
        return True
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def objections(target: dict[str, str], *, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The parts of a target that look like production, each with the sentence that says so.

    ``target`` has some of ``host``, ``database``, ``user``, ``service`` and ``settings``.
    """
    for part, name in target.items():
        if part == "database" and begins_as_test(name) and not _ends_as_production(name, words):
            continue
        look = {"host": host_looks_like_production, "settings": settings_look_like_production}.get(
            part, looks_like_production
        )
        if found := look(name, words=words):
            verb = "look" if part == "settings" else "looks"
            yield part, f"the {part} {name!r} {verb} like production: {found!r}"


def waives(exception: dict[str, str], *, part: str, target: dict[str, str]) -> bool:
    """Whether an exception takes back the objection to this part of the target.

    It must fit in all that it names, and name that part: who allows a database has not allowed its host. A
    user needs no entry where the exception names both the host and the database, or all there is of them.
    """
    if any(wanted.lower() != target.get(key, "").lower() for key, wanted in exception.items()):
        return False
    place = {"host", "database"} & set(target)
    return part in exception or (part == "user" and bool(place) and place <= set(exception))


def _ends_as_production(name: str, words: Sequence[str]) -> bool:
    """``test_shop_prod`` is of production, ``test_live_preview`` a test of something that is called so."""
    bare = name.rstrip("0123456789_-").lower()
    return any(bare.endswith(word.lower()) and looks_like_production(name, words=[word]) for word in words)


def _parts(text: str) -> list[str]:
    return [part.lower() for part in _PARTS.findall(text)]
