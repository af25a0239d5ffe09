"""The table of wordings stays in step with pydantic."""

from typing import get_args

from pydantic_core.core_schema import ErrorType

from e2e_orchestrator.config.messages import WORDING


def test_every_entry_is_an_error_that_pydantic_has():
    assert set(WORDING) <= set(get_args(ErrorType))
