"""Finds runners and reporters by name: the built-in tables first, then entry points; a clash is an error.

    [project.entry-points."e2e_orchestrator.runners"]
    cypress = "my_package:CypressRunner"

Nothing is imported before it is asked for.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from e2e_orchestrator.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    # They know every event, which takes 40 ms that a plan needs not.
    from e2e_orchestrator.protocols import ReporterFactory, RunnerFactory


def runner(kind: str) -> "RunnerFactory":
    """Raises UsageError for an unknown kind, and for a plug-in that cannot be imported."""
    return cast("RunnerFactory", _find(kind, what="runner"))


def know_runner(kind: str) -> None:
    """Raises what :func:`runner` would; loads nothing of what is built in, which takes 60 ms."""
    if kind not in _builtin("runner"):
        runner(kind)


def know_reporter(name: str) -> None:
    """The same for a reporter."""
    if name not in _builtin("reporter"):
        reporter(name)


def know_reporters(names: Iterable[str]) -> None:
    """The same for all of them, with everything that is wrong in one error."""
    refused = []
    for name in names:
        try:
            know_reporter(name)
        except UsageError as error:
            refused.append(error)
    if refused:
        said = [*map(str, refused[:-1]), refused[-1].message]
        raise UsageError("\n".join(said), hint=refused[-1].hint)


def reporter(name: str) -> "ReporterFactory":
    """Raises UsageError for an unknown name, and for a plug-in that cannot be imported."""
    return cast("ReporterFactory", _find(name, what="reporter"))


def names(what: str) -> list[str]:
    """Every known ``runner`` or ``reporter``."""
    return sorted({*_builtin(what), *_installed(what)})


def _builtin(what: str) -> Mapping[str, str]:
    """The table of the package itself: ``runners.BUILTIN``, ``reporters.BUILTIN``."""
    table: Mapping[str, str] = import_module(f"e2e_orchestrator.{what}s").BUILTIN
    return table


def _installed(what: str) -> dict[str, "EntryPoint"]:
    # 20 ms to load, which only names that are not built in are worth.
    from importlib.metadata import entry_points  # noqa: PLC0415

    return {point.name: point for point in entry_points(group=f"e2e_orchestrator.{what}s")}


def _find(name: str, *, what: str) -> Any:
    table = _builtin(what)
    if name in table:
        module, _, attribute = table[name].partition(":")
        return getattr(import_module(module), attribute)
    if point := _installed(what).get(name):
        _refuse_clashes(name, what=what, group=f"e2e_orchestrator.{what}s")
        return _loaded(point, what=what)
    known = names(what)
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UsageError(f"unknown {what} {name!r}", hint=f"{hint}there are: {', '.join(known)}")


def _refuse_clashes(name: str, *, what: str, group: str) -> None:
    from importlib.metadata import entry_points  # noqa: PLC0415 - loaded already, see above.

    owners = sorted({point.dist.name for point in entry_points(group=group, name=name) if point.dist})
    if len(owners) > 1:
        raise UsageError(
            f"{what} {name!r} is offered by more than one package: {', '.join(owners)}",
            hint="uninstall all but one of them",
        )


def _loaded(point: "EntryPoint", *, what: str) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise UsageError(
            f"{what} {point.name!r} ({point.value}) cannot be loaded: {type(error).__name__}: {error}",
            hint="is the package that offers it installed completely?",
        ) from error
