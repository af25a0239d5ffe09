"""Examples are not decoration: YAML loads, Python compiles, tests that are named exist."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from pages import ROOT, Block, all_blocks

from e2e_orchestrator.config.load import load_config

_YAML = [block for block in all_blocks("yaml") if re.search(r"^phases:", block.text, re.MULTILINE)]
_PYTHON = all_blocks("python")
_JSON = all_blocks("json")


class Defined(dict[str, str]):
    """An environment in which every variable has a value."""

    def __missing__(self, name: str) -> str:
        return "1"


@pytest.mark.parametrize("block", _YAML, ids=lambda block: block.name)
def test_a_file_of_phases_is_valid(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "phases.yaml"
    path.write_text(block.text)
    assert load_config(path, environ=Defined(os.environ)).model.phases


@pytest.mark.parametrize("block", _PYTHON, ids=lambda block: block.name)
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.name, "exec")


@pytest.mark.parametrize("block", _JSON, ids=lambda block: block.name)
def test_json_is_json(block: Block) -> None:
    assert json.loads(block.text)


def test_there_are_examples() -> None:
    assert len(_YAML) > 5
    assert len(_PYTHON) > 5


def named_tests() -> list[str]:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return re.findall(r"`(tests/[\w/]+\.py::\w+)`", text)


@pytest.mark.parametrize("name", named_tests())
def test_a_trap_is_guarded_by_a_test_that_exists(name: str) -> None:
    path, _, function = name.partition("::")
    assert re.search(rf"^(async )?def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_layers_in_the_architecture_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n## Layers\n")[2]
    drawn = page.partition("```text\n")[2].partition("```")[0].splitlines()
    assert [line.split("  ")[0] for line in drawn] == layers


@pytest.mark.parametrize(
    "name",
    sorted(path.name for path in (ROOT / "e2e_orchestrator").glob("[a-z]*") if path.name != "py.typed"),
)
def test_every_part_of_the_package_stands_in_the_tree(name: str) -> None:
    tree = (
        (ROOT / "ARCHITECTURE.md")
        .read_text(encoding="utf-8")
        .partition("\n## Tree\n")[2]
        .partition("\n## ")[0]
    )
    assert re.search(rf"^  {re.escape(name)}/? ", tree, re.MULTILINE)
