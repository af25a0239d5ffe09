"""``isolation:`` in phases.yaml: what the slot of a test owns alone."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from e2e_orchestrator.config.fields import Ports, choice
from e2e_orchestrator.config.model import Model
from e2e_orchestrator.config.scalars import Kind, Plain
from e2e_orchestrator.config.values import Refused
from e2e_orchestrator.model.isolation import (
    USUAL_FOLDER,
    CopiedData,
    DatabaseIsolation,
    Fallback,
    RedisIsolation,
    Reset,
)


def _folder(value: object) -> str:
    """The variable that names it; empty if there is to be none."""
    switch = value.switch if isinstance(value, Plain) and value.kind is Kind.SWITCH else value
    if isinstance(switch, bool):
        return USUAL_FOLDER if switch else ""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        return str(value)
    raise Refused("must be true, false, or the name of a variable, not {found}")


Folder = Annotated[
    str, BeforeValidator(_folder), WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string"}]})
]


class Isolation(Model):
    """What the slot of a test owns alone, so that tests may run side by side. The rest is inherited."""

    database: Annotated[DatabaseIsolation, choice(DatabaseIsolation)] | None = Field(
        default=None, description="clone: a database of its own, under the same variable; shared (default)."
    )
    redis: Annotated[RedisIsolation, choice(RedisIsolation)] | None = Field(
        default=None,
        description="index: a numbered database of its own; prefix: keys of its own; shared (default).",
    )
    ports: Ports | None = Field(
        default=None, description="How many free ports it gets, or the variables that name them."
    )
    directory: Folder | None = Field(
        default=None,
        description="true: an empty folder of its own, in E2E_SLOT_DIR, or the variable that names it; default false.",
    )
    reset: Annotated[Reset, choice(Reset)] | None = Field(
        default=None,
        description="When it is made anew: per_test (default), per_phase, on_retry or never.",
    )
    data: Annotated[CopiedData, choice(CopiedData)] | None = Field(
        default=None, description="copy (default): with the rows of the base; none: its schema alone."
    )
    fallback: Annotated[Fallback, choice(Fallback)] | None = Field(
        default=None,
        description="Where nothing can be cloned: sequential (default), on the one database; or error.",
    )
