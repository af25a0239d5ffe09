"""Events survive the way to the journal and back, whatever is in them."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope, Event, RunStarted, decode, encode
from e2e_orchestrator.model.outcomes import Case, CaseStatus
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.service import TcpProbe


def _mapping(kind: Any) -> st.SearchStrategy[Any]:
    key, value = (st.from_type(one) for one in get_args(kind))
    return st.dictionaries(key, value, max_size=2)


st.register_type_strategy(Mapping, _mapping)
ANY_EVENT: st.SearchStrategy[Any] = st.one_of(*(st.from_type(kind) for kind in get_args(Event)))


@settings(max_examples=60, deadline=None)
@given(event=ANY_EVENT)
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    envelope = Envelope(seq=1, at="t", mono=0.5, event=event)
    line = encode(envelope)
    assert b"\n" not in line
    assert encode(decode(line)) == line


def test_a_lone_surrogate_does_not_stop_the_journal() -> None:
    envelope = Envelope(seq=1, at="t", mono=0, event=events.Warned(message="caf\udce9"))
    decoded = decode(encode(envelope)).event
    assert decoded == events.Warned(message="caf?")


@pytest.mark.parametrize("seconds", [math.inf, -math.inf, math.nan])
def test_a_duration_that_is_no_number_does_not_lose_the_event(seconds: float) -> None:
    case = Case(id="x", status=CaseStatus.PASSED, duration=seconds)
    line = encode(Envelope(seq=1, at="t", mono=0, event=events.CaseFinished(test="t", attempt=1, case=case)))
    json.loads(line, parse_constant=pytest.fail)
    decoded = decode(line).event
    assert isinstance(decoded, events.CaseFinished)
    assert repr(decoded.case.duration) == repr(seconds)


def test_every_kind_of_event_has_a_type_of_its_own() -> None:
    types = [field.default for kind in get_args(Event) for field in fields(kind) if field.name == "type"]
    assert len(set(types)) == len(types) == len(get_args(Event))


def test_a_plan_of_an_earlier_version_is_read() -> None:
    plan = Plan(project="p", config="c", root="/", timeout=1.0, workers=1, phases=())
    begun = Envelope(
        seq=1, at="", mono=0.0, event=RunStarted(run_id="r", started_at="", version="0", plan=plan)
    )
    written = json.loads(encode(begun))
    common = {"name": "db", "command": ["db"], "cwd": "/", "env": {}, "stop_grace": 2.0}
    asked = {"http": None, "tcp": "localhost:1", "timeout": 5.0, "interval": 0.1}
    written["event"]["plan"]["services"] = [{**common, "ready": asked}, {**common, "ready": None}]
    read = decode(json.dumps(written)).event
    assert isinstance(read, RunStarted)
    first, second = read.plan.services
    assert (first.ready, first.stop.grace) == ((TcpProbe(tcp="localhost:1", timeout=5.0),), 2.0)
    assert second.ready == ()
