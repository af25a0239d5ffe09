"""How a field of phases.yaml is read: by functions of ours, as cheaply for pydantic as that can be."""

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Reads:
    """``Annotated[str, Reads(_text, _line, schema={…})]``: each step gets what the one before it made.

    One validator to pydantic, which takes its time to build each: some hundred fields with two or three are
    8 ms of every start. The last step answers for the type of the field, and ``schema`` for what editors say.
    """

    def __init__(self, *steps: Callable[[Any], Any], schema: dict[str, Any]) -> None:
        self._steps = steps
        self._schema = schema

    def then(self, step: Callable[[Any], Any]) -> "Reads":
        return Reads(*self._steps, step, schema=self._schema)

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self._schema)

    def _read(self, value: Any) -> Any:
        for step in self._steps:
            value = step(value)
        return value
