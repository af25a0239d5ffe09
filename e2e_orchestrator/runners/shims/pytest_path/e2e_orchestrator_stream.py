"""What writes the case stream, for every tool in whose interpreter we are guests.

Standard library only, Python 3.8 upwards; whatever goes wrong in here may cost evidence but never changes
what a suite does.
"""  # noqa: INP001 - the folder is put on the path and must not be a package.

import fcntl
import hashlib
import json
import os
import time
import types
import uuid

MESSAGE_LIMIT = 16 * 1024
ID_LIMIT = 4 * 1024
ROOM = 128  # For what stands in the place of what was cut.
LONGEST_WORD = 1024
IDS_IN_A_LINE = 200
HIGH_DESCRIPTOR = 400
# A suite may have replaced them, for a class or a whole session, when there is something to say.
REAL = types.SimpleNamespace(
    dumps=json.dumps,
    time=time.time,
    getpid=os.getpid,
    open=os.open,
    close=os.close,
    fstat=os.fstat,
    write=os.write,
)


WATCH = None
"""In a fork of a warm server: what it took over, and may have outgrown (process/outgrown.py)."""


def leave_no_trace_in_python_path():
    """The programs that tests start must not find this folder on their path."""
    here = os.path.dirname(os.path.abspath(__file__))
    before = os.environ.get("PYTHONPATH")
    if before is None:
        return
    parts = [part for part in before.split(os.pathsep) if part and os.path.abspath(part) != here]
    if parts:
        os.environ["PYTHONPATH"] = os.pathsep.join(parts)
    else:
        del os.environ["PYTHONPATH"]


def cut(text):
    if len(text) <= MESSAGE_LIMIT:
        return text
    head, tail = ends(text, (MESSAGE_LIMIT - ROOM) // 2)
    return "%s\n[... %d letters cut ...]\n%s" % (head, len(text) - len(head) - len(tail), tail)


def ends(text, half):
    """In whole words: half a secret would not be recognised, and not be masked."""
    head, tail = text[:half], text[-half:]
    last = head[-LONGEST_WORD:].rsplit(None, 1)[-1:]
    first = tail[:LONGEST_WORD].split(None, 1)[:1]
    if last and not head[-1].isspace():
        head = head[: -len(last[0])]
    if first and not tail[0].isspace():
        tail = tail[len(first[0]) :]
    return head, tail


def short_id(nodeid):
    """The same as in e2e_orchestrator/parsers/text.py, so that stream and report agree."""
    if len(nodeid) <= ID_LIMIT:
        return nodeid
    digest = hashlib.sha256(nodeid.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    head, tail = ends(nodeid, (ID_LIMIT - ROOM) // 2)
    gone = len(nodeid) - len(head) - len(tail)
    return "%s[... %d letters cut, sha256 %s ...]%s" % (head, gone, digest, tail)


class Stream:
    """Appends one line with one write; tests may close descriptors, fork and change the directory."""

    def __init__(self, path, writer=None):
        self.path = os.path.abspath(path)
        self.pid = REAL.getpid()
        self.writer = writer or uuid.uuid4().hex
        self.fd = -1
        self.file = None
        self.open()

    def open(self):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        low = REAL.open(self.path, flags, 0o600)
        try:
            # Out of the way of tests that close or reuse the low numbers.
            self.fd = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR)
            REAL.close(low)
        except OSError:
            self.fd = low
        self.file = self.identity()

    def identity(self):
        found = REAL.fstat(self.fd)
        return found.st_dev, found.st_ino

    def send(self, event, **fields):
        if REAL.getpid() != self.pid:  # A forked child that went on running tests is not the session.
            return
        fields = {name: value for name, value in fields.items() if value is not None}
        fields.update(event=event, writer=self.writer, time=round(REAL.time(), 6))
        line = (REAL.dumps(fields, default=str) + "\n").encode("ascii")
        try:
            self.write(line)
        except OSError:
            pass

    def write(self, line):
        try:
            intact = self.identity() == self.file
        except OSError:
            intact = False
        if not intact:  # A test closed it, and the number may belong to somebody else by now.
            self.open()
        while line:
            line = line[REAL.write(self.fd, line) :]
