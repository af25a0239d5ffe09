"""Artifacts in a bucket, from outside: against a real server that speaks S3, on this machine."""

import json
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support.project import Finished, Project, wait_until

from e2e_orchestrator.model.events import RunFinished

boto3 = pytest.importorskip("boto3", reason="install the extra `s3`")
pytest.importorskip("moto", reason="install the test dependencies")

pytestmark = pytest.mark.slow

BUCKET = "ci-artifacts"
STORY = """\
    mkdir -p shots
    echo "attempt $E2E_ATTEMPT, password hunter2hunter2" >"shots/$E2E_TEST.txt"
    printf '\\211PNG\\0' >"shots/$E2E_TEST #1.png"
    [ "$E2E_TEST" != bad ]
"""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(port), what="the server for S3")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def bucket(endpoint: str) -> Any:
    client = boto3.client("s3", endpoint_url=endpoint, **CREDENTIALS)
    client.create_bucket(Bucket=BUCKET)
    return client


CREDENTIALS = {
    "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "region_name": "us-east-1",
}


def access(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MY_PASSWORD": "hunter2hunter2",
    }


def suite(project: Project, store: str = f"s3://{BUCKET}/e2e/main", **artifacts: Any) -> Project:
    project.write({"story.sh": STORY})
    tests = dict.fromkeys(("good", "bad"), "sh story.sh")
    kept = {"collect": ["shots/*"], "store": store, **artifacts}
    return project.phases(
        [{"name": "p", "tests": tests, "parallel": True}], kind="command", workers=1, artifacts=kept
    )


def links(run: Finished) -> dict[str, str | None]:
    return {
        one["path"].partition("/p/")[2]: one["url"]
        for test in run.tests.values()
        for attempt in test["attempts"]
        for one in attempt["attachments"]
    }


def keys(client: Any) -> set[str]:
    found = client.list_objects_v2(Bucket=BUCKET)
    return {one["Key"] for one in found.get("Contents", ())}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, endpoint: str, bucket: Any) -> tuple[Project, Finished]:
    project = suite(Project(tmp_path_factory.mktemp("stored"), env=access(endpoint)))
    return project, project.run("--report", "console,json,html,junit,ctrf,tap,markdown")


EXPECTED = ("good/attempt-1/artifacts/shots/good.txt", "bad/attempt-1/artifacts/shots/bad #1.png")


def test_what_attempts_leave_is_stored_and_linked_by_every_report(
    stored: tuple[Project, Finished], endpoint: str, bucket: Any
) -> None:
    _, run = stored
    assert run.exit_code == 1, run.stderr
    found, run_id = links(run), run.last_line["run_id"]
    base = f"{endpoint}/{BUCKET}/e2e/main/{run_id}/p"
    assert found[EXPECTED[0]] == f"{base}/{EXPECTED[0]}"
    assert found[EXPECTED[1]] == f"{base}/bad/attempt-1/artifacts/shots/bad%20%231.png"
    assert {f"e2e/main/{run_id}/p/{name}" for name in found} <= keys(bucket)
    text = bucket.get_object(Bucket=BUCKET, Key=f"e2e/main/{run_id}/p/{EXPECTED[0]}")
    assert text["Body"].read() == b"attempt 1, password ***\n"
    assert text["ContentType"] == "text/plain"
    url = found[EXPECTED[0]]
    assert url is not None
    junit = "\n".join(one.text or "" for one in ET.parse(run.output / "junit.xml").iter("system-out"))
    assert url in junit.splitlines()
    assert f"]({url})" in (run.output / "summary.md").read_text()
    assert f'- "{found[EXPECTED[1]]}"' in (run.output / "results.tap").read_text()
    ctrf = json.loads((run.output / "ctrf-report.json").read_text())
    assert url in [one["path"] for test in ctrf["results"]["tests"] for one in test.get("attachments", ())]


def test_no_credential_and_no_signature_is_written_anywhere(stored: tuple[Project, Finished]) -> None:
    _, run = stored
    told = b"".join(data for _, data in run.written()) + (run.stdout + run.stderr).encode()
    for secret in ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "X-Amz", "Signature"):
        assert secret.encode() not in told, secret


def test_a_replay_shows_the_same_links_and_uploads_nothing(
    stored: tuple[Project, Finished], bucket: Any
) -> None:
    project, run = stored
    before, reports = keys(bucket), dict(run.written())
    again = project.run(
        "replay",
        "--report",
        "json,html,junit,ctrf,tap,markdown",
        env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    )
    assert again.exit_code == 1, again.stderr
    assert {path: path.read_bytes() for path in reports} == reports
    assert keys(bucket) == before


def test_a_merge_and_a_rerun_keep_the_links(project: Project, endpoint: str, bucket: Any) -> None:
    suite(project).env.update(access(endpoint))
    for index in (1, 2):
        project.run("--shard", f"{index}/2", "--output", f"s{index}")
    before = keys(bucket)
    merged = project.finish(project.start("merge", "s1", "s2", "--output", "whole"), output="whole")
    assert merged.exit_code == 1, merged.stderr
    found = links(merged)
    assert {EXPECTED[0].rpartition("/")[2], EXPECTED[1].rpartition("/")[2]} <= {
        path.rpartition("/")[2] for path, url in found.items() if url
    }
    assert all(found.values())
    assert keys(bucket) == before
    rerun = project.finish(project.start("--last-failed", "--output", "whole"), output="whole")
    assert rerun.tests["p/good"]["carried_over_from"]
    assert all(links(rerun).values())


def test_no_picture_leaves_the_machine_that_reports_must_not_show(
    project: Project, endpoint: str, bucket: Any
) -> None:
    suite(project, screenshots="never").env.update(access(endpoint))
    run = project.run()
    found = links(run)
    assert found[EXPECTED[0]]
    assert EXPECTED[1] not in found
    assert not [key for key in keys(bucket) if run.last_line["run_id"] in key and key.endswith(".png")]


def warning(run: Finished) -> str:
    (said,) = [one for one in run.results["warnings"] if "artifacts were not stored" in one]
    return str(said)


def test_a_bucket_that_is_missing_is_a_warning(project: Project, endpoint: str, bucket: Any) -> None:
    project.env.update(access(endpoint))
    plain = suite(project, "").run()
    run = suite(project, "s3://no-such-bucket/x").run()
    assert (run.exit_code, run.ends) == (plain.exit_code, plain.ends)
    assert set(links(run).values()) == {None}
    said = warning(run)
    assert said.startswith(
        "4 of 4 artifacts were not stored in s3://no-such-bucket/x, the local copies stay: "
    )
    assert "NoSuchBucket: The specified bucket does not exist: " in said
    assert "good.txt of p/good, attempt 1" in said
    assert said[:150] in run.stdout
    kept = run.tests["p/good"]["attempts"][0]["attachments"][0]["path"]
    assert (run.output / kept).is_file()


class Odd:
    """A server that answers so many uploads well, and then as ``rest`` does."""

    def __init__(self, good: int, rest: Callable[[socket.socket], None]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.good, self.rest = good, rest
        self.asked = threading.Event()
        self.over = threading.Event()
        self.held: list[socket.socket] = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.held.append(connection)
            self.asked.set()
            if self.good > 0:
                self.good -= 1
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()
            else:
                self.rest(connection)

    def answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            data = connection.recv(1 << 16)
            if b"100-continue" in data:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.close()

    def close(self) -> None:
        self.over.set()
        self.listener.close()
        for one in self.held:
            one.close()


@contextmanager
def odd(good: int, rest: Callable[[socket.socket], None]) -> Iterator[Odd]:
    server = Odd(good, rest)
    try:
        yield server
    finally:
        server.close()


def test_a_server_that_goes_away_in_the_middle_is_a_warning_about_the_rest(project: Project) -> None:
    with odd(1, lambda connection: connection.close()) as server:
        run = suite(project).run(env=access(server.url))
    assert run.exit_code == 1
    assert sum(url is not None for url in links(run).values()) == 1
    assert warning(run).startswith(f"3 of 4 artifacts were not stored in s3://{BUCKET}/e2e/main")
    assert server.url in warning(run)


def test_a_server_that_never_answers_holds_no_test_and_no_interruption(project: Project) -> None:
    """Without a signal it would wait for its limit of 30 s; the tests are over long before.

    The signal still ends the run as one that came earlier: whoever sent it must not read GO.
    """
    with odd(0, lambda connection: None) as server:
        process = suite(project).start("--test", "good", env=access(server.url))
        output = project.root / "test-results"
        wait_until(server.asked.is_set, what="an upload")
        wait_until(lambda: _finished(output), what="the end of the tests")
        wait_until(lambda: "artifacts_awaited" in _journal(output), what="a word about the wait")
        process.terminate()
        run = project.finish(process)
    assert run.exit_code == run.last_line["exit_code"] == run.results["exit_code"] == 143, run.stderr
    assert run.last_line["why"] == "interrupted by SIGTERM"
    assert run.results["interrupted"] == "SIGTERM"
    assert "NO GO: " in run.stdout
    assert f"\n… waiting for 2 artifacts (29 B) to be stored in s3://{BUCKET}/e2e/main, for 28s" in run.stdout
    assert run.seconds < 7
    last = run.journal[-1]
    assert isinstance(last.event, RunFinished)
    assert last.mono - last.event.duration > 0.4, "half a second of waiting is no part of the duration"
    assert run.last_line["duration"] == pytest.approx(last.event.duration, abs=0.001)
    assert "2 of 2 artifacts were not stored" in warning(run)
    assert "the run was told to end: " in warning(run)


def _finished(output: Path) -> bool:
    return _journal(output).count('"type":"phase_finished"') == 1


def _journal(output: Path) -> str:
    return "".join(path.read_text() for path in output.glob("runs/*/journal.jsonl"))


def test_a_file_outside_of_the_run_is_never_uploaded(project: Project, endpoint: str, bucket: Any) -> None:
    """Whatever a test puts in its place in the end."""
    project.write({"secret.txt": "not for others", "story.sh": STEALING})
    config = {"collect": ["*.none"], "store": f"s3://{BUCKET}/stolen"}
    project.phases([{"name": "p", "tests": {"t": "sh story.sh"}}], kind="command", artifacts=config)
    project.run(env={**access(endpoint), "SECRET": str(project.root / "secret.txt")})
    stored = {key: bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(bucket)}
    mine = {key: body for key, body in stored.items() if key.startswith("stolen/")}
    assert b"mine\n" in mine.values()
    assert not [key for key, body in mine.items() if b"not for others" in body]


STEALING = """\
    ln -s "$SECRET" "$E2E_OUTPUT_DIR/link.txt"
    echo mine >"$E2E_OUTPUT_DIR/mine.txt"
    say() { printf '%s\\n' "$1" >>"$E2E_EVENTS"; }
    say '{"event": "case_started", "id": "c"}'
    say '{"event": "case_finished", "id": "c", "status": "passed", "attachments": [{"name": "a", "path": "link.txt"}, {"name": "b", "path": "mine.txt"}]}'
"""


WRONG = {
    "no bucket": "s3://",
    "a bucket with odd letters": "s3://My_Bucket/x",
    "a way out of the prefix": "s3://bucket/../x",
    "a login": "s3://key:secret@bucket/x",
    "another scheme": "gs://bucket/x",
}


@pytest.mark.parametrize("store", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_place_is_a_mistake_in_the_file(project: Project, store: str) -> None:
    run = suite(project, store).run("validate")
    assert run.exit_code == 2
    assert "artifacts.store" in run.stderr
    assert "write s3://bucket or s3://bucket/prefix" in run.stderr


def test_the_short_form_and_no_place_at_all(project: Project) -> None:
    for artifacts in (f"s3://{BUCKET}/x", {"store": "${NOWHERE:-}"}):
        project.phases([{"name": "p", "tests": {"t": "true"}}], kind="command", artifacts=artifacts)
        assert project.run("validate").exit_code == 0
    assert project.run().exit_code == 0
    project.phases([{"name": "p", "tests": {"t": "true"}, "artifacts": f"s3://{BUCKET}"}], kind="command")
    assert "name a bucket at the top" in project.run("validate").stderr


def test_a_bucket_that_looks_like_production_is_refused(project: Project, endpoint: str) -> None:
    run = suite(project, "s3://acme-prod/e2e").run(env=access(endpoint))
    assert run.exit_code == 6
    assert "artifacts.store: the host 'acme-prod' looks like production" in run.stderr
    run = suite(project).run(env=access("https://s3.production.example.com"))
    assert run.exit_code == 6
    assert "AWS_ENDPOINT_URL: the host 's3.production.example.com' looks like production" in run.stderr
    assert not run.output.exists()


def test_without_the_extra_nothing_starts(project: Project) -> None:
    """An interpreter that finds no boto3, as where the extra was not installed."""
    project.write({"hidden/sitecustomize.py": HIDING})
    path = f"{project.root / 'hidden'}:{Path(__file__).parents[2]}"
    run = suite(project).run(env={"PYTHONPATH": path})
    assert run.exit_code == run.last_line["exit_code"] == 5
    assert "needs boto3, which is not installed" in run.stderr
    assert "pip install 'e2e-orchestrator[s3]'" in run.stderr
    assert not run.output.exists()


HIDING = """\
    import sys
    from importlib.machinery import PathFinder


    class Hiding(PathFinder):
        @classmethod
        def find_spec(cls, name, path=None, target=None):
            return None if name == "boto3" else PathFinder.find_spec(name, path, target)


    sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""


def test_doctor_says_whether_the_bucket_can_be_written(project: Project, endpoint: str, bucket: Any) -> None:
    found = suite(project).run("doctor", env=access(endpoint))
    assert found.exit_code == 0, found.stdout
    assert (
        f"✓ artifacts s3://{BUCKET}/e2e/main: can be written: {endpoint}/{BUCKET}/e2e/main/" in found.stdout
    )
    missing = suite(project, "s3://no-such-bucket").run("doctor", env=access(endpoint))
    assert missing.exit_code == 5
    assert "✗ artifacts s3://no-such-bucket: cannot be written: NoSuchBucket: " in missing.stdout
    alone = access(endpoint) | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    nobody = suite(project).run("doctor", env=alone)
    assert nobody.exit_code == 5
    assert "cannot be written: Unable to locate credentials" in nobody.stdout
