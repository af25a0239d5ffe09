"""Brings what a shard's attempts left behind into the merged run's own folder, and rewrites the paths to it."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from e2e_orchestrator.merging.parts import Part
from e2e_orchestrator.model.outcomes import Attachment, Attempt, Case
from e2e_orchestrator.process.came import SUFFIX


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Of one part. ``folder`` is where it goes, below ``output``; ``slots`` are those of the parts before.

    Copied rather than referred to: shards come as downloads of a CI job that are gone tomorrow. On one file
    system a link costs nothing.
    """

    part: Part
    folder: Path
    output: Path
    slots: int
    missing: list[str] = field(default_factory=list)
    _moved: dict[str, str] = field(default_factory=dict)

    def attempt(self, attempt: Attempt) -> Attempt:
        output = attempt.output
        return replace(
            attempt,
            slot=attempt.slot + self.slots,
            output=replace(output, path=self.path(output.path)) if output else None,
            cases=tuple(self.case(case) for case in attempt.cases),
            attachments=self._attachments(attempt.attachments),
            services=tuple(
                replace(one, service=self.part.own(one.service), log=self.log(one.log))
                for one in attempt.services
            ),
        )

    def case(self, case: Case) -> Case:
        return replace(case, attachments=self._attachments(case.attachments)) if case.attachments else case

    def log(self, path: str) -> str:
        """As :meth:`path`, of a service's log; the times beside it come along, and nobody misses them."""
        if path not in self._moved:
            root, rest = self._source(path + SUFFIX)
            if _below(rest):
                _bring(root / rest, self.folder / rest, root=root)
        return self.path(path)

    def path(self, path: str) -> str:
        """The new path of a file, which is there from now on unless it was not there before."""
        if path not in self._moved:
            self._moved[path] = self._move(path)
        return self._moved[path]

    def _attachments(self, attachments: Iterable[Attachment]) -> tuple[Attachment, ...]:
        return tuple(replace(one, path=self.path(one.path)) for one in attachments)

    def _move(self, path: str) -> str:
        root, rest = self._source(path)
        if not _below(rest):
            self.missing.append(path)
            return path
        target = self.folder / rest
        if not _bring(root / rest, target, root=root):
            self.missing.append(path)
        return target.relative_to(self.output).as_posix()

    def _source(self, path: str) -> tuple[Path, PurePosixPath]:
        """A folder of the part, and the way to the file from there."""
        own = PurePosixPath("runs", self.part.state.run_id)
        given = PurePosixPath(path)
        inside = given.is_relative_to(own)
        # The run's folder may have been kept without the folders around it.
        root = self.part.run.folder if inside else self.part.run.output
        return root, given.relative_to(own) if inside else given


def _below(path: PurePosixPath) -> bool:
    return not path.is_absolute() and ".." not in path.parts


def _bring(source: Path, target: Path, *, root: Path) -> bool:
    """Whether there is something now. What a link leads to outside of the run stays there."""
    try:
        real = source.resolve(strict=True)
        if not real.is_relative_to(root.resolve()):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        if real.is_dir():
            shutil.copytree(real, target, symlinks=True, copy_function=_link, dirs_exist_ok=True)
        else:
            _link(real, target)
    except (OSError, ValueError, RuntimeError):  # Also a path with a null byte, and links in a circle.
        return False
    return True


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:  # Another file system, or one without links.
        shutil.copy2(source, target, follow_symlinks=False)
