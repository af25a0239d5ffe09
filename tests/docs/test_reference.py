"""The reference is complete: what the code has, the pages name, and nothing besides."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import click
import pytest
from pages import REFERENCE, ROOT, rows, words

from e2e_orchestrator.cli import help_page
from e2e_orchestrator.cli.commands import COMMANDS
from e2e_orchestrator.cli.main import Program, program
from e2e_orchestrator.config.json_schema import json_schema
from e2e_orchestrator.model import events
from e2e_orchestrator.model.outcomes import STATUS_OF, CaseStatus, Status
from e2e_orchestrator.safety.redact import secret_values

# Which part of the page documents which model of the schema.
PARTS = {
    "Config": ("The file", "Policies"),
    "Runner": ("Runners",),
    "Service": ("Services",),
    "Phase": ("Phases", "Policies"),
    "TestDetails": ("Tests", "Policies"),
    "Retries": ("Retries",),
    "RunRetries": ("Retries",),
    "Ready": ("Ready",),
    "Stop": ("Services",),
    "Restart": ("Services",),
    "Compose": ("Services",),
    "SafeguardRules": ("Safeguards",),
    "AllowedTarget": ("Safeguards",),
    "Keep": ("Kept runs",),
    "Artifacts": ("Artifacts",),
    "RunGates": ("Gates",),
    "PhaseGates": ("Gates",),
    "MinCases": ("Gates",),
    "Coverage": ("Gates",),
    "Measured": ("Coverage",),
    "Isolation": ("Isolation",),
    "Database": ("Databases",),
}
PREFIXES = {
    "Restart": "restart.",
    "Compose": "compose.",
    "Stop": "stop.",
    "Artifacts": "artifacts.",
    "MinCases": "min_cases.",
    "Coverage": "coverage.",
    "Measured": "coverage.",
}


def schema_models() -> dict[str, dict[str, Any]]:
    schema = json_schema()
    models = {"Config": schema, **schema["$defs"]}
    return {name: model for name, model in models.items() if "properties" in model}


def documented_keys(part: str) -> set[str]:
    return {word for row in rows(REFERENCE / "phases-yaml.md", below=part) for word in words(row[0])}


@pytest.mark.parametrize("model", sorted(schema_models()))
def test_every_key_of_the_schema_is_documented(model: str) -> None:
    assert model in PARTS, f"say in PARTS which part of phases-yaml.md documents {model}"
    keys = {f"{PREFIXES.get(model, '')}{key}" for key in schema_models()[model]["properties"]}
    documented = set.union(*(documented_keys(part) for part in PARTS[model]))
    if model == "Service":
        documented |= {"stop"}
    assert keys <= documented


def test_no_key_is_documented_that_the_schema_does_not_have() -> None:
    models = schema_models()
    keys = {f"{PREFIXES.get(name, '')}{key}" for name, model in models.items() for key in model["properties"]}
    parts = {part for named in PARTS.values() for part in named}
    kinds = {"pytest", "playwright", "django", "command"}
    assert set.union(*(documented_keys(part) for part in parts)) - keys <= kinds


def event_types() -> Iterator[tuple[str, set[str]]]:
    for kind in get_args(events.Event):
        fields = set(kind.__dataclass_fields__)
        yield kind.__dataclass_fields__["type"].default, fields - {"type"}


@pytest.mark.parametrize(("name", "keys"), sorted((name, sorted(keys)) for name, keys in event_types()))
def test_every_event_is_documented_with_its_keys(name: str, keys: list[str]) -> None:
    documented = {
        words(row[0])[0]: set(words(row[1]))
        for row in rows(REFERENCE / "journal.md", below="Events")
        if words(row[0])
    }
    assert documented.get(name) == set(keys)


def test_the_table_of_verdicts_is_that_of_the_model() -> None:
    table = {
        (words(row[0])[0], words(row[1])[0] if words(row[1]) else None)
        for row in rows(REFERENCE / "verdicts.md", below="Tests")
        if words(row[0])
    }
    pairs = {(str(status), str(reason)) for reason, status in STATUS_OF.items()}
    assert table == {*pairs, (str(Status.PASSED), None)}


def test_every_status_of_a_case_is_documented() -> None:
    documented = [words(row[0])[0] for row in rows(REFERENCE / "verdicts.md", below="Cases") if words(row[0])]
    assert documented == [str(status) for status in CaseStatus]


def test_the_exit_codes_of_page_readme_and_help_agree() -> None:
    def codes(table: list[list[str]]) -> set[int]:
        return {
            int(code)
            for row in table
            for code in re.findall(r"^[\d, ]+$", row[0])
            for code in code.split(",")
        }

    page = codes(rows(REFERENCE / "exit-codes.md", below="Exit codes") or rows(REFERENCE / "exit-codes.md"))
    readme = codes(rows(ROOT / "README.md", below="Exit codes"))
    helped = help_page.text().partition("Exit codes:")[2].partition("\n\n")[0]
    shown = {int(code) for code in re.findall(r"(?:^|  |, )(\d+)(?=,|  )", helped, re.MULTILINE)}
    assert readme == shown
    assert page == readme | {129}


def options() -> Iterator[tuple[str, click.Option]]:
    with click.Context(program) as ctx:
        for name in COMMANDS:
            command = Program.get_command(program, ctx, name)
            assert command is not None
            for param in command.params:
                if isinstance(param, click.Option):
                    yield name, param


def test_every_option_is_documented_with_its_variable_and_its_commands() -> None:
    table = {
        next(word.split()[0] for word in words(row[0]) if word.startswith("--")): row
        for row in rows(REFERENCE / "cli.md", below="Options")
        if any(word.startswith("--") for word in words(row[0]))
    }
    of: dict[str, list[str]] = {}
    for command, option in options():
        long = next(name for name in option.opts if name.startswith("--"))
        of.setdefault(long, []).append(command)
        assert words(table[long][2]) == [option.envvar]
    assert {name: row[1].split(", ") for name, row in table.items()} == of


def test_every_command_is_documented() -> None:
    rest = rows(REFERENCE / "cli.md", below="Options")
    table = [
        row for row in rows(REFERENCE / "cli.md") if row not in rest and len(row) == len(("command", "does"))
    ]
    assert [words(row[0])[0] for row in table if words(row[0])][: len(COMMANDS)] == list(COMMANDS)


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSPHRASE",
        "API_KEY",
        "CREDENTIAL",
        "WEBHOOK",
        "DSN",
        "X_AUTH",
        "KEY",
        "PASS",
    ],
)
def test_the_names_that_the_page_on_secrets_lists_are_secret(name: str) -> None:
    assert "open sesame!" in secret_values({name: "open sesame!"})
