"""Whole runs whose tests spread a secret in every way: it reaches no file and no terminal."""

import base64
import json
import os
import stat
import zipfile
from io import BytesIO

import pytest
from support.kinds import needs_playwright, playwright_home
from support.project import Finished, Project

SECRET = "LONGSECRETVALUE-QWERTYUIOP"
ENV = {"MY_TOKEN": SECRET}
PIECE = 5


def leaks(run: Finished) -> list[str]:
    """Where a piece of the secret is left."""
    pieces = [SECRET[at : at + PIECE] for at in range(len(SECRET) - PIECE + 1)]
    said = [("stdout", run.stdout.encode()), ("stderr", run.stderr.encode())]
    return [
        str(name) for name, data in (*said, *run.written()) if any(one.encode() in data for one in pieces)
    ]


CUTS = {
    "in the message of a case": "assert 0, padding[:{at}] + ' ' + token + ' ' + padding * 3 + token + ' ' + padding[:{at}]",
    "in an error while collecting": "raise RuntimeError(padding[:{at}] + ' ' + token + ' ' + padding * 3)",
}


@pytest.mark.slow
@pytest.mark.parametrize("code", CUTS.values(), ids=CUTS.keys())
def test_no_part_of_a_secret_is_left_where_a_message_is_cut(project: Project, code: str) -> None:
    head = "import os\npadding, token = 'ab ' * 6000, os.environ['MY_TOKEN']\n"
    files = {}
    for number, at in enumerate(range(7950, 8150, 9)):
        body = code.format(at=at)
        files[f"test_{number}.py"] = head + (
            f"def test_x():\n    {body}\n" if "assert" in body else f"{body}\n"
        )
    project.write(files)
    run = project.phases([{"name": "p", "tests": {"a": "."}}]).run(env=ENV)
    assert run.tests["p/a"]["status"] == "failed"
    assert "letters cut" in json.dumps(run.results)
    assert leaks(run) == []


@pytest.mark.slow
def test_no_part_is_left_of_a_command_line_that_is_cut(project: Project) -> None:
    project.write(
        {
            "leave.py": "import os, subprocess, sys\n"
            "for n in range(250, 300, 5):\n"
            "    argv = [sys.executable, '-c', 'import time; time.sleep(300)']\n"
            "    long = 'x' * (n - len(' '.join(argv)) - 1)\n"
            "    subprocess.Popen([*argv, long, os.environ['MY_TOKEN']], start_new_session=True)\n"
        }
    )
    run = project.commands({"t": "python3 leave.py"}).run(env=ENV)
    assert len(run.tests["p/t"]["attempts"][0]["leaked"]) == 10
    assert leaks(run) == []


def test_text_files_of_every_kind_are_masked(project: Project) -> None:
    project.write(
        {
            "spread.sh": 'cd "$E2E_OUTPUT_DIR"; for name in a.har b.yaml c sub/d.css; do mkdir -p sub; '
            'echo "$MY_TOKEN" > $name; done\n'
        }
    )
    run = project.commands({"t": "sh spread.sh"}).run(env=ENV)
    assert run.exit_code == 0
    assert (run.folder / "p/t/attempt-1/a.har").read_text() == "***\n"
    assert leaks(run) == []


def test_a_key_that_begins_with_a_slash_is_masked_everywhere(project: Project) -> None:
    key = f"/{SECRET}/wJalrXUtnFEMI"
    project.write({"spread.sh": 'echo "$CLOUD_ACCESS_KEY" | tee "$E2E_OUTPUT_DIR/left"; exit 1\n'})
    run = project.commands({"t": "sh spread.sh"}).run(
        "--report", "console,json,junit,markdown", env={"CLOUD_ACCESS_KEY": key}
    )
    assert run.exit_code == 1
    assert (run.folder / "p/t/attempt-1/left").read_text() == "***\n"
    assert leaks(run) == []


def test_a_long_secret_that_pytest_abbreviates_leaves_no_long_part(project: Project) -> None:
    token = "".join(f"{at * at % 9973:x}{at}Q" for at in range(60))[:300]
    project.write(
        {"test_t.py": "import os\ndef test_t():\n    t = os.environ['LONG_API_TOKEN']\n    assert not t\n"}
    )
    run = project.phases([{"name": "p", "tests": {"a": "test_t.py"}}]).run(
        "--report", "console,json,junit,markdown", env={"LONG_API_TOKEN": token}
    )
    assert run.ends == {"p/a": "test_failures"}
    assert "***...***" in json.dumps(run.results)
    windows = [token[at : at + 16].encode() for at in range(len(token) - 15)]
    said = [("stdout", run.stdout.encode()), ("stderr", run.stderr.encode()), *run.written()]
    assert [str(name) for name, data in said if any(one in data for one in windows)] == []


SPREADING = """
import { test, expect } from '@playwright/test';
const token = process.env.MY_TOKEN!;
test('spreads', async ({}, info) => {
  await info.attach(token, { body: token });
  process.stdout.write(token.slice(0, 9));
  process.stdout.write(token.slice(9));
  await test.step(`with ${token}`, () => expect(token).toBe('x'));
});
"""


@pytest.mark.slow
@pytest.mark.parametrize("specs", [1, 2], ids=["alone", "packed"])
def test_the_reports_of_playwright_hold_no_secret(project: Project, specs: int) -> None:
    needs_playwright()
    (project.root / "node_modules").symlink_to(playwright_home() / "node_modules")
    names = [f"{one}.spec.ts" for one in "ab"[:specs]]
    config = "export default { reporter: [['html'], ['json'], ['junit'], ['blob']] };"
    project.write({"package.json": "{}", "playwright.config.ts": config, **dict.fromkeys(names, SPREADING)})
    phase = {"name": "p", "tests": {name[0]: name for name in names}, "retries": 0}
    run = project.phases([phase], kind="playwright").run(env=ENV)
    assert set(run.ends.values()) == {"test_failures"}, run.stdout
    pages = list(run.folder.rglob("html/index.html"))
    assert pages
    for page in pages:
        encoded = page.read_bytes().partition(b"zip;base64,")[2].partition(b"<")[0]
        with zipfile.ZipFile(BytesIO(base64.b64decode(encoded))) as archive:
            texts = b"".join(archive.read(name) for name in archive.namelist())
        assert b"with ***" in texts
        assert SECRET.encode() not in texts
    [blob] = run.folder.rglob("blob/*.zip")
    with zipfile.ZipFile(blob) as archive:
        events = archive.read("report.jsonl")
    assert b"with ***" in events
    assert not {SECRET.encode(), base64.b64encode(SECRET.encode())} & set(events.replace(b'"', b" ").split())
    assert SECRET.encode() not in events
    pieces = [
        one["text"] for page in run.folder.rglob("playwright.json") for one in _outputs(page.read_text())
    ]
    assert pieces
    assert SECRET not in "".join(pieces)
    assert not [str(name) for name, data in run.written() if SECRET.encode() in data]


def _outputs(report: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    json.loads(report, object_hook=lambda one: found.extend(one.get("stdout", [])) or one)
    return found


@pytest.mark.slow
def test_a_test_that_puts_a_link_in_the_place_of_its_folder_changes_nothing_elsewhere(
    project: Project,
) -> None:
    project.write(
        {
            "victim/sub/settings.json": SECRET,
            "link.sh": 'rm -rf "$E2E_OUTPUT_DIR"; ln -s "$PWD/victim" "$E2E_OUTPUT_DIR"\n',
        }
    )
    run = project.commands({"t": "sh link.sh"}).run(env=ENV)
    assert (project.root / "victim/sub/settings.json").read_text() == SECRET
    [warning] = run.results["warnings"]
    assert warning.startswith("p/t: attempt 1 may have left secrets: attempt-1 is not the folder that it was")


@pytest.mark.slow
def test_what_a_variable_was_replaced_by_is_not_shown(project: Project) -> None:
    project.commands({"t": "true ${MY_TOKEN}"}, description="with ${MY_TOKEN}")
    for arguments in (["plan"], ["plan", "--json"], ["plan", "--color", "always"], ["run", "--dry-run"]):
        run = project.run(*arguments, env=ENV)
        assert run.exit_code == 0, run.stderr
        assert "true ***" in run.stdout
        assert leaks(run) == []


def test_a_secret_that_only_the_file_names_is_not_shown_in_the_plan(project: Project) -> None:
    project.phases(
        [{"name": "p", "tests": {"t": "true ${DOOR}"}}],
        kind="command",
        secrets=["DOOR"],
        env={"DOOR": "${DOOR}"},
    )
    assert "open sesame" not in project.run("plan", env={"DOOR": "open sesame"}).stdout


@pytest.mark.parametrize("command", ["plan", "run", "validate"])
def test_a_mistake_does_not_show_what_a_variable_was_replaced_by(project: Project, command: str) -> None:
    project.phases([{"name": "p", "runner": "${MY_TOKEN}", "tests": {"t": "true"}}], kind="command")
    run = project.run(command, env=ENV)
    assert run.exit_code == 2
    assert "***" in run.stderr
    assert leaks(run) == []


def test_the_last_line_does_not_show_it_either(project: Project) -> None:
    run = project.commands({"t": "true"}).run("--phase", SECRET, env=ENV)
    assert run.exit_code == 2
    assert "***" in run.last_line["why"]
    assert leaks(run) == []


@pytest.mark.slow
def test_a_report_into_a_pipe_that_nobody_reads_is_exit_code_5_and_leaves_the_pipe(project: Project) -> None:
    os.mkfifo(project.root / "pipe")
    run = project.commands({"t": "true"}).run("--report", "json=pipe")
    assert run.exit_code == 5
    assert "json" in run.last_line["why"]
    assert stat.S_ISFIFO((project.root / "pipe").stat().st_mode)


def test_a_report_on_standard_output_is_json_alone(project: Project) -> None:
    # What /dev/stdout is; that one belongs to everybody, and a mistake of ours could replace it.
    (project.root / "stdout").symlink_to("/dev/fd/1")
    run = project.commands({"t": "true"}).run("--report", "json=stdout")
    assert run.exit_code == 0, run.stderr
    assert json.loads(run.stdout)["success"] is True
    assert (project.root / "stdout").is_symlink()


@pytest.mark.slow
def test_the_log_of_a_service_stays_in_the_output_folder(project: Project) -> None:
    project.phases(
        [{"name": "p", "tests": {"t": "true"}}], kind="command",
        services={"../../../../escaped": {"command": "sleep 300"}},
    )  # fmt: skip
    run = project.run()
    assert run.exit_code == 2
    assert "a service's name holds no slash" in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["data base", "a:b", "ü*?"])
def test_a_service_may_have_any_other_name(project: Project, name: str) -> None:
    project.phases(
        [{"name": "p", "tests": {"t": "true"}}], kind="command", services={name: {"command": "sleep 300"}}
    )
    run = project.run()
    assert run.exit_code == 0, run.stderr
    [service] = run.results["services"]
    assert (run.output / service["log"]).is_file()


TORN_PAGE = """\
    printf '<html>data:application/zip;base64,UEsgdG9ybg==</html>' >"$E2E_OUTPUT_DIR/index.html"
    echo fine >"$E2E_OUTPUT_DIR/notes.txt"
    say() { printf '%s\\n' "$1" >>"$E2E_EVENTS"; }
    say '{"event": "session_started"}'
    say '{"event": "case_started", "id": "a"}'
    say '{"event": "case_finished", "id": "a", "status": "passed", "attachments": [
        {"name": "page", "path": "index.html"}, {"name": "notes", "path": "notes.txt"}]}'
    say '{"event": "session_finished", "exit_status": 0}'
"""


def test_a_report_that_had_to_be_removed_is_no_attachment_any_more(project: Project) -> None:
    project.write({"story.sh": TORN_PAGE.replace("[\n        {", "[{")})
    run = project.phases([{"name": "p", "tests": {"t": "sh story.sh"}}], kind="command").run(
        env={"MY_PASSWORD": "hunter2hunter2"}
    )
    assert run.exit_code == 0, run.stdout
    [case] = run.tests["p/t"]["cases"]
    assert [one["name"] for one in case["attachments"]] == ["notes"]
    assert any("index.html was removed" in one for one in run.results["warnings"])
