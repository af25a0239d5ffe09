"""Reads phases.yaml: either a valid configuration, or every mistake with its line and column."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from e2e_orchestrator.config.checks import findings
from e2e_orchestrator.config.construct import Construction, Data, Key, child, spell
from e2e_orchestrator.config.messages import explain
from e2e_orchestrator.config.mistakes import Mistake, config_error
from e2e_orchestrator.config.nodes import Node, Table, Unreadable, compose
from e2e_orchestrator.config.ports import ports_of, stand_ins
from e2e_orchestrator.config.schema import Config
from e2e_orchestrator.config.service_checks import service_findings
from e2e_orchestrator.errors import ConfigError, UsageError

MAX_BYTES = 1024 * 1024
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """A valid configuration; ``root`` is the absolute folder of its file, where relative paths start.

    ``digest`` stands for what is written in it, before any variable was replaced, whatever its line ends.
    """

    model: Config
    path: Path
    root: Path
    tree: Node
    digest: str = ""

    def where(self, *keys: Key) -> str:
        """``phases.yaml:LINE:COLUMN`` of a value, or of the nearest thing above it that is written."""
        node = _follow(self.tree, keys).value
        return f"{self.path}:{node.line}:{node.column}"

    def mistake(self, *keys: Key, says: str, hint: str | None = None) -> Mistake:
        """A mistake at this value, for what only the planning can see."""
        place = _follow(self.tree, keys)
        node, path = place.value, spell(self.tree, place.keys)
        return Mistake(line=node.line, column=node.column, path=path, says=says, hint=hint)


def load_config(path: Path, *, environ: Mapping[str, str]) -> LoadedConfig:
    """The configuration in this file, its variables taken from ``environ``.

    Raises ConfigError with all mistakes, in the order of the file; UsageError if there is no such file.
    """
    try:
        text = _read(path)
        tree = compose(text)
    except Unreadable as error:
        mistake = Mistake(line=error.line, column=error.column, path="", says=error.says, hint=error.hint)
        raise config_error([mistake], file=str(path)) from None
    ports = ports_of(tree)
    construction = Construction(tree, environ, ports=stand_ins(ports))
    mistakes = list(construction.mistakes)
    if not isinstance(construction.data, dict):
        raise config_error([*mistakes, _no_mapping(tree)], file=str(path))
    data = {key: value for key, value in construction.data.items() if not key.startswith("x-")}
    _name_ports(data, ports)
    model, invalid = _validate(data)
    for mistake, node in _translate(tree, invalid, data):
        if not construction.already_wrong(node):
            mistakes.append(mistake)
    if mistakes or model is None:
        raise config_error(mistakes, file=str(path))
    digest = sha256("\n".join(text.splitlines()).encode("utf-8", "replace")).hexdigest()[:_DIGITS]
    return LoadedConfig(model=model, path=path, root=_root(path), tree=tree, digest=digest)


def _name_ports(data: dict[str, Data], ports: Mapping[str, tuple[str, ...]]) -> None:
    """A service that writes ``${port}`` without naming one has one nevertheless."""
    services = data.get("services")
    for name, names in ports.items():
        if isinstance(services, dict) and names and isinstance(service := services.get(name), dict):
            services[name] = {**service, "ports": service.get("ports") or list(names)}


def _root(path: Path) -> Path:
    return path.parent.resolve()


def _read(path: Path) -> str:
    hint = "e2e-orchestrate --config PATH names another file; the README has one to begin with"
    try:
        with path.open("rb") as file:
            # One byte more than allowed tells a file that is too big, even one that never ends.
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file", hint=hint) from None
    except IsADirectoryError:
        inside = path / "phases.yaml"
        raise UsageError(
            f"{path} is a folder", hint=f"e2e-orchestrate --config {inside}" if inside.is_file() else hint
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {os.strerror(error.errno or 0)}", hint=hint) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError([f"{path}:1:1: is larger than 1 MiB"])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        raise Unreadable(
            f"is not UTF-8: byte 0x{raw[error.start]:02x}",
            line=before.count(b"\n") + 1,
            column=len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1,
            hint="save the file as UTF-8",
        ) from None


def _no_mapping(tree: Node) -> Mistake:
    return Mistake(
        line=tree.line,
        column=tree.column,
        path="",
        says="the file must be a mapping of keys such as `runners` and `phases`",
        hint="`e2e-orchestrate schema` says what may stand in it",
    )


def _validate(data: dict[str, Data]) -> tuple[Config | None, ValidationError | None]:
    try:
        return Config.model_validate(data), None
    except ValidationError as error:
        return None, error


def _translate(
    tree: Node, invalid: ValidationError | None, data: dict[str, Data]
) -> Iterator[tuple[Mistake, Node]]:
    for error in invalid.errors(include_url=False) if invalid else ():
        place = _follow(tree, error["loc"])
        if error["type"] == "too_short" and place.value.size > 1:
            # Pydantic counts only the valid items; their own mistakes say more.
            continue
        of_key = error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",)
        node = place.key if of_key else place.value
        keys = (*place.keys, error["loc"][-1]) if error["type"] == "missing" else place.keys
        says, hint = explain(error, place.value)
        yield Mistake(line=node.line, column=node.column, path=spell(tree, keys), says=says, hint=hint), node
    for finding in (*findings(data), *service_findings(data)):
        node = _follow(tree, finding.keys).value
        yield (
            Mistake(
                line=node.line,
                column=node.column,
                path=spell(tree, finding.keys),
                says=finding.says,
                hint=finding.hint,
            ),
            node,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    keys: tuple[Key, ...]
    key: Node
    value: Node


def _follow(tree: Node, keys: tuple[Key, ...]) -> _Place:
    """As far down as the file goes. Skips what pydantic put between: tags of unions, marks of keys."""
    place = _Place(keys=(), key=tree, value=tree)
    for key in keys:
        found = child(place.value, key)
        if found is not None:
            place = _Place(keys=(*place.keys, key), key=found[0], value=found[1])
        elif not isinstance(place.value, Table):
            continue
    return place
