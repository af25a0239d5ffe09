"""The YAML text as a tree of nodes that know their line and column.

Built from the parser's events with a stack of our own: nothing here recurses, so that no file can
exhaust the interpreter's stack, and aliases are counted before anything expands them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

MAX_DEPTH = 40
MAX_VALUES = 500_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
_COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!")


class Unreadable(Exception):  # noqa: N818 - a mistake of the file, found before there is a tree.
    """The text is no YAML that we accept; ``line`` and ``column`` count from 1."""

    def __init__(self, says: str, *, line: int = 1, column: int = 1, hint: str | None = None) -> None:
        super().__init__(says)
        self.says, self.line, self.column, self.hint = says, line, column, hint


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """``size`` and ``height`` count the node and all below it, every alias as if written out."""

    line: int
    column: int
    size: int = 1
    height: int = 1


NodeT = TypeVar("NodeT", bound=Node)


@dataclass(slots=True, eq=False, kw_only=True)
class Scalar(Node):
    """``plain``: written without quotes, so that its look decides what it means."""

    text: str
    plain: bool


@dataclass(slots=True, eq=False, kw_only=True)
class Listing(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class Table(Node):
    """``entries`` as written; ``fields`` by key once duplicates and merges are settled."""

    entries: list[tuple[Node, Node]] = field(default_factory=list)
    key: Node | None = None
    fields: dict[str, tuple[Node, Node]] = field(default_factory=dict)


def compose(text: str) -> Node:
    """The only document of the text. Raises Unreadable, saying what is wrong and where."""
    refused = _NOT_ALLOWED.search(text)
    if refused:
        line = text.count("\n", 0, refused.start()) + 1
        column = refused.start() - text.rfind("\n", 0, refused.start())
        raise Unreadable(
            f"the character U+{ord(refused[0]):04X} is not allowed in YAML",
            line=line,
            column=column,
            hint='write it as an escape in double quotes, such as "\\x1b"',
        )
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text) from None
    if composer.root is None or _is_nothing(composer.root):
        raise Unreadable("the file is empty", hint="`e2e-orchestrate schema` says what may stand in it")
    return composer.root


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.text in ("", "~", "null")


class _Composer:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Listing | Table] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._attach(self._alias(event), event=event)
        elif isinstance(event, yaml.ScalarEvent):
            self._attach(self._remember(self._scalar(event), event), event=event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._attach(self._open.pop(), event=event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise _unreadable(event, "a second document starts here", hint="one file holds one configuration")

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        if event.tag not in (None, *_COLLECTION_TAGS):
            raise _unknown_tag(event, event.tag)
        if len(self._open) >= MAX_DEPTH:
            raise _too_deep(event)
        line, column = _at(event)
        kind = Listing if isinstance(event, yaml.SequenceStartEvent) else Table
        self._open.append(self._remember(kind(line=line, column=column), event))

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if event.tag not in (None, *_STRING_TAGS):
            raise _unknown_tag(event, event.tag)
        line, column = _at(event)
        plain = event.tag is None and not event.style
        return Scalar(text=event.value, plain=plain, line=line, column=column)

    def _remember(self, node: NodeT, event: yaml.NodeEvent) -> NodeT:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(str(event.anchor))
        if node is None:
            raise _unreadable(event, f"no anchor &{event.anchor} stands above")
        if any(node is still_open for still_open in self._open):
            raise _unreadable(event, f"*{event.anchor} contains itself")
        return node

    def _attach(self, node: Node, *, event: yaml.Event) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if len(self._open) + node.height > MAX_DEPTH + 1:
            raise _too_deep(event)
        if parent.size > MAX_VALUES:
            raise _unreadable(
                event,
                f"holds more than {MAX_VALUES:,} values, aliases counted",
                hint="aliases of aliases multiply: write out what is needed",
            )
        if isinstance(parent, Listing):
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            parent.entries.append((parent.key, node))
            parent.key = None


def _at(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _unreadable(event: yaml.Event, says: str, *, hint: str | None = None) -> Unreadable:
    line, column = _at(event)
    return Unreadable(says, line=line, column=column, hint=hint)


def _too_deep(event: yaml.Event) -> Unreadable:
    return _unreadable(event, f"nested deeper than {MAX_DEPTH} levels")


def _unknown_tag(event: yaml.Event, tag: str) -> Unreadable:
    short = tag.replace("tag:yaml.org,2002:", "!!")
    return _unreadable(event, f"the tag {short} has no meaning here", hint="write the value without it")


def _explain(error: yaml.MarkedYAMLError, text: str) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines() or [""]
    written = lines[min(line, len(lines) - 1)]
    says = ", ".join(part for part in (error.context, error.problem) if part)
    for hint in _hints(says, written, before=written[:column]):
        return Unreadable(f"is no valid YAML: {says}", line=line + 1, column=column + 1, hint=hint)
    return Unreadable(f"is no valid YAML: {says}", line=line + 1, column=column + 1)


def _hints(says: str, written: str, *, before: str) -> Iterator[str]:
    if "\t" in before + written[len(before) : len(before) + 1]:
        yield "a tab stands here: indent with spaces"
    if "${" in written and "flow" in says:
        yield 'inside { } and [ ] a variable needs quotes: "${NAME}"'
    if "mapping values are not allowed" in says:
        yield 'text with a colon needs quotes: "a: b"; check the indentation too'
    if "expected <block end>" in says or "did not find expected" in says:
        yield "check the indentation of this line and of the one above"
