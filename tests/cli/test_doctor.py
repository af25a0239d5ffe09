"""What a run would miss is found before it misses it."""

import socket
import sys

from calling import call, write_config

FILE = """\
runners: {r: {kind: command}}
services:
  web: {command: "%s -m http.server", ready: {tcp: "127.0.0.1:%d"}}
  api: {command: "%s ${port}", ready: {http: "http://127.0.0.1:${port}/"}}
  other: {external: true, ready: {tcp: "127.0.0.1:%d"}}
phases: [{name: p, runner: r, tests: {t: "true"}}]
"""


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def test_all_is_well(capsys, tmp_path):
    config = write_config(
        tmp_path, FILE % (sys.executable, free := free_port(), sys.executable, other := free_port())
    )
    called = call(capsys, "doctor", "-c", config)
    assert called.code == 0, called.out
    assert f"✓ service web: port {free} of 127.0.0.1 is free" in called.out
    assert f"✓ service other: port {other} of 127.0.0.1 does not answer yet" in called.out
    assert "✗" not in called.out


def test_a_taken_port_and_a_missing_program_are_named(capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        config = write_config(tmp_path, FILE % ("no-such-program", port, sys.executable, port))
        called = call(capsys, "doctor", "-c", config)
    assert called.code == 5
    assert f"✗ service web: port {port} of 127.0.0.1 is taken" in called.out
    assert "✗ service web: there is no program no-such-program" in called.out
    assert f"✓ service other: port {port} of 127.0.0.1 answers" in called.out


def test_a_target_that_looks_like_production_weighs_most(capsys, tmp_path):
    config = write_config(tmp_path, FILE % ("no-such-program", 1, "x", 1) + "env: {DB_HOST: prod-db}\n")
    called = call(capsys, "doctor", "-c", config)
    assert called.code == 6
    assert "env.DB_HOST: the host 'prod-db' looks like production" in called.out
