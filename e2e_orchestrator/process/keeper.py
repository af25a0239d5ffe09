"""Keeps the children of a run: starts each, adopts what it orphans, and leaves none behind.

    python -I -S keeper.py CONTROL_FD

One server process a run. For every child that runs it has a *tender*, a fork of itself, where a fresh
interpreter would cost tens of milliseconds. A tender is a child subreaper (Linux): whatever its child
starts, in whatever session, group or environment, stays its descendant, so two children are never confused
and a daemon cannot escape. When nothing of its child is left, it is as good as new, and may start another. A
tender that loses its owner (the orchestrator's end of the socket closes, however the orchestrator died) ends
everything below it. So does the server if a tender is killed.

Owner and tender talk in JSON lines over a socket of their own, which the owner passes to the server:

    owner   {"argv": [...], "cwd": "...", "env": {...}, "output": "...", "times": null, "secrets": ["..."],
             "linger": 0.5}
    tender  {"tender": PID}; then {"started": PID}   or   {"error": "..."}
    owner   {"signal": 2}      to the child's process group;   {"kill": true}   to everything below
    tender  {"exited": STATUS}                                  the child itself ended
    tender  {"done": [[PID, "command line"], ...], "lost": null, "ready": true}
            nothing is left; what had to be ended; and whether it takes another request

Runs with the standard library only, without site-packages, in an interpreter of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from e2e_orchestrator.process import pump as pumps
    from e2e_orchestrator.process import tree
    from e2e_orchestrator.safety import masking
else:  # By their paths: this interpreter knows no packages.
    _HERE = os.path.dirname(os.path.abspath(__file__))
    sys.path += [_HERE, os.path.join(os.path.dirname(_HERE), "safety")]
    import masking
    import pump as pumps
    import tree

SET_PDEATHSIG, SET_SUBREAPER = 1, 36
CHUNK = 1 << 16
END_ALL_SECONDS = 10.0
DRAIN_SECONDS = 0.5


def prctl(option: int, value: int) -> bool:
    """True if the kernel took it; False on systems without it."""
    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)
    except (AttributeError, OSError):
        return False


def send_signal(pids: Iterable[int], signum: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, signum)
        except OSError:
            pass  # Gone in the meantime.


def reap(codes: dict[int, int]) -> bool:
    """Takes every zombie; False once there is no child at all, so no descendant either."""
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return True
            codes[pid] = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        return False


def end_all(codes: dict[int, int]) -> None:
    """Stops first, so that none can fork again, then kills, until no descendant is left."""
    until = time.monotonic() + END_ALL_SECONDS
    while reap(codes) and time.monotonic() < until:
        send_signal(tree.descendants_of(os.getpid()), signal.SIGSTOP)
        send_signal(tree.descendants_of(os.getpid()), signal.SIGKILL)
        time.sleep(0.002)


class Tender:
    """Starts one child after the other, and none before nothing is left of the last one."""

    def __init__(self, owner: socket.socket, wakeup: int) -> None:
        self.owner, self.wakeup = owner, wakeup
        self.orphaned = False
        self._inbox, self._outbox = b"", b""
        self._codes: dict[int, int] = {}
        self._group = 0
        self._pipe: int | None = None
        self._mask = masking.Mask()

    def run(self) -> None:
        self._tell(tender=os.getpid())  # Before the child can stop us: our owner must be able to wake us.
        while (request := self._next_request()) is not None:
            self._codes.clear()
            if not self._serve(request):
                return

    def _serve(self, request: dict[str, Any]) -> bool:
        """The whole life of a child; False if something went wrong with it that the next one might feel."""
        try:
            mask = self._mask_for(request["secrets"])
            pump = pumps.Pump(request["output"], masking.Stream(mask), times=request.get("times"))
            self._group = self._start(request)
        except (OSError, ValueError) as error:
            self._tell(error=f"{type(error).__name__}: {error}")
            return False
        self._tell(started=self._group)
        left = self._tend(pump, mask, linger=request["linger"])
        end_all(self._codes)
        self._drain(pump)
        pump.close()
        ready = self._pipe is None and not self.orphaned and not reap(self._codes)
        self._tell(done=left, lost=pump.lost, ready=ready)
        return ready

    def _mask_for(self, secrets: list[str]) -> masking.Mask:
        """Made anew only for other secrets: its patterns take a millisecond to compile."""
        if self._mask.literals != sorted(set(secrets), key=len, reverse=True):
            self._mask = masking.Mask(secrets)
        return self._mask

    def _start(self, request: dict[str, Any]) -> int:
        self._pipe, writing = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            child = subprocess.Popen(
                request["argv"],
                cwd=request["cwd"],
                env=request["env"],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        child.returncode = 0  # Reaped here, by number, with all the others: Popen must not try.
        return child.pid

    def _tend(self, pump: pumps.Pump, mask: masking.Mask, *, linger: float) -> list[tuple[int, str]]:
        """Until the child has ended, and a short time for those below it who are about to end anyway.

        Returns who is left then. Nobody is, for certain, once there is no child: orphans come to us.
        """
        self._obey()  # What came together with the request.
        while self._group not in self._codes and not self.orphaned:
            self._turn(pump, timeout=None)
        if self.orphaned:
            return []
        over = self._pipe is None and not reap(self._codes)
        self._tell(later=over, exited=self._codes[self._group])
        until = time.monotonic() + linger
        while left := not over and reap(self._codes):
            if self.orphaned or (rest := until - time.monotonic()) <= 0:
                break
            self._turn(pump, timeout=min(rest, 0.02))
        if not left:
            return []
        pids = [pid for pid in tree.descendants_of(os.getpid()) if not tree.is_zombie(pid)]
        return [(pid, tree.command_line(pid, masked=mask.text)) for pid in pids]

    def _turn(self, pump: pumps.Pump, *, timeout: float | None) -> None:
        """Waits for output, a message, or the end of a child, and deals with it."""
        sources: list[Any] = [self.owner, self.wakeup]
        if self._pipe is not None:
            sources.append(self._pipe)
        ready, _, _ = select.select(sources, [], [], timeout)
        if self._pipe in ready:
            self._carry(pump)
        if self.wakeup in ready:
            os.read(self.wakeup, CHUNK)
        reap(self._codes)
        if self.owner in ready:
            self._listen()

    def _carry(self, pump: pumps.Pump) -> None:
        """One piece of output, or its end."""
        if self._pipe is None:
            return
        try:
            data = os.read(self._pipe, CHUNK)
        except BlockingIOError:
            return
        if data:
            pump.feed(data)
        else:
            os.close(self._pipe)
            self._pipe = None

    def _drain(self, pump: pumps.Pump) -> None:
        """What is still in the pipe; bounded, for systems where somebody may have escaped with it."""
        until = time.monotonic() + DRAIN_SECONDS
        while self._pipe is not None and (rest := until - time.monotonic()) > 0:
            select.select([self._pipe], [], [], rest)
            self._carry(pump)

    def _tell(self, *, later: bool = False, **fields: object) -> None:
        """``later`` is together with what is told next: the owner is woken once."""
        self._outbox += json.dumps(fields).encode() + b"\n"
        if later:
            return
        try:
            self.owner.sendall(self._outbox)
        except OSError:
            self.orphaned = True
        self._outbox = b""

    def _next_request(self) -> dict[str, Any] | None:
        """None once there is nobody who could ask."""
        while not self.orphaned:
            while b"\n" in self._inbox:
                line, _, self._inbox = self._inbox.partition(b"\n")
                message: dict[str, Any] = json.loads(line)
                if "argv" in message:  # Else it was for the child before, and came too late.
                    return message
            sources: list[Any] = [self.owner, self.wakeup]
            ready, _, _ = select.select(sources, [], [])
            if self.wakeup in ready:
                os.read(self.wakeup, CHUNK)
            if self.owner in ready:
                self._receive()
        return None

    def _receive(self) -> None:
        try:
            data = self.owner.recv(CHUNK)
        except OSError:
            data = b""
        self.orphaned = self.orphaned or not data
        self._inbox += data

    def _listen(self) -> None:
        self._receive()
        self._obey()

    def _obey(self) -> None:
        """Does what the owner's complete lines say."""
        while b"\n" in self._inbox:
            line, _, self._inbox = self._inbox.partition(b"\n")
            message = json.loads(line)
            if message.get("kill"):
                end_all(self._codes)
            elif "signal" in message:
                self._signal_group(message["signal"])

    def _signal_group(self, signum: int) -> None:
        try:
            os.killpg(self._group, signum)
        except OSError:
            pass  # The whole group is gone.


class Server:
    """Forks a tender for every socket that it is passed; ends them all when its owner is gone."""

    # What a tender may raise to go on as something else.
    goes_on: tuple[type[BaseException], ...] = ()

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.tenders: set[int] = set()
        self.codes: dict[int, int] = {}
        self.asked = False

    def run(self) -> None:
        wakeup = wakeup_pipe()
        while not self.asked:
            ready, _, _ = select.select([self.control.fileno(), wakeup], [], [])
            if wakeup in ready:
                os.read(wakeup, CHUNK)
                self._reap_tenders()
            if self.control.fileno() in ready:
                _, descriptors, _, _ = socket.recv_fds(self.control, 1, 1)
                if not descriptors:
                    break
                self._tend(descriptors[0])
        self._shut_down(wakeup)

    def _tend(self, descriptor: int) -> None:
        # A SIGTERM between the fork and the tender's own handler would be taken by the server's, and lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            self.tenders.add(pid)
            os.close(descriptor)
            return
        try:
            self._become_tender(descriptor)
        except self.goes_on:
            raise
        except BaseException:
            sys.excepthook(*sys.exc_info())
            end_all({})
            os._exit(1)
        os._exit(0)

    def _become_tender(self, descriptor: int) -> None:
        self.control.close()
        tender = Tender(socket.socket(fileno=descriptor), wakeup_pipe())
        signal.signal(signal.SIGTERM, lambda *_: setattr(tender, "orphaned", True))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        prctl(SET_SUBREAPER, 1)
        prctl(SET_PDEATHSIG, signal.SIGTERM)
        tender.run()

    def _reap_tenders(self) -> None:
        reap(self.codes)
        broken = [pid for pid in self.tenders if self.codes.get(pid, 0) != 0]
        self.tenders -= self.codes.keys()
        self.codes.clear()
        if broken:  # Somebody killed a tender: its orphans are ours now.
            strays = set(tree.children_of(os.getpid())) - self.tenders
            for stray in strays:
                send_signal([stray, *tree.descendants_of(stray)], signal.SIGKILL)

    def _shut_down(self, wakeup: int) -> None:
        """Tenders see the same end of file; wait for them, then make sure."""
        send_signal(self.tenders, signal.SIGTERM)
        send_signal(self.tenders, signal.SIGCONT)  # One that somebody stopped would outlive us, stopped.
        until = time.monotonic() + END_ALL_SECONDS
        while self.tenders and (rest := until - time.monotonic()) > 0:
            select.select([wakeup], [], [], min(rest, 0.1))
            self._reap_tenders()
        end_all(self.codes)


def wakeup_pipe() -> int:
    """The reading end of a pipe that gets a byte with every signal."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading


def main() -> None:
    server = Server(socket.socket(fileno=int(sys.argv[1])))
    # Handlers that do nothing, not SIG_IGN: an ignored signal would stay ignored in every child.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGHUP, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: setattr(server, "asked", True))
    prctl(SET_SUBREAPER, 1)
    masking.Mask()  # Compiles the patterns once, here, and not in every fork.
    server.run()


if __name__ == "__main__":
    main()
