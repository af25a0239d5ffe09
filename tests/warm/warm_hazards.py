"""A project in which every file is another hazard of a start by fork.

A file's cases say what must hold in a process of its own; what they ``tell`` must be equal, or with
``differ`` must be another in every process, however it was started.
"""

CONFTEST = """
    import json, os, random, sys, uuid
    import pytest, others, seeded, chatty_threads, careless_environ, warns_at_import
    import keeps_stdout, forgets_stdout, replaces_stderr, drawn, numbered, looks_around

    def _started():
        with open("/proc/self/cmdline", "rb") as file:
            return "warm" if b"warm_server.py" in file.read() else "cold"

    with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "started"), "w") as file:
        file.write(_started())

    @pytest.fixture
    def tell():
        def say(**facts):
            with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "facts.json"), "w") as file:
                json.dump(facts, file)
        return say

    @pytest.fixture
    def dice():
        with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "chance"), "w") as file:
            file.write(repr([random.random(), seeded.chance.random(), uuid.uuid4(), drawn.NAME]))

    @pytest.fixture(scope="session")
    def server():
        with open("sessions", "a") as file:
            file.write(f"{os.getpid()}\\n")
        return os.getpid()
"""

# Installed packages: only these may be imported ahead, and not all of them.
PACKAGES = {
    "others.py": "import os\nHOME = os.getcwd()\nLEVEL = os.environ['LEVEL']\n",
    "seeded.py": "import random\nchance = random.Random()\nfixed = random.Random(42)\n",
    "chatty_threads.py": """
        import threading
        ready = threading.Event()
        thread = threading.Thread(target=ready.wait, daemon=True)
        thread.start()
    """,
    "careless_environ.py": "import os\nTEST = os.environ['E2E_TEST']\n",
    "keeps_stdout.py": "from sys import stdout\n",
    "forgets_stdout.py": """
        import sys
        class Loop:
            def __init__(self): self.own, self.stream = self, sys.stdout
        Loop()
    """,
    "replaces_stderr.py": """
        import sys
        class Loud:
            def __init__(self, file): self.file = file
            def __getattr__(self, name): return getattr(self.file, name)
        sys.stderr = Loud(sys.stderr)
    """,
    "drawn.py": "import uuid\nNAME = uuid.uuid4().hex\n",
    "numbered.py": "from os import getpid\nNUMBER = getpid()\n",
    "looks_around.py": """
        import os
        CONFIGURED = os.path.exists("around.ini")
    """,
    "warns_at_import.py": "import warnings\nwarnings.warn('old', DeprecationWarning)\n",
}

FILES = {
    "arguments": """
        import os, sys, __main__
        def test_they_are_those_of_a_module(tell):
            tell(argv=[os.path.basename(sys.argv[0]), len(sys.argv)], main=__main__.__file__,
                 spec=__main__.__spec__.name, package=__main__.__package__, path=sys.path[0], cwd=os.getcwd(),
                 orig=sys.orig_argv[1:3], executable=sys.executable, flags=str(sys.flags), prefix=sys.prefix)
    """,
    "process": """
        import logging, os, signal, threading, time, numbered
        from os import getpid
        def test_what_was_taken_by_its_name_is_the_real_one():
            assert numbered.getpid is getpid and type(getpid) is type(len)
        def test_time_begins_with_it():
            began = getattr(logging, "_startTime")
            with open("/proc/self/stat") as stat, open("/proc/uptime") as up:
                ticks = int(stat.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
                born = time.time() - (float(up.read().split()[0]) - ticks)
            assert began / (1e9 if isinstance(began, int) else 1) > born - 0.5
        def test_it_is_its_own(tell):
            assert numbered.NUMBER == os.getpid()
            assert os.getpid() == os.getpgrp() == os.getsid(0)
            assert threading.main_thread().native_id == threading.get_native_id() == os.getpid()
            tell(handlers=[str(signal.getsignal(one)) for one in (1, 2, 15, 17, 13)],
                 mask=len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
                 wakeup=signal.set_wakeup_fd(-1), umask=os.umask(0o22), gc=__import__("gc").get_threshold())
    """,
    "files": """
        import os
        def test_only_its_own_are_open(tell, capfd):
            tell(open=len(os.listdir("/proc/self/fd")))
            assert os.read(0, 1) == b""
    """,
    "environment": """
        import os, careless_environ, others
        def test_it_is_its_own(tell):
            assert careless_environ.TEST == os.environ["E2E_TEST"] == "environment"
            assert others.HOME == os.getcwd() and others.LEVEL == os.environ["LEVEL"]
            tell(names=sorted(set(os.environ) - {"PYTEST_CURRENT_TEST"}))
    """,
    "threads_at_import": """
        import chatty_threads
        def test_the_thread_lives():
            assert chatty_threads.thread.is_alive()
    """,
    "recursion": """
        def depth(number=0):
            try:
                return depth(number + 1)
            except RecursionError:
                return number
        def test_there_is_as_much_room(tell):
            tell(depth=depth())
    """,
    "seeds": """
        import random, seeded
        def test_fixed_stays_fixed(dice):
            assert seeded.fixed.random() == random.Random(42).random()
    """,
    "chance": "def test_it_is_another(dice): pass",
    "at_exit": """
        import atexit, os, threading, time
        OUT = os.environ["E2E_OUTPUT_DIR"]
        left_open = open(os.path.join(OUT, "left_open"), "w")
        def write(name):
            with open(os.path.join(OUT, name), "w") as file:
                file.write(name)
        def late():
            threading.Event().wait(0.3)
            write("thread")
        atexit.register(write, "exit")
        def test_everything_comes_to_its_end():
            left_open.write("unflushed")
            threading.Thread(target=late).start()
    """,
    "processes": """
        import multiprocessing, subprocess, sys, os
        def double(number): return number * 2
        def test_fork_and_spawn():
            for method in ("fork", "spawn"):
                with multiprocessing.get_context(method).Pool(1) as pool:
                    assert pool.map(double, [21]) == [42]
        def test_a_program(tell):
            code = "import os, sys; print(sorted(n for n in os.environ if n.startswith(('E2E', 'PYTHON'))), sys.path[1:])"
            tell(said=subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    """,
    "daemon": """
        import subprocess
        def test_leaves_one():
            subprocess.Popen(["sleep", "311"], start_new_session=True)
    """,
    "capture": """
        import os, sys, keeps_stdout
        def test_file_descriptors(capfd):
            os.write(1, b"one"); print("two", file=sys.stderr)
            assert capfd.readouterr() == ("one", "two\\n")
        def test_who_keeps_a_stream_from_its_import(capfd):
            print("three", file=keeps_stdout.stdout, flush=True)
            assert capfd.readouterr().out == ""
        def test_folders(tmp_path):
            (tmp_path / "x").write_text("y")
            assert sorted(os.listdir(tmp_path)) == ["x"]
    """,
    "own_modules_1": "import counter\ndef test_one(): counter.count += 1; assert counter.count == 1\n",
    "own_modules_2": "import counter\ndef test_two(): counter.count += 1; assert counter.count == 1\n",
    "session_1": "import os\ndef test_one(server): assert server == os.getpid()\n",
    "session_2": "import os\ndef test_two(server): assert server == os.getpid()\n",
    "warnings": "import warnings\ndef test_one(): warnings.warn('mine')\n",
    "async": """
        import asyncio, socket
        def test_a_loop(): assert asyncio.run(asyncio.sleep(0, 5)) == 5
        def test_a_socket():
            with socket.socket() as one: one.bind(("127.0.0.1", 0))
    """,
    "failing": """
        import pytest
        def test_compares(): assert [1, 2] == [1, 3], "really bad"
        @pytest.mark.xfail
        def test_expected(): assert 0
        @pytest.mark.skip(reason="not today")
        def test_skipped(): pass
        @pytest.fixture
        def broken(): raise RuntimeError("set-up")
        def test_error(broken): pass
        @pytest.mark.parametrize("n", range(3))
        def test_many(n): assert n != 1
    """,
    "exit_zero": "import os\ndef test_one(): pass\ndef test_two(): os._exit(0)\ndef test_three(): pass\n",
    "exit_three": "import os\nos._exit(3)\n",
    "crash": "import os\ndef test_one(): pass\ndef test_two(): os.kill(os.getpid(), 11)\n",
    "terminated": "import os\ndef test_one(): os.kill(os.getpid(), 15)\n",
    "interrupted": "def test_one(): raise KeyboardInterrupt\n",
    "leaves_at_import": "raise SystemExit(4)\n",
    "syntax": "def test_one(: pass\n",
    "missing_module": "import no_such_module\n",
    "nothing": "",
    "bad_exit_handler": "import atexit\natexit.register(lambda: 1 / 0)\ndef test_one(): pass\n",
    "kills_its_parent": "import os, threading\ndef test_one(): os.kill(os.getppid(), 9); threading.Event().wait()\n",
    "hangs_in_collection": "import threading\nthreading.Event().wait()\n",
    "hangs": "import threading\ndef test_one(): pass\ndef test_two(): threading.Event().wait()\n",
    "edits": """
        import os
        import helper_of_edits
        def test_a_retry_sees_the_edit():
            value = helper_of_edits.VALUE
            with open("helper_of_edits.py", "w") as file:
                file.write("VALUE = 'new'")
            assert value == "new"
    """,
}
HANGING = {"hangs_in_collection", "hangs"}
OWN_MODULES = {"counter.py": "count = 0\n", "helper_of_edits.py": "VALUE = 'old'"}
