"""A project whose files are each another way in which measuring could go wrong."""

APP = {
    "app/__init__.py": "",
    "app/shop.py": """\
        import os

        KINDS = {}


        def kind(name):
            def keep(made):
                KINDS[name] = made
                return made
            return keep


        @kind("plain")
        class Plain:
            taxes = [rate for rate in (7, 19) if rate > 7]
            if os.environ.get("NEVER_SET"):
                special = True
            else:
                special = False


        for name in KINDS:
            if name == "other":
                FOUND = True


        def price(count, member):
            if count > 10:
                return count * 8
            if member:
                return count * 9
            return count * 10


        def never():
            return "nobody calls me"
        """,
    "app/threads.py": """\
        import threading


        def in_a_thread(found):
            for number in range(3):
                if number:
                    found.append(number)


        def longer_than_the_session():
            threading.main_thread().join()
            return "nobody measures this any more"
        """,
    "app/last.py": """\
        import atexit


        @atexit.register
        def goodbye():
            return "nor this"
        """,
    "app/tool.py": """\
        import sys


        def main(words):
            if words:
                return 0
            return 1


        if __name__ == "__main__":
            sys.exit(main(sys.argv[1:]))
        """,
    "app/broken.py": """\
        def half():
            yield 1
            yield 2
        """,
    "app/doomed.py": "def doomed():\n    return 1\n",
    "app/dead.py": "def dead():\n    return 1\n",
}
TESTS = {
    "tests/conftest.py": """\
        import os
        import pytest

        with open("/proc/self/cmdline", "rb") as file:
            way = "warm" if b"warm_server.py" in file.read() else "cold"
        with open(os.path.join(os.environ.get("E2E_OUTPUT_DIR", os.curdir), "started"), "w") as file:
            file.write(way)


        @pytest.fixture(scope="session")
        def shop():
            from app import shop
            yield shop
            assert shop.KINDS
        """,
    "tests/test_many.py": "def test_many(shop):\n    assert shop.price(11, False) == 88\n",
    "tests/test_member.py": """\
        import os
        from app.shop import price


        def test_member():
            assert price(1, True) == 9


        def test_once():
            assert os.environ.get("E2E_ATTEMPT", "2") == "2"
        """,
    "tests/test_threads.py": """\
        import threading
        from app.threads import in_a_thread, longer_than_the_session


        def test_threads():
            found = []
            threads = [threading.Thread(target=in_a_thread, args=(found,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(found) == 8
            threading.Thread(target=longer_than_the_session).start()
        """,
    "tests/test_last.py": "import app.last\n\n\ndef test_last():\n    assert app.last.goodbye\n",
    "tests/test_tool.py": """\
        import subprocess
        import sys


        def test_tool():
            assert subprocess.run([sys.executable, "-m", "app.tool", "word"]).returncode == 0
        """,
    "tests/test_broken.py": """\
        from app.broken import half

        FIRST = next(half())
        raise RuntimeError("cannot be collected")
        """,
}
# It takes a session with it, so that no plain run can have it; what it reached is lost everywhere.
DOOMED = {
    "tests/test_doomed.py": """\
        import os
        from app.doomed import doomed


        def test_doomed():
            doomed()
            os._exit(9)
        """
}
