"""In what a planned test is another one than that which an earlier run ran under its name.

Compared is what the file says of the test's own process. What it runs against is not: a rerun is for whoever
has just changed the application.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os.path import relpath

from e2e_orchestrator.model.plan import Plan, Test


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A test that passed, and what is another now: words for people, such as ``API_URL``."""

    test: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``earlier`` is the plan of a journal, in which ``mask`` has hidden the secrets; None if there is none."""

    earlier: Plan | None
    now: Plan
    mask: Callable[[str], str]

    def differences(self, before: Test, test: Test) -> tuple[str, ...]:
        """What is another now; nothing if it is the same test.

        Folders are compared from the root, so that another checkout of the same suite counts as the same. A
        secret looks in a journal like any other, so that a new one is no difference.
        """
        return (*self._of_the_process(before, test), *self._of_the_environment(before, test))

    def _of_the_process(self, before: Test, test: Test) -> Iterator[str]:
        if before.kind != test.kind:
            yield "kind of runner"
        if self._old(before.target) != self._new(test.target):
            yield "target"
        if tuple(map(self._old, before.args)) != tuple(map(self._new, test.args)):
            yield "arguments"
        if relpath(before.cwd, self._old_root) != relpath(self.mask(test.cwd), self._new_root):
            yield "folder"
        old, new = _python(self.earlier, before), _python(self.now, test)
        if old is not None and new is not None and self._old(old) != self._new(new):
            yield "interpreter"
        if before.isolation != test.isolation:
            yield "isolation"

    def _of_the_environment(self, before: Test, test: Test) -> Iterator[str]:
        old = {name: self._old(value) for name, value in before.env.items()}
        new = {name: self._new(value) for name, value in test.env.items()}
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                yield name

    def _old(self, text: str) -> str:
        return _from_root(text, root=self._old_root)

    def _new(self, text: str) -> str:
        return _from_root(self.mask(text), root=self._new_root)

    @property
    def _old_root(self) -> str:
        return self.earlier.root if self.earlier else ""

    @property
    def _new_root(self) -> str:
        return self.mask(self.now.root)


def _from_root(text: str, *, root: str) -> str:
    """The text without where the checkout lies; whole folders only, so that no two names become the same."""
    if root in ("", "/") or root not in text:  # The root of the machine is in every path, and no checkout.
        return text
    return re.sub(rf"(?<![\w.-]){re.escape(root)}(?![\w.-])", ".", text)


def _python(plan: Plan | None, test: Test) -> str | None:
    """The interpreter that the file names for it, empty if it names none; None if nobody knows the runner."""
    runners = plan.runners if plan else ()
    return next((one.python or "" for one in runners if one.name == test.runner), None)
