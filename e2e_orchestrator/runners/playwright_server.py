"""Whether an invocation of Playwright starts a web server, which no other can start at the same time.

Found by looking for the word in the configuration and in what that names, but not in comments: the
configuration that ``npm init playwright`` writes has the whole setting in one.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.runners.playwright_imports import texts_from
from e2e_orchestrator.runners.playwright_sources import project_of

_NAMES = tuple(f"playwright.config.{ending}" for ending in ("ts", "js", "mts", "mjs", "cts", "cjs"))
_OPTIONS = ("-c", "--config")
# Comments, and strings, in which "//" and "/*" are none.
_COMMENT = re.compile(
    rb"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?P<comment>//[^\n]*|/\*.*?\*/)",
    re.DOTALL,
)
_SERVER = re.compile(rb"\bwebServer\b")


def project_with_server(test: Test) -> Path | None:
    """The project whose web server the test's invocation starts; None if it starts none, or one for its slot.

    A configuration that mentions what each slot has of its own, its number or a port, has a server for each.
    """
    configuration = _configuration(test)
    if configuration is None:
        return None
    text = b"\n".join(_without_comments(one) for one in texts_from(configuration) if one)
    own = ("E2E_SLOT", *(test.isolation.ports if test.isolation else ()))
    if not _SERVER.search(text) or any(
        re.search(rb"\b%b\b" % re.escape(os.fsencode(one)), text) for one in own
    ):
        return None
    return project_of(configuration.parent)


def _configuration(test: Test) -> Path | None:
    """Found as Playwright finds it: what the arguments say, a file or its folder, else that of the working directory."""
    cwd = Path(os.path.realpath(test.cwd))
    path = Path(os.path.realpath(cwd / next(_configured(test.args), "")))
    candidates = [path / name for name in _NAMES] if path.is_dir() else [path]
    return next((one for one in candidates if one.is_file()), None)


def _configured(args: Sequence[str]) -> Iterator[str]:
    for at, word in enumerate(args):
        name, given, value = word.partition("=")
        if name in _OPTIONS:
            yield value if given else "".join(args[at + 1 : at + 2])
        elif word.startswith("-c") and not word.startswith("--"):
            yield word[2:]


def _without_comments(text: bytes) -> bytes:
    return _COMMENT.sub(lambda found: b" " if found["comment"] else found[0], text)
