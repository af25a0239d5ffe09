"""Variables in the text of phases.yaml: ``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}``.

``$$`` is a dollar sign. A dollar sign before anything but ``{`` or ``$`` stays what it is. As in a
shell, ``:-`` and ``:?`` take an empty variable for an undefined one; a default may hold variables of
its own, which are looked up only if it is needed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_NESTING = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    says: str
    hint: str | None = None


class Uninterpolated(Exception):  # noqa: N818 - a mistake of the file, with everything that is wrong in it.
    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.says for problem in problems))
        self.problems = problems


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """The text with every variable replaced. Raises Uninterpolated naming all that cannot be."""
    if "$" not in text:
        return text
    reader = _Reader(text, environ)
    result = reader.read(nesting=0, wanted=True)
    if reader.problems:
        raise Uninterpolated(tuple(dict.fromkeys(reader.problems)))
    return result


class _Reader:
    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        self._text, self._environ, self._at = text, environ, 0
        self.problems: list[Problem] = []

    def read(self, *, nesting: int, wanted: bool) -> str:
        """Reads up to the end, or to the ``}`` that closes a default; ``wanted``: its variables count."""
        parts: list[str] = []
        while self._at < len(self._text):
            here = self._text[self._at]
            following = self._text[self._at + 1 : self._at + 2]
            if here == "}" and nesting:
                return "".join(parts)
            if here == "$" and following == "$":
                parts.append("$")
                self._at += 2
            elif here == "$" and following == "{":
                self._at += 2
                parts.append(self._variable(nesting=nesting + 1, wanted=wanted))
            else:
                parts.append(here)
                self._at += 1
        return "".join(parts)

    def _variable(self, *, nesting: int, wanted: bool) -> str:
        if nesting > _MAX_NESTING:
            return self._give_up("defaults are nested too deeply")
        name = _NAME.match(self._text, self._at)
        if name is None:
            return self._give_up("`${` must be followed by the name of a variable")
        self._at = name.end()
        operator = self._text[self._at : self._at + 2]
        if operator == ":-":
            self._at += 2
            value = self._environ.get(name[0])
            default = self.read(nesting=nesting, wanted=wanted and not value)
            return self._close(name[0], value or default)
        message = self._message() if operator == ":?" else None
        try:
            value = self._environ[name[0]]
        except KeyError:
            value = None
        closed = self._text[self._at : self._at + 1] == "}"
        if closed and wanted and (value is None or (message is not None and not value)):
            self._undefined(name[0], says=message or "")
        return self._close(name[0], value or "")

    def _message(self) -> str:
        """What follows ``:?`` up to the closing brace, inner pairs of braces skipped."""
        self._at += 2
        start, depth = self._at, 0
        while self._at < len(self._text):
            here = self._text[self._at]
            if here == "}" and not depth:
                break
            depth += {"{": 1, "}": -1}.get(here, 0)
            self._at += 1
        return self._text[start : self._at].strip()

    def _close(self, name: str, value: str) -> str:
        if self._text[self._at : self._at + 1] == "}":
            self._at += 1
            return value
        if self._at >= len(self._text):
            return self._give_up(f"`${{{name}` is never closed")
        return self._give_up(f"`${{{name}{self._text[self._at]}` is not understood")

    def _undefined(self, name: str, *, says: str) -> None:
        reason = f": {says}" if says else ""
        self.problems.append(
            Problem(
                says=f"the variable {name} is not defined{reason}",
                hint=f"set {name}" if says else f"set {name}, or give it a default: ${{{name}:-default}}",
            )
        )

    def _give_up(self, says: str) -> str:
        self._at = len(self._text)
        hint = "write ${NAME}, ${NAME:-default} or ${NAME:?message}; a plain dollar sign is $$"
        self.problems.append(Problem(says=says, hint=hint))
        return ""
