"""``e2e-orchestrate schema``: the JSON Schema of phases.yaml, for editors."""

import json

import click

from e2e_orchestrator.config.json_schema import json_schema


@click.command("schema")
def schema() -> None:
    """Print the JSON Schema of phases.yaml.

    Save it beside the file, and editors with a YAML language server complete and check it, if the
    file's first line is:

    # yaml-language-server: $schema=phases.schema.json
    """
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
