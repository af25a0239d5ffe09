"""Runs one attempt of a test for real: a runner's command, a child process, the runner's judgement."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Judged, Limit
from e2e_orchestrator.model.plan import RunnerSpec, Test
from e2e_orchestrator.protocols import Runner, RunnerFactory

_GRACE = 3.0
_POLL = 0.05


def attempt_spec(output_root: Path, *, name: str = "attempt", number: int = 1) -> AttemptSpec:
    folder = output_root / name / str(number)
    folder.mkdir(parents=True)
    return AttemptSpec(
        number=number,
        max_attempts=3,
        run_id="run",
        slot=0,
        slot_count=1,
        folder=folder,
        output_root=output_root,
    )


def as_the_executor_does(test: Test, spec: AttemptSpec) -> dict[str, str]:
    """The variables that every child sees."""
    return {
        "E2E_RUN_ID": spec.run_id,
        "E2E_PHASE": test.phase,
        "E2E_TEST": test.name,
        "E2E_ATTEMPT": str(spec.number),
        "E2E_MAX_ATTEMPTS": str(spec.max_attempts),
        "E2E_SLOT": str(spec.slot),
        "E2E_SLOT_COUNT": str(spec.slot_count),
        "E2E_OUTPUT_DIR": str(spec.folder),
        "E2E_EVENTS": str(spec.events),
    }


def execute(
    command: Command,
    *,
    test: Test,
    spec: AttemptSpec,
    limit: float | None = None,
    over: Callable[[], bool] = lambda: False,
) -> Completed:
    """Ends the child after ``limit`` seconds or as soon as ``over`` says so, as a limit of the test would.

    Waits for the process alone, never for who else holds its output; the whole group is ended with it.
    """
    output = spec.folder / "output.log"
    env = {**os.environ, **command.env, **as_the_executor_does(test, spec)}
    started = time.monotonic()
    with output.open("wb") as file:
        try:
            child = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return Completed(
                exit_status=None, duration=0, folder=spec.folder, output=output, start_error=str(error)
            )
        ended = False
        try:
            ended = _ends_by_itself(child, limit=limit, over=over)
            if not ended:
                _end(child)
        finally:
            _signal(child.pid, signal.SIGKILL)
            child.wait()
    return Completed(
        exit_status=child.returncode,
        duration=time.monotonic() - started,
        folder=spec.folder,
        output=output,
        tail=output.read_bytes()[-16_384:].decode("utf-8", "replace"),
        limit=None if ended else Limit.TEST,
        limit_seconds=None if ended else limit,
        killed=not ended,
    )


def _ends_by_itself(child: subprocess.Popen[bytes], *, limit: float | None, over: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + limit if limit is not None else None
    while True:
        try:
            child.wait(_POLL)
        except subprocess.TimeoutExpired:
            if over() or (deadline is not None and time.monotonic() > deadline):
                return False
            continue
        return True


def _end(child: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        _signal(child.pid, number)
        try:
            child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
        return


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


@dataclass(kw_only=True)
class Bench:
    """One runner over projects in a folder."""

    factory: RunnerFactory
    kind: str
    root: Path
    output: Path
    python: str | None = None
    attempts: int = 0

    def runner(self) -> Runner:
        return self.factory(
            RunnerSpec(
                name="bench",
                kind=self.kind,
                root=str(self.root),
                python=self.python,
            )
        )

    def test(
        self,
        target: str,
        *,
        args: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Test:
        return Test(
            id="phase/name",
            name="name",
            phase="phase",
            runner="bench",
            kind=self.kind,
            target=target,
            cwd=str(cwd or self.root),
            args=args,
            env=env or {},
        )

    def spec(self) -> AttemptSpec:
        self.attempts += 1
        return attempt_spec(self.output, number=self.attempts)

    def run(
        self,
        target: str,
        *,
        args: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        limit: float | None = None,
    ) -> Judged:
        return self.attempt(self.test(target, args=args, env=env, cwd=cwd), limit=limit)[0]

    def attempt(
        self,
        test: Test,
        *,
        limit: float | None = None,
        over: Callable[[AttemptSpec], bool] = lambda _: False,
    ) -> tuple[Judged, Completed, AttemptSpec]:
        runner, spec = self.runner(), self.spec()
        command = runner.command(test, spec)
        completed = execute(command, test=test, spec=spec, limit=limit, over=lambda: over(spec))
        return runner.judge(test, spec, completed), completed, spec
