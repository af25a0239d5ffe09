"""Which ports the services of a file want, read from its tree before any variable is replaced.

``${API_PORT}`` looks like any other variable, but its value is known only once the service has its port.
Until then the reference stands for itself.
"""

from collections.abc import Iterator, Mapping

from e2e_orchestrator.config.nodes import Listing, Node, Scalar, Table
from e2e_orchestrator.model.references import VARIABLE, port_variable, reference

_OWN = "${port}"


def ports_of(tree: Node) -> dict[str, tuple[str, ...]]:
    """Service -> the variables that hold its ports; the first of them is its ``${port}``."""
    return {name: _ports(name, node) for name, node in _entries(_below(tree, "services"))}


def stand_ins(ports: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, str]]:
    """Service -> what stands for a port in it; under the empty name what does everywhere."""
    everywhere = {name: reference(name) for names in ports.values() for name in names}
    own = {service: {**everywhere, "port": reference(names[0])} for service, names in ports.items() if names}
    return {"": everywhere, **own}


def _ports(name: str, service: Node) -> tuple[str, ...]:
    listed = _below(service, "ports")
    named = (
        [item.text for item in listed.items if isinstance(item, Scalar)]
        if isinstance(listed, Listing)
        else []
    )
    named = [text for text in named if VARIABLE.fullmatch(text)]
    if named:
        return tuple(named)
    return (port_variable(name),) if any(_OWN in text for text in _texts(service)) else ()


def _below(node: Node | None, key: str) -> Node | None:
    return next((value for name, value in _entries(node) if name == key), None)


def _entries(node: Node | None) -> Iterator[tuple[str, Node]]:
    """A table's own entries, then those that it merges."""
    if not isinstance(node, Table):
        return
    for key, value in node.entries:
        if isinstance(key, Scalar) and key.text != "<<":
            yield key.text, value
    for key, value in node.entries:
        if isinstance(key, Scalar) and key.text == "<<":
            for source in value.items if isinstance(value, Listing) else [value]:
                yield from _entries(source)


def _texts(node: Node) -> Iterator[str]:
    waiting, seen = [node], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Scalar):
            yield one.text
        elif isinstance(one, Listing):
            waiting += one.items
        elif isinstance(one, Table):
            waiting += (value for _, value in one.entries)
