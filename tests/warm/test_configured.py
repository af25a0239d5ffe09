"""What pytest is configured to be is the same in a fork, down to the order of hooks; whoever takes part in it."""

from collections.abc import Iterator

import pytest
from support.project import Project, processes
from warm_world import Both, interpreter, kept, planned, run

pytestmark = pytest.mark.slow

INI = """
    [pytest]
    addopts = -p own_plugin --own-option=5 -rA
    filterwarnings =
        error::UserWarning
    log_level = INFO
    tmp_path_retention_policy = failed
    markers = mine: of this project
"""
CONFTEST = """
    import os, sys
    import pytest, _pytest.monkeypatch, _pytest.capture

    pytest_plugins = ["helper_plugin"]
    _pytest.monkeypatch.added_to_a_module = pytest.fixture(lambda: 42)
    _pytest.capture.CaptureManager.added_to_a_class = pytest.fixture(lambda self: 43)
    _pytest.capture.CaptureManager.pytest_runtest_logstart = lambda self: HOOKED.append(self)
    HOOKED = []

    def pytest_addoption(parser):
        parser.addoption("--own-option", type=int)
        parser.addini("own_ini", "of this project", default="none")

    def pytest_configure(config):
        config.addinivalue_line("markers", "dynamic: added by the conftest")

    def check(one, other):
        assert one == other
"""
OWN_PLUGIN = """
    import gc, os, threading
    import pytest
    SEEN = []

    with open("/proc/self/cmdline", "rb") as file:
        way = "warm" if b"warm_server.py" in file.read() else "cold"
    with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "started"), "w") as file:
        file.write(way)

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(early_config):
        SEEN.append(("initial", os.getpid()))
        frozen = not any(one is early_config for one in gc.get_objects())  # As all is that a server made.
        with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "made"), "w") as file:
            file.write("in the server" if frozen else "here")
    def pytest_configure(config):
        SEEN.append(("configure", os.getpid()))
        config.own_thread = threading.Thread(target=threading.Event().wait, daemon=True)
        config.own_thread.start()
    def pytest_sessionstart(session): SEEN.append(("start", os.getpid()))
"""
EVERYTHING = """
    import faulthandler, json, logging, os, sys, warnings
    import pytest

    def named(plugin):
        return getattr(plugin, "__name__", None) or type(plugin).__name__

    def test_everything(pytestconfig, request):
        hook, manager = pytestconfig.hook, request.session._fixturemanager
        fixtures = getattr(manager, "_arg2node2fixturedefs", None) or manager._arg2fixturedefs
        names = sorted(name for name in vars(hook) if name.startswith("pytest_"))
        facts = {
            "hooks": {name: [named(one.plugin) for one in getattr(hook, name).get_hookimpls()] for name in names},
            "fixtures": {name: [(one.func.__qualname__, one.scope) for one in manager.getfixturedefs(name, request.node)]
                         for name in sorted(fixtures)},
            "options": {name: repr(value) for name, value in sorted(vars(pytestconfig.option).items())},
            "own": [pytestconfig.getini(name) for name in ("filterwarnings", "markers", "log_level")],
            "paths": [str(pytestconfig.rootpath), str(pytestconfig.inipath), str(pytestconfig.invocation_params.dir)],
            "arguments": [list(pytestconfig.invocation_params.args), pytestconfig.args],
            "filters": [repr(one) for one in warnings.filters],
            "handlers": [type(one).__name__ for one in logging.getLogger().handlers],
            "imports": [type(one).__name__ for one in sys.meta_path],
            "path": sys.path, "argv": sys.argv, "faults": faulthandler.is_enabled(),
            "known": [(named(plugin), dist.version) for plugin, dist in pytestconfig.pluginmanager.list_plugin_distinfo()],
            "out": type(sys.stdout).__name__, "usage": pytestconfig._parser.optparser.prog,
        }
        text = json.dumps(facts).replace(os.environ["E2E_OUTPUT_DIR"], "OUT")
        with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "facts.json"), "w") as file:
            file.write(text)
"""
FILES = {
    "everything": EVERYTHING,
    "plugins": """
        import os, helper_plugin, own_plugin
        def test_they_acted_here(pytestconfig, from_helper):
            assert own_plugin.SEEN == [(name, os.getpid()) for name in ("initial", "configure", "start")]
            assert pytestconfig.own_thread.is_alive()
            assert from_helper == 1 and helper_plugin.configured == os.getpid()
            assert pytestconfig.getoption("own_option") == 5 and pytestconfig.getini("own_ini") == "none"
    """,
    "added": """
        import conftest
        def test_to_plugins_of_pytest(added_to_a_module, added_to_a_class):
            assert (added_to_a_module, added_to_a_class) == (42, 43)
            assert conftest.HOOKED
    """,
    "rewritten": "from conftest import check\ndef test_one(): check([1, 2], [1, 3])\n",
    "warned": "import warnings\ndef test_one(): warnings.warn('an error here')\n",
    "logged": """
        import logging
        def test_one(caplog):
            logging.getLogger("x").info("seen")
            logging.getLogger("x").debug("not seen")
            assert caplog.messages == ["seen"]
    """,
    "kept": """
        import pytest
        def test_passes(tmp_path): (tmp_path / "x").touch()
        @pytest.mark.usefixtures("tmp_path")
        def test_fails(): assert 0
        def test_remembers(cache):
            cache.set("own/value", 7)
            assert cache.get("own/value", None) == 7
    """,
    "nested": """
        import pytest
        class Seen:
            def pytest_configure(self, config): self.args = config.invocation_params.args
        def test_a_second_session(tmp_path, monkeypatch):
            (tmp_path / "test_inner.py").write_text("def test_inner(tmp_path): pass")
            monkeypatch.chdir(tmp_path)
            for _ in range(2):
                seen = Seen()
                arguments = ["-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_inner.py"]
                assert pytest.main(arguments, plugins=[seen]) == 0
                assert seen.args == tuple(arguments)
    """,
}
# The same file with other arguments or surroundings, for each of which there is another server.
WAYS = {
    "uncaptured": {"args": ["-s"]},
    "left_out": {"args": ["-p", "no:junitxml", "-pno:cacheprovider"]},
    "elsewhere": {"args": ["--rootdir", "deeper", "-c", "deeper/other.ini"]},
    "surrounded": {"env": {"COLUMNS": "123", "PYTEST_ADDOPTS": "-v --color=yes", "PYTEST_DEBUG": "1"}},
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    root = tmp_path_factory.mktemp("configured")
    python = interpreter(root / "venv", {})
    project = Project(root).write(
        {
            "pytest.ini": INI,
            "conftest.py": CONFTEST,
            "own_plugin.py": OWN_PLUGIN,
            "helper_plugin.py": """
                import os, pytest
                configured = None
                @pytest.fixture
                def from_helper(): return 1
                def pytest_configure(config): globals().update(configured=os.getpid())
            """,
            "deeper/other.ini": "[pytest]\naddopts = -p own_plugin\nown_ini = other\n",
        }
    )
    project.write({f"test_{name}.py": text for name, text in FILES.items()})
    tests = {name: {"target": f"test_{name}.py"} for name in FILES}
    tests |= {name: {"target": "test_everything.py", **way} for name, way in WAYS.items()}
    planned(project, python, tests)
    run(project, "--warm", "on", "--workers", "2")  # It tells what is imported.
    cold = kept(run(project, "--warm", "off", "--workers", "2", "-v"), root / "off")
    warm = kept(run(project, "--warm", "on", "--workers", "2", "-v"), root / "on")
    yield Both(cold=cold, warm=warm)
    assert processes(str(root)) == []


@pytest.mark.parametrize("name", [*FILES, *WAYS])
def test_it_is_configured_the_same_way(both: Both, name: str) -> None:
    assert both.warm.seen(name) == both.cold.seen(name)


@pytest.mark.parametrize("name", [*FILES, *WAYS])
def test_it_came_from_a_server(both: Both, name: str) -> None:
    assert both.cold.file(name, "started") == "cold"
    assert both.warm.file(name, "started") == "warm"


@pytest.mark.parametrize("name", ["everything", *WAYS])
def test_it_told_all_of_it(both: Both, name: str) -> None:
    assert both.warm.facts(name)["hooks"]


@pytest.mark.parametrize("name", [*FILES, *WAYS])
def test_a_server_prepares_it_for_whom_it_fits(both: Both, name: str) -> None:
    assert both.cold.file(name, "made") == "here"
    fits = name not in {"left_out", "surrounded"}
    assert both.warm.file(name, "made") == ("in the server" if fits else "here")
