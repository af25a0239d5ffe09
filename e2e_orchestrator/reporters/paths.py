"""Paths as other tools expect them: sources from the top of the repository, evidence from where it was collected."""

import os.path
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath

from e2e_orchestrator.model.outcomes import Case
from e2e_orchestrator.model.plan import Plan, Test
from e2e_orchestrator.protocols import ReporterContext

# Where CI servers say that they put the repository.
_CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE", "BUILD_SOURCESDIRECTORY")


def repository(plan: Plan | None, environ: Mapping[str, str]) -> str:
    """The folder that the paths in reports start at: the CI server's checkout, else the folder of phases.yaml."""
    root = plan.root if plan else ""
    for name in _CHECKOUTS:
        folder = environ.get(name, "")
        if folder and (not root or PurePath(root).is_relative_to(folder)):
            return folder
    return root


def source(file: str, *, test: Test, plan: Plan | None, environ: Mapping[str, str]) -> str:
    """A case's file, relative to the repository; as it is if it lies elsewhere.

    pytest counts from its rootdir, which may lie above the folder that the test runs in: the target says so.
    """
    return _source(file, test.cwd, test.target.partition("::")[0], repository(plan, environ))


@lru_cache(maxsize=4_096)  # The cases of a file share it, and a big run has tens of thousands of them.
def _source(file: str, cwd: str, target: str, top: str) -> str:
    found = os.path.normpath(os.path.join(cwd, target))  # noqa: PTH118 - pure text.
    if not found.endswith(f"/{file}"):
        found = os.path.normpath(os.path.join(cwd, file))  # noqa: PTH118 - pure text.
    return _below(found, top) or file


def line_of(case: Case) -> int | None:
    """The case's line, None where there is none: a runner of others may say 0 or -1, and GitHub and GitLab refuse both."""
    return case.line if case.line and case.line > 0 else None


def evidence(path: str, *, context: ReporterContext, plan: Plan | None) -> str:
    """A file of the output folder, relative to the repository if it lies in there, else to the output folder."""
    return _below(str(context.root / path), repository(plan, context.environ)) or path


def _below(path: str, folder: str) -> str | None:
    if not folder or not PurePath(path).is_relative_to(folder) or ".." in PurePath(path).parts:
        return None
    return PurePath(path).relative_to(folder).as_posix()
