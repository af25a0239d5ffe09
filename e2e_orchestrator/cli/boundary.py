"""Where every error ends: a message and a hint for what we expect, a crash log for what we do not."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from e2e_orchestrator import __version__
from e2e_orchestrator.errors import ConfigError, OrchestratorError

USAGE, UNWRITABLE, BUG, INTERRUPTED, BROKEN_PIPE = 2, 5, 70, 130, 141


def open_standard_streams() -> None:
    """Gives a closed standard stream to the null device.

    Otherwise the next file that anybody opens, a journal or a socket, gets its number, and whatever is
    printed goes there.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # The lowest free number: this one.
            os.set_inheritable(nowhere, True)
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8"))


def guarded(program: Callable[[], int | None], *, argv: Sequence[str]) -> int:
    """The program's exit code, whatever happens in it. Tells on standard error, never raises."""
    try:
        code = _call(program, argv=argv)
        sys.stdout.flush()
    except OSError as error:
        if (unread := unprinted(error)) is None:
            raise
        return unread
    return code


def unprinted(error: OSError) -> int | None:
    """The exit code if it was standard output that could not be written: nobody reads it, or its disk is full."""
    if isinstance(error, BrokenPipeError):
        _discard_output()
        return BROKEN_PIPE
    if error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename is None:
        _discard_output()
        _say(f"e2e-orchestrate: what is printed cannot be written: {error.strerror}")
        return UNWRITABLE
    return None


def _call(program: Callable[[], int | None], *, argv: Sequence[str]) -> int:
    try:
        return program() or 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        tell_misuse(error)
        return USAGE
    except OrchestratorError as error:
        tell(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place that catches what nobody expected.
        return _unexpected(error, argv=argv)


def _unexpected(error: Exception, *, argv: Sequence[str]) -> int:
    if isinstance(error, OSError) and (unread := unprinted(error)) is not None:
        return unread
    tell_bug(argv)
    return BUG


def tell(error: OrchestratorError) -> None:
    """Says on standard error what is wrong and what to type next."""
    if isinstance(error, ConfigError):
        count = len(error.mistakes)
        _say(*error.mistakes, f"{count} mistakes" if count > 1 else "1 mistake")
    else:
        _say(f"e2e-orchestrate: {error.message}")
    if error.hint:
        _say(f"hint: {error.hint}")


def tell_misuse(error: click.ClickException) -> None:
    """The same for what click refused."""
    _say(f"e2e-orchestrate: {error.format_message()}")
    ctx = getattr(error, "ctx", None)
    _say(f"hint: {ctx.command_path if ctx else 'e2e-orchestrate'} --help")


def _say(*lines: str) -> None:
    # With standard error closed there is nobody to tell; the exit code remains.
    with contextlib.suppress(OSError):
        print(masked("\n".join(lines)), file=sys.stderr, flush=True)


def masked(text: str) -> str:
    """Without the secrets of the environment: a mistake may show what a variable was replaced by."""
    from e2e_orchestrator.safety.redact import mask_for  # noqa: PLC0415 - 20 ms that only an error costs.

    return mask_for(os.environ).text(text)


def tell_bug(argv: Sequence[str]) -> None:
    """Says where the exception that is being handled was written down."""
    import traceback  # noqa: PLC0415 - with the two below 8 ms that only a bug costs.

    trace = traceback.format_exc()
    last = trace.strip().rpartition("\n")[2]
    _say(f"e2e-orchestrate: this is a bug of ours: {last}")
    try:
        path = _write_crash_log(trace, argv)
    except OSError:
        _say(trace)
    else:
        _say(f"hint: attach {path} to a report of it")


def _write_crash_log(trace: str, argv: Sequence[str]) -> Path:
    """The environment is left out on purpose: it holds secrets."""
    import platform  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    handle, name = tempfile.mkstemp(prefix="e2e-orchestrate-crash-", suffix=".log", text=True)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(
            f"e2e-orchestrator {__version__}\npython {sys.version}\nplatform {platform.platform()}\n"
            f"folder {Path.cwd()}\narguments {masked(str(list(argv)))}\n\n{masked(trace)}"
        )
    return Path(name)


def _discard_output() -> None:
    # The interpreter flushes once more on its way out, and would complain there.
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - devnull is a name, no path.
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
