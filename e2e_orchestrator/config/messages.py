"""Pydantic's findings in our words: one table of its error types, one line each."""

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from e2e_orchestrator.config.mistakes import suggestion
from e2e_orchestrator.config.nodes import Listing, Node, Scalar, Table
from e2e_orchestrator.config.scalars import Kind, kind_of
from e2e_orchestrator.config.schema import Config
from e2e_orchestrator.config.values import Refused

_MAX_SHOWN = 40

WORDING: dict[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    "model_type": "must be a mapping, not {found}",
    "dict_type": "must be a mapping, not {found}",
    "tuple_type": "must be a list, not {found}",
    "too_short": "must not be empty",
    "union_tag_not_found": "must be a mapping (name: target), a list, or auto, not {found}",
}

_HINTS: dict[str, str] = {
    "model_type": "write `key: value` lines, indented below it",
    "dict_type": "write `key: value` lines, indented below it",
    "tuple_type": "write [one, two], or one line with a dash for each",
    "union_tag_not_found": "write `name: path/to/test_file.py` below it",
}


def explain(error: ErrorDetails, node: Node) -> tuple[str, str | None]:
    """What is wrong and a hint, in our words. The value is shown only where it can be no secret."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, Refused):
        says, hint = cause.message, cause.hint
        secret = False
    else:
        says = WORDING.get(error["type"], "is not accepted here")
        hint = _HINTS.get(error["type"])
        secret = True
    if error["type"] == "extra_forbidden":
        hint = _known_keys(error)
    return says.replace("{value}", _found(node)).replace("{found}", _found(node, secret=secret)), hint


def _found(node: Node, *, secret: bool = False) -> str:
    """A scalar as it was written, before any variable was replaced; of a secret one only its kind."""
    if isinstance(node, Listing):
        return "a list"
    if isinstance(node, Table):
        return "a mapping"
    assert isinstance(node, Scalar)  # noqa: S101 - there is no fourth kind of node.
    kind = kind_of(node.text) if node.plain else Kind.TEXT
    if kind is Kind.NOTHING:
        return "nothing"
    if secret and kind is Kind.TEXT:
        return "text"
    shown = node.text if len(node.text) <= _MAX_SHOWN else f"{node.text[:_MAX_SHOWN]}…"
    return f"`{shown}`" if node.plain else f'the text "{shown}"'


def _known_keys(error: ErrorDetails) -> str:
    *parents, key = error["loc"]
    known: list[str] = []
    for model in _models_at(tuple(parents)):
        known += (field.alias or name for name, field in model.model_fields.items())
    return suggestion(str(key), known, otherwise="known here")


def _models_at(location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    found: list[Any] = [Config]
    for part in location:
        found = [inner for outer in found for inner in _below(outer, part)] or found
    return [
        it for outer in found for it in _unfold(outer) if isinstance(it, type) and issubclass(it, BaseModel)
    ]


def _below(outer: Any, part: int | str) -> Iterator[Any]:
    """The types that a part of a location may lead to; nothing for the tags that pydantic adds."""
    for kind in _unfold(outer):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            if field is not None:
                yield field.annotation
        elif get_origin(kind) is dict and isinstance(part, str) and not part.startswith("\0"):
            yield get_args(kind)[1]
        elif get_origin(kind) is tuple and isinstance(part, int):
            yield get_args(kind)[0]


def _unfold(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        yield from _unfold(get_args(kind)[0])
    elif get_origin(kind) in (types.UnionType, typing.Union):
        for member in get_args(kind):
            yield from _unfold(member)
    else:
        yield kind
