"""The models of ``safeguards``: the words, and one exception for each target."""

from typing import Self

from pydantic import Field, model_validator

from e2e_orchestrator.config.fields import Line
from e2e_orchestrator.config.model import Model
from e2e_orchestrator.config.values import Refused
from e2e_orchestrator.model.safeguards import WORDS


class AllowedTarget(Model):
    """One target that may be used although it looks like production, and why."""

    host: Line | None = Field(default=None, description="The host, exactly.")
    database: Line | None = Field(
        default=None, description="The database, exactly; of SQLite the file's stem."
    )
    why: Line = Field(description="The reason, for whoever reviews this file.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.host is None and self.database is None:
            raise Refused("needs `host`, `database` or both", hint="write {host: db.example.com, why: …}")
        return self


class SafeguardRules(Model):
    """What looks like production, and what is allowed nevertheless."""

    words: tuple[Line, ...] = Field(
        default=WORDS, description="Parts of names that look like production; replaces the default."
    )
    allow: tuple[AllowedTarget, ...] = Field(default=(), description="Exceptions, one for each target.")
