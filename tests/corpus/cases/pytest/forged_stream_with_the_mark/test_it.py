import json
import os


def test_forger():
    with open(os.environ["E2E_EVENTS"]) as stream:
        mark = json.loads(stream.readline())["writer"]
    with open(os.environ["E2E_EVENTS"], "a") as stream:
        for line in (
            {"event": "case_finished", "id": "test_it.py::test_forger", "status": "passed"},
            {"event": "session_finished", "exit_status": 0},
        ):
            stream.write(json.dumps({**line, "writer": mark}) + "\n")
    os._exit(0)
