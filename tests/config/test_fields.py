"""What each kind of field says about a value that it does not accept."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from e2e_orchestrator.config import fields
from e2e_orchestrator.config.scalars import Plain
from e2e_orchestrator.config.values import Refused

REFUSED = {
    "a NUL in text": (fields.Text, "a\0", "holds a NUL character"),
    "a number from code in text": (fields.Text, 5, "must be text, not {found}"),
    "an empty line": (fields.Line, " ", "must not be empty"),
    "a name with blanks around it": (fields.Name, " a", "starts and ends without blanks"),
    "a name with a comma": (fields.Name, "a,b", "holds no comma"),
    "a name like an option": (fields.Name, "-a", "starts with no dash"),
    "a name without end": (fields.Name, "a" * 151, "longer than the 150 characters"),
    "a phase called all": (fields.PhaseName, "all", "stands for every phase"),
    "text for a number": (fields.Count, "5", "must be a whole number"),
    "a fraction for a count": (fields.Count, Plain("1.5"), "must be a whole number"),
    "too many": (fields.Count, 1001, "must be from 0 to 1000"),
    "a switch for a factor": (fields.Factor, Plain("yes"), "must be a number"),
    "a factor that shrinks": (fields.Factor, 0.5, "must be from 1 to 100"),
    "more than a whole share": (fields.Share, 1.5, "must be from 0 to 1"),
    "a switch for a duration": (fields.Duration, Plain("yes"), "must be a duration"),
    "a list for a duration": (fields.Duration, [5], "must be a duration"),
    "a list for workers": (fields.Workers, [5], "must be auto or a whole number"),
    "an address of something else": (fields.HttpAddress, "ftp://a", "must be an address"),
    "no run kept at all": (fields.Kept, 0, "must be at least 1"),
    "a word for a number of runs": (fields.Kept, "many", "must be a whole number"),
    "a size that is none": (fields.Size, "huge", "is not a size"),
    "a switch for a size": (fields.Size, Plain("yes"), "must be a size"),
    "an equals sign in a variable": (fields.Env, {"A=B": "c"}, "cannot be the name of a variable"),
}
ACCEPTED = {
    "a switch from code": (fields.Switch, True, True),
    "a count from code": (fields.Count, 3, 3),
    "a factor from code": (fields.Factor, 2, 2.0),
    "every run kept": (fields.Kept, "unlimited", None),
    "a number of runs": (fields.Kept, Plain("7"), 7),
    "any size": (fields.Size, "unlimited", None),
    "a size": (fields.Size, "1GiB", 1 << 30),
    "a fraction": (fields.Share, Plain("0.5"), 0.5),
    "an IPv6 address": (fields.TcpAddress, "[::1]:80", "[::1]:80"),
    "a name with blanks inside": (fields.PhaseName, "Smoke tests", "Smoke tests"),
}


@pytest.mark.parametrize(("kind", "value", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses(kind: Any, value, says):
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    (error,) = refused.value.errors()
    cause = error["ctx"]["error"]
    assert isinstance(cause, Refused)
    assert says in cause.message


@pytest.mark.parametrize(("kind", "value", "result"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_it_accepts(kind: Any, value, result):
    assert TypeAdapter(kind).validate_python(value) == result
