"""Makes a fork of a warm server what ``python -m NAME`` would be, and lets it end like one.

Standard library only, loaded by its path, into the interpreter of the tests.
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import io
import os
import random
import signal
import sys
import threading
import time
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_STANDARD = 3
_exit = os._exit  # Neither tests nor coverage.py's patches of it see how a fork ends.
_OUTPUT_LOST = 120  # The interpreter's own status for a standard output that cannot be flushed.
_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def come_into_the_world(*, output: int) -> None:
    """A session of its own, standard input empty, both outputs into the pipe, no other file, no handlers."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    empty = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((empty, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.closerange(_STANDARD, max(map(int, os.listdir("/proc/self/fd"))) + 1)


def take_after(request: dict[str, Any], *, unseeded: Iterable[random.Random]) -> types.CodeType:
    """Environment, arguments, ``__main__`` and chance of a process of its own; the code it would run."""
    _, _, name, *arguments = request["argv"]
    if dict(os.environ) != request["env"]:
        os.environ.clear()
        os.environ.update(request["env"])
    for finder in sys.path_importer_cache.values():
        forget = getattr(finder, "invalidate_caches", None)
        if forget is not None:
            forget()
    spec = importlib.util.find_spec(f"{name}.__main__")
    if spec is None or spec.loader is None or spec.origin is None:
        raise ImportError(f"No module named {name}")
    code: types.CodeType = spec.loader.get_code(spec.name)  # type: ignore[attr-defined]
    main = types.ModuleType("__main__")
    vars(main).update(
        __spec__=spec,
        __file__=spec.origin,
        __package__=spec.parent,
        __loader__=spec.loader,
        __builtins__=sys.modules["builtins"],
        __cached__=spec.cached,
        __doc__=None,
    )
    sys.modules["__main__"] = main
    sys.argv = [spec.origin, *arguments]
    sys.orig_argv[:] = request["argv"]
    _shuffle(unseeded)
    _begin_time()
    main_thread = threading.main_thread()
    if hasattr(main_thread, "_set_native_id"):
        main_thread._set_native_id()  # noqa: SLF001 - a fork has another one.
    return code


def _begin_time() -> None:
    """A log's relative time is counted from here, in seconds or, from Python 3.13 on, in nanoseconds."""
    logs = sys.modules.get("logging")
    if logs is not None:
        began = vars(logs)["_startTime"]
        vars(logs)["_startTime"] = time.time_ns() if isinstance(began, int) else time.time()


def _shuffle(unseeded: Iterable[random.Random]) -> None:
    random.seed()
    for one in unseeded:
        one.seed()
    numbers = sys.modules.get("numpy.random")
    if numbers is not None:
        numbers.seed()


def run(code: types.CodeType) -> None:
    """As deep in the stack as ``python -m`` would; never returns."""
    status = 0
    try:
        exec(code, vars(sys.modules["__main__"]))  # noqa: S102 - the module that was asked for.
    except SystemExit as error:
        status = _status_of(error)
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        status = -signal.SIGINT
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    leave(status)


def _status_of(error: SystemExit) -> int:
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)  # noqa: T201 - what the interpreter does.
    return 1


def leave(status: int) -> None:
    """Threads, exit handlers and open files come to their end; the modules are not taken apart."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what the interpreter calls.
    except BaseException:
        sys.excepthook(*sys.exc_info())
    atexit._run_exitfuncs()  # noqa: SLF001 - the same.
    lost = not _flushed([sys.stdout]) and status == 0
    _flushed([sys.stderr])
    _flushed([one for one in gc.get_objects() if type(one) in _FILES])
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    _exit(_OUTPUT_LOST if lost else status)


def _flushed(files: Sequence[Any]) -> bool:
    fine = True
    for one in files:
        try:
            if one is not None and not one.closed:
                one.flush()
        except Exception:
            fine = False
    return fine
