"""The test labels of a Django project, from its folders alone: to import it would need its settings.

What counts is what Django's own discovery would load: ``tests.py`` and ``test_*.py`` in packages.
"""

from pathlib import Path, PurePosixPath

from e2e_orchestrator.model.plan import Split
from e2e_orchestrator.planning.surroundings import Surroundings

_PATTERNS = ("**/test_*.py", "**/tests.py")
_NOT_OURS = frozenset({"site-packages", "dist-packages", "migrations"})
_FOLDERS_OF_TESTS = frozenset({"tests", "test"})


def discovered(folder: Path, *, split: Split, surroundings: Surroundings) -> list[str]:
    """Sorted labels, none of which runs a test of another: of modules, or of the apps that hold them."""
    files = {found for pattern in _PATTERNS for found in surroundings.glob(folder, pattern)}
    modules = [
        PurePosixPath(file).with_suffix("").parts
        for file in files
        if _is_ours(PurePosixPath(file), folder=folder, surroundings=surroundings)
    ]
    if split is Split.MODULE:
        return sorted(".".join(parts) for parts in modules)
    apps = {_app(parts) for parts in modules}
    # An app inside another is run by the outer one's label.
    outermost = (one for one in apps if not any(one[:length] in apps for length in range(1, len(one))))
    return sorted(".".join(parts) for parts in outermost)


def _is_ours(file: PurePosixPath, *, folder: Path, surroundings: Surroundings) -> bool:
    packages = [one for one in file.parents if one.parts]
    return (
        all(part.isidentifier() for part in file.with_suffix("").parts)
        and not _NOT_OURS & set(file.parts)
        and all(surroundings.exists(folder / one / "__init__.py") for one in packages)
    )


def _app(module: tuple[str, ...]) -> tuple[str, ...]:
    """The package above its tests; a module at the top is its own app."""
    packages = module[:-1]
    at = next((index for index, part in enumerate(packages) if part in _FOLDERS_OF_TESTS), len(packages))
    return packages[:at] or module[: at + 1]
