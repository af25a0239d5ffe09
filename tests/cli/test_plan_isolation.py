"""What slots will own is in the plan, with the bases that it is made of and why they may be cloned."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from calling import call, write_config

FILE = """\
runners: {r: {kind: command}}
env:
  DATABASE_URL: postgresql://app:hunter2-hunter2@127.0.0.1/test_shop
  REDIS_URL: redis://127.0.0.1:6379/3
services:
  web: {command: "serve ${port}", scope: slot}
  mail: {command: "serve ${port}"}
phases:
  - {name: lint, runner: r, tests: {t: "true"}}
  - name: flows
    runner: r
    isolation: {database: clone, redis: index, ports: 2, directory: true}
    tests: {a: "true", b: {target: "true", isolation: {reset: per_phase, data: none}}, c: "true"}
"""


def plan(capsys: Any, folder: Path, text: str) -> Any:
    return json.loads(call(capsys, "plan", "--json", "-c", write_config(folder, text)).out)


def lines(capsys: Any, folder: Path, text: str) -> list[str]:
    return list(call(capsys, "plan", "-c", write_config(folder, text)).out.splitlines())


def test_each_phase_says_what_a_slot_owns(capsys, tmp_path):
    shown = lines(capsys, tmp_path, FILE)
    flows = shown.index(next(line for line in shown if line.startswith("flows (")))
    common = "ports E2E_PORT_1 E2E_PORT_2, a folder in E2E_SLOT_DIR, services web; anew"
    assert shown[flows + 1 : flows + 3] == [
        (
            "   each slot owns a clone of DATABASE_URL with its rows, a numbered database in REDIS_URL, "
            f"{common} before each attempt (a, c)"
        ),
        (
            "   each slot owns a clone of DATABASE_URL without rows, a numbered database in REDIS_URL, "
            f"{common} for each phase (b)"
        ),
    ]
    lint = shown.index(next(line for line in shown if line.startswith("lint (")))
    assert shown[lint + 1] == "   each slot owns services web"


def test_an_address_that_a_service_completes_is_not_known_yet(capsys, tmp_path):
    text = FILE.replace("redis://127.0.0.1:6379/3", "redis://127.0.0.1:${MAIL_PORT}/3")
    text = text.replace("{database: clone, redis: index,", "{redis: index,")
    shown = call(capsys, "plan", "-c", write_config(tmp_path, text))
    assert shown.code == 0, shown.err
    assert "each slot owns databases whose addresses are not known yet" in shown.out


def test_a_phase_that_will_not_run_refuses_nothing(capsys, tmp_path):
    text = FILE.replace("runner: r\n    isolation", 'runner: r\n    when: "1 == 2"\n    isolation')
    text = text.replace("127.0.0.1/test_shop", "db.internal/shop")
    shown = call(capsys, "plan", "-c", write_config(tmp_path, text))
    assert shown.code == 0, shown.err
    assert call(capsys, "plan", "-c", write_config(tmp_path, text.replace("1 == 2", "1 == 1"))).code == 6


def test_a_service_of_other_phases_is_not_among_it(capsys, tmp_path):
    text = FILE.replace("scope: slot}", "scope: slot, phases: [flows]}")
    shown = "\n".join(lines(capsys, tmp_path, text))
    assert "each slot owns services" not in shown
    assert "one for each slot in flows" in shown
    phases = plan(capsys, tmp_path, text)["phases"]
    assert phases[1]["tests"][0]["isolation"]["services"] == ["web"]


def test_where_nothing_is_owned_nothing_is_said(capsys, tmp_path):
    text = "runners: {r: {kind: command}}\nphases: [{name: p, runner: r, tests: {t: 'true'}}]\n"
    shown = call(capsys, "plan", "-c", write_config(tmp_path, text)).out
    assert "slot" not in shown
    assert "base" not in shown
    assert plan(capsys, tmp_path, text)["phases"][0]["tests"][0]["isolation"] is None


BASES = {
    "a base is copied in each run": (
        'DATABASE_URL: {url: "postgresql://127.0.0.1/test_shop"}',
        "DATABASE_URL: postgres at 127.0.0.1, database test_shop; its template is copied in each run",
    ),
    "a file is kept until it changes": (
        'DATABASE_URL: {url: "mysql://127.0.0.1/shop", sql: schema.sql}',
        "DATABASE_URL: mysql at 127.0.0.1, database shop; its template is built by {folder}/schema.sql and kept until its file changes",
    ),
    "migrations are kept until a file of theirs changes": (
        'DATABASE_URL: {url: "mariadb://127.0.0.1/shop", migrate: make it, schema_files: ["*.sql"]}',
        "DATABASE_URL: mysql at 127.0.0.1, database shop; its template is built by make it and kept until one of its 2 files changes",
    ),
    "migrations of which nobody knows the files are built in each run": (
        'DATABASE_URL: {url: "postgresql://127.0.0.1/shop", migrate: make it}',
        "DATABASE_URL: postgres at 127.0.0.1, database shop; its template is built in each run by make it",
    ),
    "SQLite keeps nothing": (
        'DATABASE_URL: {url: "sqlite:///shop.db", sql: schema.sql}',
        "DATABASE_URL: sqlite {folder}/shop.db; its template is built in each run by {folder}/schema.sql",
    ),
}


@pytest.mark.parametrize(("database", "said"), BASES.values(), ids=BASES.keys())
def test_each_base_says_where_its_template_comes_from(capsys, tmp_path, database, said):
    (tmp_path / "schema.sql").write_text("")
    (tmp_path / "more.sql").write_text("")
    text = f"""\
runners: {{r: {{kind: command}}}}
databases: {{{database}}}
phases: [{{name: p, runner: r, isolation: {{database: clone}}, tests: {{t: "true"}}}}]
"""
    shown = lines(capsys, tmp_path, text)
    assert f"base     {said.format(folder=tmp_path)}" in shown


def test_for_programs_it_is_the_words_of_the_file(capsys, tmp_path):
    found = plan(capsys, tmp_path, FILE)
    assert found["phases"][1]["tests"][1]["isolation"] == {
        "database": "clone",
        "redis": "index",
        "ports": ["E2E_PORT_1", "E2E_PORT_2"],
        "directory": "E2E_SLOT_DIR",
        "reset": "per_phase",
        "data": "none",
        "fallback": "sequential",
        "variables": ["DATABASE_URL", "REDIS_URL"],
        "services": ["web"],
    }
    assert found["bases"][0] == {
        "variable": "DATABASE_URL",
        "kind": "postgres",
        "server": "127.0.0.1",
        "database": "test_shop",
        "data": "copy",
        "template": "copied",
        "schema_files": 0,
    }
    assert "hunter2" not in json.dumps(found)


PROOFS = {
    "its name": ("postgresql://127.0.0.1/test_shop", "a test database by its name"),
    "a table that the run looks for": (
        "postgresql://127.0.0.1/shop",
        "if it has a table e2e_orchestrator_test_database",
    ),
    "a file is never written to": ("sqlite:///shop.db", "a file that is only read"),
}


@pytest.mark.parametrize(("url", "proof"), PROOFS.values(), ids=PROOFS.keys())
def test_why_it_may_be_cloned_stands_beside_what_was_checked(capsys, tmp_path, url, proof):
    text = FILE.replace("postgresql://app:hunter2-hunter2@127.0.0.1/test_shop", url)
    checked = plan(capsys, tmp_path, text)["checked"]
    [found] = [
        (one["proof"], one["where"]) for one in checked if one["proof"] and one["what"] == "DATABASE_URL"
    ][:1]
    assert found == (proof, "flows/a")
    assert any(f"isolated: {proof} (DATABASE_URL)" in line for line in lines(capsys, tmp_path, text))


def test_a_base_that_may_not_be_cloned_is_refused_by_plan_and_doctor(capsys, tmp_path):
    text = FILE.replace("127.0.0.1/test_shop", "db.example.com/test_shop").replace(
        "serve ${port}", f"{sys.executable} ${{port}}"
    )
    config = write_config(tmp_path, text)
    for command in ("plan", "doctor"):
        called = call(capsys, command, "-c", config)
        assert called.code == 6
        assert "the host 'db.example.com' is not this machine" in called.out


def test_an_address_that_a_service_will_say_is_not_known_yet(capsys, tmp_path):
    text = FILE.replace("  DATABASE_URL: postgresql://app:hunter2-hunter2@127.0.0.1/test_shop\n", "").replace(
        ", redis: index", ""
    )
    shown = "\n".join(lines(capsys, tmp_path, text))
    assert "each slot owns databases whose addresses are not known yet, ports" in shown


def test_the_doctor_lists_what_was_checked(capsys, tmp_path):
    text = FILE.replace("serve ${port}", f"{sys.executable} ${{port}}")
    called = call(capsys, "doctor", "-c", write_config(tmp_path, text))
    assert called.code == 0, called.out
    assert "✓ safeguards: 127.0.0.1/test_shop: looks fine (env.DATABASE_URL)" in called.out
    assert (
        "✓ safeguards: 127.0.0.1/test_shop: looks fine; isolated: a test database by its name (DATABASE_URL)"
        in called.out
    )


def test_of_two_hosts_only_the_foreign_one_is_refused(capsys, tmp_path):
    text = FILE.replace("127.0.0.1/test_shop", "localhost,db2.example/test_shop")
    shown = call(capsys, "plan", "-c", write_config(tmp_path, text))
    assert shown.code == 6
    assert "'db2.example' is not this machine" in shown.err
    assert "'localhost'" not in shown.err


def test_a_service_waits_for_the_one_above_it_that_is_in_all_of_its_phases(capsys, tmp_path):
    text = FILE.replace("scope: slot}", "scope: slot, phases: [flows]}")
    text = text.replace(
        "  mail:",
        "  everywhere: {command: all, scope: slot}\n  again: {command: a, scope: slot, phases: [flows]}\n  mail:",
    )
    planned = {one["name"]: one["needs"] for one in plan(capsys, tmp_path, text)["services"]}
    assert planned == {"web": [], "everywhere": [], "again": ["everywhere"], "mail": []}


def test_a_port_of_a_service_that_a_phase_does_not_have_is_a_mistake(capsys, tmp_path):
    text = FILE.replace("scope: slot}", "scope: slot, phases: [flows]}")
    text = text.replace("env:\n", "env:\n  WEB: http://127.0.0.1:${WEB_PORT}\n", 1)
    shown = call(capsys, "plan", "-c", write_config(tmp_path, text))
    assert shown.code == 2
    assert "`WEB` refers to `WEB_PORT`, a port of service `web`, which this phase does not have" in shown.err
    text = text.replace("phases: [flows]", "phases: [flows, lint]")
    assert call(capsys, "plan", "-c", write_config(tmp_path, text)).code == 0
