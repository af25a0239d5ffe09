"""A warm server: an interpreter of the tests that has imported what all attempts import, and forks them.

    PYTHON warm_server.py SOCKET

It is started through the keeper, like any child, and connects to the orchestrator's SOCKET. There it reads
one line, what to import; says in one line whether it did; and then is a keeper itself: for every socket that
it is passed it forks a tender (see keeper.py), whose children are forks as well instead of new programs.

    orchestrator  {"modules": [["pytest", false], …], "avoid": ["grpc"], "secrets": ["…"],
                   "coverage": {"source": ["app"], "branch": true}}  or null: what forks measure
    server        {"ready": ["pytest", …]}  the packages it holds;  {"unsafe": {"grpc": "why"}} and ends
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    import types
    from typing import Any

    from e2e_orchestrator.process import birth, imported, keeper, missed, outgrown, preload, prepared

    _Prepared = tuple[list[str], outgrown.Watch, list[random.Random]]
else:
    _HERE = os.path.dirname(os.path.abspath(__file__))

    def _load(name):  # noqa: ANN001, ANN202 - no types at run time.
        """By its path and without a trace: the project may have modules of these names."""
        spec = importlib.util.spec_from_file_location(
            f"_e2e_orchestrator_{name}", os.path.join(_HERE, f"{name}.py")
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    _PATH = sys.path[:]
    sys.path[:0] = [_HERE, os.path.join(os.path.dirname(_HERE), "safety")]
    keeper = _load("keeper")
    imported, preload, birth, missed, prepared, outgrown = map(
        _load, ("imported", "preload", "birth", "missed", "prepared", "outgrown")
    )
    sys.path[:] = _PATH
    for _name in ("effects", "masking", "pump", "tree"):
        del sys.modules[_name]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()  # As `-m` has it, where ours was.

_OF_EVERY_SERVER = frozenset(sys.modules) - {"__main__"}


class Born(BaseException):
    """Unwinds a fork to the bottom of its stack, so that recursion has as much room as elsewhere."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__()
        self.request = request


class WarmTender(keeper.Tender):
    """A tender whose child is a fork of itself, not a new program.

    It only tends, so what it forks next is what the server would have forked: what tests do, they do in a fork.
    """

    def _start(self, request: dict[str, Any]) -> int:
        os.chdir(request["cwd"])
        self._pipe, writing = os.pipe()
        os.set_blocking(self._pipe, False)
        waiting, born = os.pipe()
        tender = os.getpid()
        pid = os.fork()
        if pid:
            os.close(writing)
            os.close(born)
            os.read(waiting, 1)  # Until it has a process group that can be signalled.
            os.close(waiting)
            return pid
        self.owner.detach()
        birth.come_into_the_world(output=writing)
        raise Born({**request, "tender": tender})


class WarmServer(keeper.Server):
    """Forks tenders that fork; ends with its owner."""

    goes_on = (Born,)

    def _become_tender(self, descriptor: int) -> None:
        os.setsid()  # What a child does to its parent's group must not reach the server's.
        self.control.close()
        tender = WarmTender(socket.socket(fileno=descriptor), keeper.wakeup_pipe())
        signal.signal(signal.SIGTERM, lambda *_: setattr(tender, "orphaned", True))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        keeper.prctl(keeper.SET_SUBREAPER, 1)
        # No signal at the server's death: the tender above the server adopts us, and has the same owner.
        tender.run()


def _next_line(control: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        data = control.recv(1 << 16)
        if not data:
            raise SystemExit(0)
        line += data
    return line


def _tell(control: socket.socket, **fields: object) -> None:
    control.sendall(json.dumps(fields).encode() + b"\n")


def _masks(secrets: list[str]) -> None:
    """Compiles the patterns of secrets once, here, and not in every tender."""
    masking: Any = vars(keeper)["masking"]
    make = masking.Mask
    ready = make(secrets)
    masking.Mask = lambda given=(): ready if list(given) == secrets else make(given)


def _missed(wanted: dict[str, Any]) -> dict[str, str]:
    if not wanted["coverage"]:
        return {}
    return missed.packages(wanted["coverage"], kept=_OF_EVERY_SERVER, avoided=wanted["avoid"])


def _import_ours(watch: outgrown.Watch) -> None:
    """What our plugin is made of; the plugin itself looks at the attempt while it is imported."""
    for name in ("stream", "django", "blame", "neighbours"):
        if importlib.util.find_spec(f"e2e_orchestrator_{name}") is not None:
            importlib.import_module(f"e2e_orchestrator_{name}")
    if "e2e_orchestrator_stream" in sys.modules:
        vars(sys.modules["e2e_orchestrator_stream"])["WATCH"] = watch


def _prepare(control: socket.socket) -> _Prepared:
    """Imports what is wanted; ends the process if that is unsafe.

    What it takes to do so is gone when it returns: to free it would copy the pages it lies on, in every fork.
    """
    wanted = json.loads(_next_line(control))
    preloading = preload.Preloading(imported.Foreign(), avoided=wanted["avoid"])
    preloading.run(wanted["modules"])
    if unsafe := preloading.unsafe or _missed(wanted):
        _tell(control, unsafe=unsafe)
        os._exit(0)
    prepared.prepare(preload.remember_installed(), state=preload.State)
    _masks(wanted["secrets"])
    holds = sorted({name.partition(".")[0] for name in sys.modules})
    watch = outgrown.Watch(preloading.reads, marked=preloading.marked)
    _import_ours(watch)
    return holds, watch, preloading.unseeded


def serve(path: str) -> types.CodeType:
    """Returns in a fork that is to run tests, and nowhere else."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.connect(path)
    holds, watch, unseeded = _prepare(control)
    server = WarmServer(control)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGHUP, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: setattr(server, "asked", True))
    keeper.prctl(keeper.SET_SUBREAPER, 1)
    preload.freeze()
    _tell(control, ready=holds)
    try:
        server.run()
    except Born as born:
        request = born.request
    else:
        os._exit(0)
    watch.begin(request)
    return birth.take_after(request, unseeded=unseeded)


if __name__ == "__main__":
    birth.run(serve(sys.argv[1]))
