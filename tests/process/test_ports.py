"""Ports that are given once, to one run, and only if nobody listens there."""

import socket

import pytest

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.process.ports import Ports


@pytest.fixture
def free() -> int:
    """Held by nobody, with another one after it."""
    ports = Ports()
    number = ports.take()
    ports.close()
    return number


def test_a_port_is_given_once_also_beside_another_run(free: int) -> None:
    one, other = Ports(begin=lambda _: free), Ports(begin=lambda _: free)
    try:
        given = [one.take(), one.take(), other.take(), other.take()]
        assert len(set(given)) == 4
        assert free in given
    finally:
        one.close()
        other.close()


def test_a_port_may_be_had_by_others_when_its_run_is_over(free: int) -> None:
    for _ in range(2):
        ports = Ports(begin=lambda _: free)
        assert ports.take() == free
        ports.close()


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_that_somebody_listens_on_is_passed_by(
    family: socket.AddressFamily, host: str, free: int
) -> None:
    ports = Ports(begin=lambda _: free)
    with socket.create_server((host, free), family=family):
        assert ports.take() != free
    ports.close()


def test_that_none_is_free_is_said(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr("e2e_orchestrator.process.ports._PORTS", range(free, free + 1))
    one, other = Ports(), Ports()
    assert one.take() == free
    try:
        with pytest.raises(InfrastructureError, match="no port between"):
            other.take()
    finally:
        one.close()
