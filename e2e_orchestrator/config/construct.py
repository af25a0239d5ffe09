"""From the tree of nodes to plain data: keys checked, merges applied, variables replaced.

Everything that is wrong is noted with its place, and the work goes on, so that one look at the
output shows all of it.
"""

from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from typing import cast

from e2e_orchestrator.config.interpolate import Uninterpolated, interpolate
from e2e_orchestrator.config.mistakes import Mistake
from e2e_orchestrator.config.nodes import Listing, Node, Scalar, Table
from e2e_orchestrator.config.scalars import Kind, Plain, kind_of

Key = str | int
Data = str | list["Data"] | dict[str, "Data"]


class Construction:
    """One pass over a tree: ``data`` is what it holds, ``mistakes`` what is wrong in it.

    Unquoted scalars that are more than text become :class:`Plain`; what they mean is for the field
    to say that takes them.
    """

    def __init__(
        self, root: Node, environ: Mapping[str, str], *, ports: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        """``ports`` has what stands for ports for now: of each service, and under "" of everything."""
        self._root = root
        # Not copied: an environment may know more than it lists. It is only read.
        known = cast("MutableMapping[str, str]", environ)
        self._lookup = {name: ChainMap(dict(own), known) for name, own in (ports or {"": {}}).items()}
        self._done: dict[tuple[int, str], Data] = {}
        self._wrong: set[int] = set()
        self.mistakes: list[Mistake] = []
        self.data = self._build(root, ())

    def already_wrong(self, node: Node) -> bool:
        """Whether a mistake was noted at this very node, so that a second one there would be noise."""
        return id(node) in self._wrong

    def _build(self, node: Node, keys: tuple[Key, ...]) -> Data:
        # An aliased node is built once and shared: the data is read, never changed. In two services it is
        # not the same, because each has a port of its own.
        known = (id(node), _service_at(keys))
        if known not in self._done:
            self._done[known] = self._construct(node, keys)
        return self._done[known]

    def _construct(self, node: Node, keys: tuple[Key, ...]) -> Data:
        if isinstance(node, Scalar):
            return self._scalar(node, keys)
        if isinstance(node, Listing):
            return [self._build(item, (*keys, index)) for index, item in enumerate(node.items)]
        assert isinstance(node, Table)  # noqa: S101 - there is no fourth kind of node.
        self._settle(node, keys)
        return {key: self._build(value, (*keys, key)) for key, (_, value) in node.fields.items()}

    def _scalar(self, node: Scalar, keys: tuple[Key, ...]) -> Data:
        try:
            text = interpolate(node.text, self._lookup.get(_service_at(keys), self._lookup[""]))
        except Uninterpolated as error:
            for problem in error.problems:
                self._note(node, keys, problem.says, hint=problem.hint)
            return ""
        if not node.plain or kind_of(text) is Kind.TEXT:
            return text
        return Plain(text, interpolated="$" in node.text)

    def _settle(self, table: Table, keys: tuple[Key, ...]) -> None:
        """Fills ``table.fields``: own entries first, then what is merged in, nearer sources first."""
        merged: list[tuple[Node, Node]] = []
        for key_node, value in table.entries:
            if not isinstance(key_node, Scalar):
                self._note(key_node, keys, "a key must be text, not a list or a mapping")
            elif key_node.plain and key_node.text == "<<":
                merged.append((key_node, value))
            elif key_node.text in table.fields:
                first = table.fields[key_node.text][0]
                self._note(
                    key_node,
                    (*keys, key_node.text),
                    f"is written twice; it stands in line {first.line} already",
                )
            elif not key_node.text.isprintable():
                self._note(key_node, keys, "a key holds a character that cannot be printed")
            else:
                table.fields[key_node.text] = (key_node, value)
        for key_node, value in merged:
            for source in value.items if isinstance(value, Listing) else [value]:
                self._merge(table, source, key_node=key_node, keys=keys)

    def _merge(self, table: Table, source: Node, *, key_node: Node, keys: tuple[Key, ...]) -> None:
        if not isinstance(source, Table):
            self._note(key_node, (*keys, "<<"), "must be an alias of a mapping, or a list of such aliases")
            return
        if not source.fields and source.entries:
            self._settle(source, keys)
        for key, field in source.fields.items():
            table.fields.setdefault(key, field)

    def _note(self, node: Node, keys: tuple[Key, ...], says: str, *, hint: str | None = None) -> None:
        self._wrong.add(id(node))
        self.mistakes.append(
            Mistake(line=node.line, column=node.column, path=spell(self._root, keys), says=says, hint=hint)
        )


def _service_at(keys: tuple[Key, ...]) -> str:
    """The service that a value belongs to; empty for all others."""
    return str(keys[1]) if len(keys) > 1 and keys[0] == "services" else ""


def child(node: Node, key: Key) -> tuple[Node, Node] | None:
    """The key's node and the value's node below this one; for a list both are the item."""
    if isinstance(node, Table) and isinstance(key, str):
        return node.fields.get(key)
    if isinstance(node, Listing) and isinstance(key, int) and 0 <= key < len(node.items):
        return node.items[key], node.items[key]
    return None


def spell(root: Node, keys: tuple[Key, ...]) -> str:
    """The way to a value in words: ``phases.health.timeout``; items of a list without a name are ``[0]``."""
    node: Node | None = root
    words = ""
    for key in keys:
        found = child(node, key) if node is not None else None
        node = found[1] if found else None
        named = _name_of(node) if isinstance(key, int) else key
        words += f".{named}" if named is not None else f"[{key}]"
    return words.removeprefix(".")


def _name_of(item: Node | None) -> str | None:
    if not isinstance(item, Table):
        return None
    for key, value in item.entries:
        if isinstance(key, Scalar) and key.text == "name" and isinstance(value, Scalar) and value.text:
            return value.text
    return None
