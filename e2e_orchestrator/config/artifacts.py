"""The models of ``artifacts`` at the top of phases.yaml."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from e2e_orchestrator.config.fields import Globs, Text, choice
from e2e_orchestrator.config.model import Model
from e2e_orchestrator.config.values import Refused
from e2e_orchestrator.model.plan import Screenshots

_S3 = "s3://"
# The rules of AWS for the names of buckets, which other servers share or relax.
_PLACE = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()=+@~-]+)*/?")


def _place(value: str) -> str:
    """Empty for nowhere, so that a variable can turn it off."""
    if value and not (_PLACE.fullmatch(value) and not {".", ".."} & set(value.split("/"))):
        raise Refused("`{value}` is no place in a bucket", hint="write s3://bucket or s3://bucket/prefix")
    return value


class Artifacts(Model):
    """What is kept of the files that tests write, and what reports do with them."""

    collect: Globs = Field(default=(), description="Files that every attempt keeps, relative to its folder.")
    screenshots: Annotated[Screenshots, choice(Screenshots)] = Field(
        default=Screenshots.ALWAYS,
        description="always (default); never: no report shows them or links to them.",
    )
    store: Annotated[Text, AfterValidator(_place)] | None = Field(
        default=None, description="Where copies go: s3://bucket/prefix; needs the extra `s3`."
    )


def _artifacts(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_S3):
        return {"store": value}
    return value if isinstance(value, dict | Artifacts) else {"collect": value}


ArtifactsField = Annotated[Artifacts, BeforeValidator(_artifacts, json_schema_input_type=Globs | Artifacts)]
