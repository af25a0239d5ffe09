"""The tutorial is followed, command by command; how-to pages that promise a run are run."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from pages import ROOT, Block, blocks
from support.project import Project

TUTORIAL = ROOT / "docs" / "tutorial" / "first-run.md"
HOW_TO = ROOT / "docs" / "how-to"
_WRITES = re.compile(r"(?:Write|Correct) `([\w.]+)`:$")


def shell(command: str, *, folder: Path, before: int) -> tuple[int, list[str]]:
    """Exit code and lines of a command, as a reader of the page would see them."""
    if command == "echo $?":
        return 0, [str(before)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def without_times(line: str) -> str:
    return re.sub(r" *\d+\.\d+ ?s\b", " 0.0s", line).rstrip()


def follow(block: Block, *, folder: Path) -> None:
    code, rest = 0, list[str]()
    for line in block.text.splitlines():
        if line.startswith("$ "):
            code, said = shell(line.removeprefix("$ "), folder=folder, before=code)
            rest = [without_times(one) for one in said]
        else:
            wanted = without_times(line)
            assert wanted in rest, f"{block.name}: {wanted!r} is not in {rest}"
            del rest[: rest.index(wanted) + 1]


def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    followed = 0
    for block in blocks(TUTORIAL):
        if writes := _WRITES.search(block.before):
            (tmp_path / writes[1]).write_text(block.text)
        elif block.language == "console":
            follow(block, folder=tmp_path)
            followed += 1
    assert followed > 5


def test_the_runner_of_the_how_to_runs_as_an_installed_package(project: Project) -> None:
    page = HOW_TO / "write-a-runner.md"
    (code,) = blocks(page, "python")
    (entry_point,) = blocks(page, "toml")
    (phases,) = blocks(page, "yaml")
    ((group, offered),) = tomllib.loads(entry_point.text)["project"]["entry-points"].items()
    offers = "".join(f"{name} = {value}\n" for name, value in offered.items())
    project.write(
        {
            "site/my_package/__init__.py": "",
            "site/my_package/unittest_runner.py": code.text,
            "site/my_package-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n",
            "site/my_package-1.0.dist-info/entry_points.txt": f"[{group}]\n{offers}",
            "phases.yaml": phases.text,
            "test_prices.py": """
                import os
                import unittest

                class Prices(unittest.TestCase):
                    def test_price(self):
                        self.assertEqual(os.environ.get("PRICE", "1"), "1")
                """,
        }
    )
    project.env["PYTHONPATH"] = str(project.root / "site")
    assert f"✓ runner units: unittest of {sys.executable}\n" in project.run("doctor").stdout
    assert project.run().ends == {"units/prices": "passed"}
    red = project.run(env={"PRICE": "2"})
    assert (red.exit_code, red.ends) == (1, {"units/prices": "test_failures"})
    assert [case["message"] for case in red.tests["units/prices"]["cases"]] == ["test_price failed"]


def test_the_services_of_the_how_to_start(project: Project) -> None:
    first, *others = blocks(HOW_TO / "start-services.md", "yaml")
    run = project.write({"phases.yaml": first.text}).run()
    assert (run.exit_code, run.ends) == (0, {"smoke/answers": "passed"})
    (of_slots,) = [other.text for other in others if "scope: slot" in other.text]
    ask = "import os, urllib.request as http; http.urlopen(os.environ['API_URL'])"
    assert "curl -sf $API_URL" in of_slots
    program = of_slots.replace("curl -sf $API_URL", f"{sys.executable} ask.py")
    run = project.write({"phases.yaml": program, "ask.py": ask}).run()
    assert (run.exit_code, run.ends) == (0, {"flows/one": "passed", "flows/two": "passed"})


def test_the_journal_reader_of_the_reference_reads_a_journal(project: Project) -> None:
    (code,) = blocks(ROOT / "docs" / "reference" / "journal.md", "python")
    project.commands({"good": "true", "bad": "false"})
    run = project.run()
    project.write({"read.py": code.text})
    said = subprocess.run(
        [sys.executable, "read.py", run.folder / "journal.jsonl"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "p/bad test_failures\n"


def test_the_shell_example_of_the_case_stream_reports_its_cases(project: Project) -> None:
    (code,) = blocks(ROOT / "docs" / "reference" / "case-stream.md", "sh")
    project.write({"check.sh": code.text.replace("curl -fsS", "true")}).commands({"api": "sh check.sh"})
    run = project.run()
    assert [case["id"] for case in run.tests["p/api"]["cases"]] == ["login", "logout"]
    assert run.exit_code == 0
