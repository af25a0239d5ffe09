"""An earlier run as a baseline: from its journal, or from the results that another machine wrote."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.history.foreign import OddError, Told
from e2e_orchestrator.model.baseline import Baseline, BaselineFailure, BaselineTest
from e2e_orchestrator.model.outcomes import BAD_CASES, CaseStatus, Reason, Status
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.reporters.groups import Failure, failures_of, group
from e2e_orchestrator.reporters.unfinished import end_of_test
from e2e_orchestrator.safety.regular import open_regular

_SCHEMA, _LARGEST_SCHEMA, _LARGEST_EXIT_CODE = 1, 1_000_000, 255
_LARGEST = 512 << 20
_STATUSES = ("passed", "failed", "skipped")  # A result file is written when nothing is pending any more.
_CASE_STATUSES = tuple(CaseStatus)
_GIVE = "give a run's id, its folder, its journal.jsonl, or an e2e-results.json"


def baseline_of_run(run: RunState) -> Baseline:
    """Of a run that never finished, as far as it came."""
    endings = {state.test.id: end_of_test(state, run=run) for state in run.tests}
    return Baseline(
        run_id=run.run_id,
        started_at=run.started_at,
        exit_code=run.finished.exit_code if run.finished else None,
        tests=tuple(
            BaselineTest(
                test=test, status=one.status, flaky=one.reason is Reason.FLAKY, duration=one.duration
            )
            for test, one in endings.items()
        ),
        failures=tuple(_signed(failures_of(run))),
    )


def baseline_of_results(path: Path) -> Baseline:
    """From an ``e2e-results.json``. Raises UsageError, which names file and place, for what is none."""
    results = Told(value=_read(path))
    try:
        _known(results, path)
        tests = [
            (f"{phase.part('name').text()}/{test.part('name').text()}", test)
            for phase in results.part("phases").each()
            for test in phase.part("tests").each()
        ]
        return Baseline(
            run_id=results.part("run_id").text(),
            started_at=results.part("timestamp").text_or_nothing(),
            exit_code=results.part("exit_code").whole_or_null(most=_LARGEST_EXIT_CODE),
            tests=tuple(_test(name, test) for name, test in tests),
            failures=tuple(_signed(failure for name, test in tests for failure in _failures(name, test))),
        )
    except OddError as error:
        raise UsageError(f"{path} is no result file of e2e-orchestrate: {error}", hint=_GIVE) from error


def _read(path: Path) -> object:
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST + 1)
        return json.loads(data, parse_constant=_refuse)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_GIVE) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}", hint=_GIVE) from error


def _refuse(constant: str) -> NoReturn:
    """Python reads them; JSON has no such words."""
    raise ValueError(f"{constant} is no number")


def _known(results: Told, path: Path) -> None:
    schema = results.part("schema").whole(most=_LARGEST_SCHEMA)
    if schema > _SCHEMA:
        raise UsageError(
            f"{path} was written by a newer version: its schema is {schema}, this one reads {_SCHEMA}",
            hint="upgrade e2e-orchestrator to the version that wrote it",
        )


def _test(name: str, test: Told) -> BaselineTest:
    return BaselineTest(
        test=name,
        status=Status(test.part("status").word(_STATUSES)),
        flaky=test.part("reason").text_or_nothing() == Reason.FLAKY.value,
        duration=test.part("duration").seconds(),
    )


def _failures(name: str, test: Told) -> Iterator[Failure]:
    """As ``groups.failures_of`` makes them of a journal.

    A bad case without a message has the test's own; ``error`` is that, unless a case's stands in for it.
    """
    cases = [
        (
            one.part("id").text(),
            one.part("status").word(_CASE_STATUSES),
            one.part("message").text_or_nothing(),
        )
        for one in test.part("cases").each()
    ]
    error = test.part("error").text_or_nothing()
    if test.part("status").value != Status.FAILED.value:
        return
    bad = [(case, message) for case, status, message in cases if status in BAD_CASES]
    why = "" if error in [message for _, message in bad] else error
    for case, message in bad:
        yield Failure(test=name, case=case, message=message or why)
    if not bad:
        yield Failure(test=name, message=error)


def _signed(failures: Iterator[Failure] | tuple[Failure, ...]) -> Iterator[BaselineFailure]:
    for one in group(failures):
        for failure in one.failures:
            yield BaselineFailure(
                test=failure.test, case=failure.case, signature=one.signature, title=one.title
            )
