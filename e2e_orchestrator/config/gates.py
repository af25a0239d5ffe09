"""The models of ``gates`` in phases.yaml."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from e2e_orchestrator.config.fields import Globs, Limit, Listed, Name, Switch, WholeNumber
from e2e_orchestrator.config.model import Model
from e2e_orchestrator.config.scalars import Plain
from e2e_orchestrator.config.values import Refused, parse_at_most, parse_percent
from e2e_orchestrator.model.gates import AtMost

_VARIABLE = {"type": "string", "pattern": r"\$\{"}


def _at_most(value: object) -> AtMost:
    return parse_at_most(_written(value))


def _percent(value: object) -> float:
    return parse_percent(_written(value))


def _written(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Plain):
        raise Refused("must be a number or a percentage, not {found}")
    return str(value)


def _cases(value: Any) -> Any:
    return value if isinstance(value, dict | MinCases) else {"count": value}


def _coverage(value: Any) -> Any:
    return value if isinstance(value, dict | Coverage) else {"lines": value}


AtMostField = Annotated[
    AtMost,
    BeforeValidator(_at_most),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%?$"},
                _VARIABLE,
            ]
        }
    ),
]
Percent = Annotated[
    float,
    BeforeValidator(_percent),
    AfterValidator(float),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 100},
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%?$"},
                _VARIABLE,
            ]
        }
    ),
]


class Measured(Model):
    """How the tests of a runner are measured; see `gates.coverage` for what they have to reach."""

    source: Listed = Field(
        default=(), description="pytest: folders or packages that coverage.py measures, as its --source."
    )
    branch: Switch = Field(default=False, description="pytest: also measure branches; default false.")
    files: Globs = Field(default=(), description="Files that tests leave, in lcov's or Cobertura's format.")

    @model_validator(mode="after")
    def _measures_something(self) -> Self:
        if not self.source and not self.files:
            raise Refused("measures nothing", hint="write coverage: {source: [src]}")
        return self


class MinCases(Model):
    """How many cases have to run."""

    count: WholeNumber | None = Field(default=None, description="At least so many.")
    below_last_green: WholeNumber | None = Field(
        default=None, description="At most so many fewer than in the last green run of this output folder."
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.count is None and self.below_last_green is None:
            raise Refused("asks for nothing", hint="write min_cases: 100")
        return self


class Coverage(Model):
    """How much of the code all attempts together have to reach, in percent."""

    lines: Percent | None = Field(default=None, description="At least so many of the lines, in percent.")
    branches: Percent | None = Field(
        default=None, description="At least so many of the branches, in percent."
    )


class PhaseGates(Model):
    """What a phase has to come up to beside passing."""

    flaky: AtMostField | None = Field(
        default=None, description="At most so many flaky tests: a number, or a share such as 5%."
    )
    min_tests: WholeNumber | None = Field(default=None, description="At least so many tests have to run.")
    min_cases: (
        Annotated[MinCases, BeforeValidator(_cases, json_schema_input_type=WholeNumber | MinCases)] | None
    ) = Field(default=None, description="At least so many cases have to run; `100` means `{count: 100}`.")
    max_skipped: AtMostField | None = Field(
        default=None, description="At most so many skipped cases: a number, or a share such as 5%."
    )
    max_duration: Limit | None = Field(default=None, description="It may take no longer.")
    no_leaks: Switch = Field(default=False, description="true: no test may leave a process behind.")
    required_tags: tuple[Name, ...] = Field(
        default=(), description="For each of these tags a test has to run."
    )


class RunGates(PhaseGates):
    """What the run has to come up to beside passing; one gate that does not hold is exit code 3."""

    coverage: (
        Annotated[Coverage, BeforeValidator(_coverage, json_schema_input_type=Percent | Coverage)] | None
    ) = Field(default=None, description="Coverage in percent; `80` means `{lines: 80}`.")
