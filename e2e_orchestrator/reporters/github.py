"""GitHub Actions: the job's summary, annotations for what went wrong, and outputs for later steps."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TextIO

from e2e_orchestrator.errors import NowhereToReport
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.entries import entries_of_run
from e2e_orchestrator.reporters.groups import Failure, Group, failures_of, group
from e2e_orchestrator.reporters.markdown_summary import summary
from e2e_orchestrator.reporters.paths import line_of, source
from e2e_orchestrator.reporters.text import clean, clip, first_line, one_line
from e2e_orchestrator.reporters.unfinished import end_of_test
from e2e_orchestrator.reporters.wording import count, last_sentence

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"

# A step's summary of more than 1 MiB is thrown away as a whole, and more than 10 annotations of a level
# in a step are dropped without a word.
_BUDGET, _ANNOTATIONS = 900 * 1024, 10
_TITLE, _MESSAGE, _LINES, _LINE, _NAMED = 200, 2_000, 30, 400, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annotation:
    level: str
    title: str
    message: str
    file: str = ""
    line: int | None = None


class GithubReporter:
    """Appends to the files that GitHub names, and prints its commands; all of it at the end."""

    def __init__(self, context: ReporterContext, *, stream: TextIO | None = None) -> None:
        environ = context.environ
        if not (environ.get("GITHUB_ACTIONS") or environ.get(SUMMARY)):
            raise NowhereToReport(
                "the github report works in a job of GitHub Actions only",
                hint=f"use markdown elsewhere, or set {SUMMARY} to a file",
                elsewhere=True,
            )
        self._context = context
        self._stream = sys.stdout if stream is None else stream
        self._run = RunState()
        self._closed = False

    async def handle(self, envelope: Envelope) -> None:
        self._run.apply(envelope)

    async def close(self) -> None:
        """Raises OSError if a file that GitHub named cannot be written."""
        if self._closed:
            return
        self._closed = True
        groups = group(failures_of(self._run))
        for line in [*self._echoed(groups), *map(_command, self._annotations(groups))]:
            self._stream.write(f"{line}\n")
        self._stream.flush()
        self._append(SUMMARY, self._summary())
        self._append(OUTPUT, "".join(f"{name}={value}\n" for name, value in self._outputs()))

    def _append(self, variable: str, text: str) -> None:
        path = self._context.environ.get(variable, "")
        if path and text:
            with Path(path).open("ab") as file:
                file.write(text.encode())

    def _summary(self) -> str:
        path = self._context.environ.get(SUMMARY, "")
        try:
            there = os.stat(path).st_size if path else 0  # noqa: PTH116 - an empty name is no path.
        except OSError:
            there = 0
        budget = _BUDGET - there
        return (
            summary(self._run, environ=self._context.environ, budget=budget, link=False) if budget > 0 else ""
        )

    def _outputs(self) -> Iterator[tuple[str, str]]:
        run, sentence = self._run, last_sentence(self._run)
        endings = [end_of_test(test, run=run).status.value for test in run.tests]
        yield "success", str(sentence.go).lower()
        yield "exit-code", str(run.finished.exit_code) if run.finished else ""
        yield "verdict", one_line(sentence.text, limit=400)
        yield "run-id", one_line(run.run_id)
        yield "tests", str(len(endings))
        for word in ("passed", "failed", "skipped"):
            yield word, str(endings.count(word))
        yield "flaky", str(len(run.flaky))

    def _echoed(self, groups: tuple[Group, ...]) -> Iterator[str]:
        """The first error of each group, folded away, where nothing in it is taken for a command.

        What switches commands on again is a digest of the text itself, so that no text can hold it.
        """
        for one in groups[:_ANNOTATIONS]:
            lines = clean(one.failures[0].message).strip("\n").split("\n")[:_LINES]
            body = [
                f"{one_line(failure.test)} {one_line(failure.case or '')}"
                for failure in one.failures[:_NAMED]
            ]
            text = [*body, *(clip(line.rstrip(), limit=_LINE) for line in lines)]
            token = sha256("\n".join(text).encode()).hexdigest()
            yield f"::group::{_data(f'{len(one.failures)}: {one.title}')}"
            yield f"::stop-commands::{token}"
            yield from (f"  {line}" for line in text)
            yield f"::{token}::"
            yield "::endgroup::"

    def _annotations(self, groups: tuple[Group, ...]) -> Iterator[_Annotation]:
        """At most ten of a level; the last one says how many there are besides."""
        required = [one for one in groups if self._gating(one)]
        own = [one for one in entries_of_run(self._run) if one.bad]
        errors = [
            _Annotation(level="error", title=one.name, message=one.message or one.raw) for one in own
        ] + [self._of_group(one, level="error") for one in required]
        warnings = [self._of_group(one, level="warning") for one in groups if not self._gating(one)]
        warnings += [self._of_flaky(test) for test in self._run.flaky]
        for level, told in (("error", errors), ("warning", warnings)):
            yield from told if len(told) <= _ANNOTATIONS else told[: _ANNOTATIONS - 1]
            if (more := len(told) - _ANNOTATIONS + 1) > 1:
                yield _Annotation(
                    level=level, title="More", message=f"{more} more: see the summary of the job"
                )

    def _gating(self, one: Group) -> bool:
        required = {phase.name for phase in self._run.phases if phase.required}
        return any(self._run.test(test).test.phase in required for test in one.tests)

    def _of_group(self, one: Group, *, level: str) -> _Annotation:
        first = one.failures[0]
        many = len(one.failures) > 1
        where = ", ".join(one.tests[:_NAMED]) + (" …" if len(one.tests) > _NAMED else "")
        head = f"{count(len(one.failures), 'failure')} in {where}\n" if many else ""
        found = _Annotation(
            level=level,
            title=one.title if many else f"{first.test}: {one.title}",
            message=head + "\n".join(clean(first.message).strip("\n").split("\n")[:_LINES]),
        )
        return self._placed(found, first)

    def _of_flaky(self, test: TestState) -> _Annotation:
        error = test.first_error or ""
        bad = next((case for attempt in test.attempts for case in attempt.cases if case.bad), None)
        failure = Failure(
            test=test.test.id,
            message=error,
            file=bad.file if bad else None,
            line=line_of(bad) if bad else None,
        )
        said = first_line(error) or "failed, then passed"
        found = _Annotation(level="warning", title=f"flaky: {test.test.id}", message=said)
        return self._placed(found, failure)

    def _placed(self, found: _Annotation, failure: Failure) -> _Annotation:
        if not failure.file:
            return found
        test = self._run.test(failure.test).test
        file = source(failure.file, test=test, plan=self._run.plan, environ=self._context.environ)
        return replace(found, file=file, line=failure.line)


def _command(one: _Annotation) -> str:
    where = [f"file={_property(one.file)}"] if one.file else []
    where += [f"line={one.line}"] if one.file and one.line else []
    return f"::{one.level} {','.join([*where, f'title={_property(one.title)}'])}::{_data(one.message)}"


def _data(text: str) -> str:
    """https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts, cut before it is encoded."""
    shown = clean(text)[:_MESSAGE]
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text, limit=_TITLE)).replace(":", "%3A").replace(",", "%2C")
