"""Whose failure is it that pytest reports as a case's set-up or teardown: the case's, or one that it shares?

pytest blames the case that happened to run first or last for what a fixture of its class, module, package or
session did. A retry of that case alone would prove nothing about it.

Standard library and pytest only, Python 3.8 and pytest 7 upwards.
"""  # noqa: INP001 - the folder is put on PYTHONPATH and must not be a package.

import pytest
from _pytest.fixtures import FixtureDef

# Earlier ones raise the first error of a teardown and forget the others.
TELLS_ALL_ERRORS = getattr(pytest, "version_tuple", (0,)) >= (8,)
STAGES = ("setup", "teardown")
OWN, SHARED = "own", "shared"


class Blame:
    """Remembers what comes after a case, and so what else ends together with it."""

    def __init__(self):
        self.item = self.following = None

    def teardown(self, item, following):
        self.item, self.following = item, following

    def is_shared(self, item, call):
        """True also where nobody can tell."""
        error = call.excinfo.value
        owners = set(owners_in(error.__traceback__))
        if SHARED in owners:
            return True
        if call.when == "setup" or self.ends_alone(item):
            return False
        return owners != {OWN} or not TELLS_ALL_ERRORS or hasattr(error, "exceptions")

    def ends_alone(self, item):
        """Whether all that the case shares is still needed by the next one."""
        if self.item is not item or self.following is None:
            return False
        return item.parent in self.following.listchain()


def owners_in(trace):
    """Of the fixtures and collectors whose set-up or teardown an error came through."""
    while trace is not None:
        holder = trace.tb_frame.f_locals.get("self")
        kind = type(holder)  # Its class attribute might be anything, in other people's code.
        if issubclass(kind, FixtureDef):
            yield OWN if holder.scope == "function" else SHARED
        elif issubclass(kind, pytest.Collector) and trace.tb_frame.f_code.co_name == "setup":
            yield SHARED
        trace = trace.tb_next
