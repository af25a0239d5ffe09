"""Spares pytest the neighbours of what it was asked for.

Asked for one file, pytest 8 and later looks at every other file of its folder as well, makes a node of it, and
drops it: in a folder of many files that is most of what a small one costs, and each of them pays it. Nobody can
see those nodes but hooks of collection. So where none but pytest has them, it is told to ignore the files.

Standard library and pytest only, Python 3.8 and pytest 7 upwards.
"""  # noqa: INP001 - the folder is put on PYTHONPATH and must not be a package.

import pytest

# Who has one of these may see a neighbour, or make something else of it.
TELLING = (
    "pytest_ignore_collect",
    "pytest_collect_file",
    "pytest_collect_directory",
    "pytest_pycollect_makemodule",
    "pytest_make_collect_report",
)
# hypothesis looks for one folder, its own, and folders stay.
HARMLESS = ("_pytest.", "_hypothesis_pytestplugin")
# What pytest asks a conftest for neighbours alone, and may find to be wrong.
IGNORED = ("collect_ignore", "collect_ignore_glob")
HAS_THEM = hasattr(pytest, "Dir")


class Neighbours:
    def __init__(self, config):
        self.config = config
        self.hooks = [getattr(config.pluginmanager.hook, name) for name in TELLING]
        self.wanted = None
        self.folders = ()
        self.counted = self.unseen = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path, config):
        """None leaves it to pytest; it does not ask about what was named itself."""
        try:
            return True if self.drops(collection_path) else None
        except Exception:
            return None

    def drops(self, path):
        if not self.are_unseen():
            return False
        wanted, on_the_way = self.session._initialpaths, self.session._initialpaths_with_parents
        if wanted is not self.wanted:
            self.wanted, self.folders = wanted, [one for one in wanted if one.is_dir()]
        below = any(one in path.parents for one in self.folders)
        return not (below or path in on_the_way or path.is_dir())

    def are_unseen(self):
        """Asked again whenever somebody else has come, as a conftest may in the middle of the collection."""
        found = [hook.get_hookimpls() for hook in self.hooks]
        counted = [len(ones) for ones in found]
        if counted != self.counted:
            self.counted, self.unseen = counted, self.nobody_looks(found)
        return self.unseen

    def nobody_looks(self, found):
        others = [one for ones in found for one in ones if one.plugin is not self]
        if not all(one.function.__module__.startswith(HARMLESS) for one in others):
            return False
        self.config.getini("python_files")  # Raises what pytest would raise for the first neighbour.
        conftests = self.config.pluginmanager._conftest_plugins
        return not any(hasattr(one, name) for one in conftests for name in IGNORED)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session):
        self.session = session
