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
    user: Line | None = Field(
        default=None, description="The user, exactly; not needed with all there is of host and database."
    )
    service: Line | None = Field(
        default=None, description="The service of PostgreSQL's pg_service.conf, exactly."
    )
    settings: Line | None = Field(
        default=None, description="The module of Django's settings, or the name of an environment, exactly."
    )
    why: Line = Field(description="The reason, for whoever reviews this file.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not any((self.host, self.database, self.user, self.service, self.settings)):
            raise Refused("needs `host`, `database` or both", hint="write {host: db.example.com, why: …}")
        return self


class SafeguardRules(Model):
    """What looks like production, and what is allowed nevertheless."""

    words: tuple[Line, ...] = Field(
        default=WORDS, description="Parts of names that look like production; replaces the default."
    )
    allow: tuple[AllowedTarget, ...] = Field(default=(), description="Exceptions, one for each target.")
