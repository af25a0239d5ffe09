"""Questions to real servers: what they answer, and what is wrong when they do not."""

import asyncio
import http.server
import json
import os
import shutil
import socket
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.service import (
    CommandProbe,
    HttpProbe,
    LogProbe,
    PageProbe,
    Probe,
    RedisProbe,
    SqlProbe,
    TcpProbe,
)
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.services.page import installed_browser
from e2e_orchestrator.services.probes import Asker, own_endpoints

pytestmark = pytest.mark.anyio


def listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
async def asker(tmp_path: Path) -> AsyncIterator[Asker]:
    async with Supervisor(log=tmp_path / "keeper.log") as supervisor:
        yield Asker(
            supervisor=supervisor,
            cwd=tmp_path,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)},
            log=tmp_path / "service.log",
        )


PAGES = {
    "/json": ("application/json", json.dumps({"status": "up", "db": {"ok": True}, "queues": [{"depth": 0}]})),
    "/text": ("text/plain", "all systems are up"),
    "/page": (
        "text/html",
        "<h1>Welcome</h1><p id=ready>The studio is ready</p>",
    ),
    "/broken": ("text/html", "<h1>Welcome</h1><script>boom()</script>"),
}


@pytest.fixture
def address() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = PAGES.get(self.path, ("text/plain", "nothing here"))
            self.send_response(200 if self.path in PAGES else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("path", "asked", "answer"),
    [
        pytest.param("/text", {}, None, id="any answer will do"),
        pytest.param("/nowhere", {}, "HTTP 404", id="an error will not"),
        pytest.param("/nowhere", {"status": (404,)}, None, id="unless it is the one that is wanted"),
        pytest.param("/text", {"status": (201, 204)}, "HTTP 200", id="another status"),
        pytest.param("/text", {"body": "all .* up$"}, None, id="a body"),
        pytest.param(
            "/text", {"body": "down"}, "the body has no 'down', it begins with 'all systems are up'", id="another body"
        ),
        pytest.param("/json", {"json": {"status": "up", "db.ok": True, "queues.0.depth": 0}}, None, id="values"),
        pytest.param("/json", {"json": {"status": "down"}}, 'status is "up", not "down"', id="another value"),
        pytest.param("/json", {"json": {"db.ok": 1}}, "db.ok is true, not 1", id="true is no number"),
        pytest.param("/json", {"json": {"cache.ok": True}}, "cache.ok is null, not true", id="a path that leads nowhere"),
        pytest.param(
            "/text", {"json": {"a": 1}}, "the body is no JSON, it begins with 'all systems are up'", id="no JSON"
        ),
    ],
)  # fmt: skip
async def test_an_answer_over_http(
    asker: Asker, address: str, path: str, asked: dict[str, Any], answer: str | None
) -> None:
    assert await asker.ask(HttpProbe(http=address + path, **asked)) == answer


async def test_an_answer_in_pieces_is_put_together(asker: Asker) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nall \r\n2;x=y\r\nup\r\n0\r\n\r\n"
        )
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await asker.ask(HttpProbe(http=f"http://127.0.0.1:{port}/", body="^all up$")) is None


async def test_localhost_is_asked_on_both_families(asker: Asker) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        port = listening.getsockname()[1]
        assert await asker.ask(TcpProbe(tcp=f"localhost:{port}")) is None
        assert "refused" in (await asker.ask(TcpProbe(tcp=f"127.0.0.1:{port}")) or "").lower()


@pytest.mark.skipif(not listens(6379), reason="no Redis listens on port 6379")
async def test_a_redis_answers_ping(asker: Asker) -> None:
    assert await asker.ask(RedisProbe(redis="redis://127.0.0.1:6379/0")) is None


async def test_a_redis_with_a_password_wants_it(asker: Asker, tmp_path: Path) -> None:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
    argv = ["redis-server", "--port", str(port), "--requirepass", "open sesame", "--save", ""]
    server = await asker.supervisor.start(argv, cwd=tmp_path, env=asker.env, output=tmp_path / "redis.log")
    with_password = RedisProbe(redis=f"redis://:open%20sesame@127.0.0.1:{port}")
    async with asyncio.timeout(20):
        while await asker.ask(with_password) is not None:  # noqa: ASYNC110 - a server tells nobody.
            await asyncio.sleep(0.02)
    assert "NOAUTH" in (await asker.ask(RedisProbe(redis=f"redis://127.0.0.1:{port}")) or "")
    wrong = await asker.ask(RedisProbe(redis=f"redis://:wrong@127.0.0.1:{port}")) or ""
    assert wrong.startswith("the password was answered with '-WRONGPASS")
    server.kill()
    await server.ended()


async def test_another_server_is_no_redis(asker: Asker, address: str) -> None:
    answer = await asker.ask(RedisProbe(redis=address.replace("http", "redis")))
    assert answer is not None


DATABASES = {
    "PostgreSQL": "postgresql://postgres@127.0.0.1:5432/postgres",
    "PostgreSQL by SQLAlchemy's name": "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
    "MariaDB": "mysql://root@127.0.0.1:3306/mysql",
}


@pytest.fixture
def _databases() -> None:
    """Of this machine; in CI, where all have to be there, a skip is an error."""
    for port in (5432, 3306):
        if not listens(port):
            pytest.skip(f"no database listens on port {port}")


@pytest.mark.usefixtures("_databases")
@pytest.mark.parametrize("database", DATABASES.values(), ids=DATABASES.keys())
async def test_a_database_answers_a_query(asker: Asker, database: str) -> None:
    assert await asker.ask(SqlProbe(sql=database)) is None
    assert await asker.ask(SqlProbe(sql=database, query="select 1 where 1 = 0")) == "the query gave no row"
    assert "not_there" in (await asker.ask(SqlProbe(sql=database, query="select * from not_there")) or "")


@pytest.mark.usefixtures("_databases")
async def test_a_database_that_is_not_there_is_not_ready(asker: Asker) -> None:
    for database in DATABASES.values():
        nowhere = database.rpartition("/")[0] + "/test_e2e_orchestrator_nowhere"
        assert "test_e2e_orchestrator_nowhere" in (await asker.ask(SqlProbe(sql=nowhere)) or "")


async def test_a_sqlite_file_is_asked_and_never_made(asker: Asker, tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite3"
    probe = SqlProbe(sql=f"sqlite:///{path}", query="select 1 from users")
    assert "unable to open" in (await asker.ask(probe) or "")
    assert not path.exists()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table users (name)")
        connection.commit()
        assert await asker.ask(probe) == "the query gave no row"
        connection.execute("insert into users values ('ada')")
        connection.commit()
    assert await asker.ask(probe) is None


async def test_a_log_is_searched_from_this_start_on(asker: Asker, tmp_path: Path) -> None:
    assert await asker.ask(LogProbe(log="ready$")) == "its output has no 'ready$' yet"
    asker.log.write_text("it is ready\nstarting again\n")
    assert await asker.ask(LogProbe(log="ready$")) is None
    again = Asker(supervisor=asker.supervisor, cwd=tmp_path, env={}, log=asker.log, since=12)
    assert await again.ask(LogProbe(log="ready$")) is not None


async def test_a_program_is_ready_with_status_0_and_leaves_nothing(asker: Asker, tmp_path: Path) -> None:
    assert await asker.ask(CommandProbe(command=("true",))) is None
    assert (
        await asker.ask(CommandProbe(command=("sh", "-c", "echo not yet; exit 4")))
        == "exit status 4: not yet"
    )
    assert "could not be started" in (await asker.ask(CommandProbe(command=("no-such-program",))) or "")
    assert not [name for name in os.listdir(tmp_path) if ".probe-" in name]  # noqa: PTH208


@pytest.mark.browser
@pytest.mark.slow
async def test_a_page_is_ready_if_a_browser_shows_it_without_an_error(asker: Asker, address: str) -> None:
    if installed_browser() is None:
        pytest.skip("there is no Chromium")
    ready = PageProbe(page=f"{address}/page", text="studio is ready", selector="#ready")
    assert await asker.ask(ready) is None
    assert "boom is not defined" in (await asker.ask(PageProbe(page=f"{address}/broken")) or "")
    assert await asker.ask(PageProbe(page=f"{address}/nowhere")) == "HTTP 404"


async def test_a_browser_that_is_not_there_is_no_reason_to_wait(
    asker: Asker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter of its own, which has no Playwright."""
    bare = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    monkeypatch.setattr(sys, "executable", bare)
    (tmp_path / "playwright.py").write_text("raise ImportError\n")
    lacking = Asker(
        supervisor=asker.supervisor,
        cwd=tmp_path,
        env={**asker.env, "PYTHONPATH": str(tmp_path)},
        log=asker.log,
    )
    with pytest.raises(InfrastructureError, match=r"pip install 'e2e-orchestrator\[playwright\]'"):
        await lacking.ask(PageProbe(page="http://127.0.0.1:1/"))


@pytest.mark.parametrize(
    ("probe", "place"),
    [
        (HttpProbe(http="https://localhost/health"), ("localhost", 443)),
        (HttpProbe(http="http://[::1]:80/"), ("::1", 80)),
        (TcpProbe(tcp="127.0.0.1:5432"), ("127.0.0.1", 5432)),
        (RedisProbe(redis="redis://cache"), ("cache", 6379)),
        (SqlProbe(sql="postgresql+psycopg://db/x"), ("db", 5432)),
        (SqlProbe(sql="sqlite:///x.db"), None),
        (PageProbe(page="http://localhost:3000/login"), ("localhost", 3000)),
        (LogProbe(log="ready"), None),
    ],
)
def test_the_place_where_a_service_listens(probe: Probe, place: tuple[str, int] | None) -> None:
    assert own_endpoints([probe]) == ([place] if place else [])


def test_a_question_to_a_database_beside_others_is_about_what_is_left_there() -> None:
    http, sql = HttpProbe(http="http://127.0.0.1:8000/"), SqlProbe(sql="postgresql://127.0.0.1/shop")
    assert own_endpoints([sql, http]) == [("127.0.0.1", 8000)]


async def test_a_word_behind_a_flood_is_found(asker: Asker) -> None:
    asker.log.write_bytes(b"starting\n" + b"." * (9 << 20) + b"\nready for work\n")
    assert await asker.ask(LogProbe(log="^ready for")) is None
    assert await asker.ask(LogProbe(log="^starting$")) is None
    assert await asker.ask(LogProbe(log="^never$")) == "its output has no '^never$' yet"
