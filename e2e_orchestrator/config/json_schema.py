"""The JSON Schema of phases.yaml, for editors that complete and check while one types."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from e2e_orchestrator.config.schema import Config


def json_schema() -> dict[str, Any]:
    """Draft 2020-12, generated from the models: what it says cannot differ from what is read."""
    generated = Config.model_json_schema(schema_generator=_WithoutNull)
    return {"$schema": GenerateJsonSchema.schema_dialect, **generated}


class _WithoutNull(GenerateJsonSchema):
    """None means "not written" in the models; nobody may write it."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described
