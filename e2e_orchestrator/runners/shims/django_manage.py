"""Runs ``manage.py test`` as it is, and writes the case stream of what happens.

    python django_manage.py manage.py test shop.tests --noinput
    python django_manage.py --drop FOLDER

The second drops the databases that a run made, which are written down in the folder. Standard library
only, Python 3.8 and Django 3.2 upwards; nothing has to be installed in the project.
"""

import os
import platform
import runpy
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SHIMS = os.path.join(HERE, "pytest_path")
sys.path.insert(0, SHIMS)
import e2e_orchestrator_django as django_databases  # noqa: E402
import e2e_orchestrator_stream as streams  # noqa: E402
import e2e_orchestrator_unittest as unittest_recorder  # noqa: E402

sys.path[:] = [one for one in sys.path if os.path.abspath(one or os.curdir) not in (HERE, SHIMS)]


def status_of(leaving):
    """What Python makes of the argument of ``sys.exit``."""
    if leaving.code is None:
        return 0
    return leaving.code & 0xFF if isinstance(leaving.code, int) else 1


def run(program):
    stream = streams.Stream(os.environ["E2E_EVENTS"])
    stream.send("session_started", tool="django", version=platform.python_version(), pid=stream.pid)
    unittest_recorder.install(stream)
    django_databases.install(
        tell=lambda text: stream.send("error", message=streams.cut("no test database: " + text))
    )
    sys.argv[:] = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    status = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as leaving:
        status = status_of(leaving)
        raise
    except KeyboardInterrupt:
        stream.send("interrupted", message="KeyboardInterrupt")
        raise
    except BaseException:
        status = 1
        stream.send("internal_error", message=streams.cut(traceback.format_exc()))
        raise
    finally:
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            stream.send("session_finished", exit_status=status)


if __name__ == "__main__":
    if sys.argv[1] == "--drop":
        sys.exit("\n".join(django_databases.drop(sys.argv[2])) or 0)
    run(sys.argv[1])
