"""Ports of a slot: its own, the same again and again, and free."""

import socket

from e2e_orchestrator.isolation.ports import SlotPorts


def test_a_slot_keeps_its_ports_and_shares_none() -> None:
    one, other = SlotPorts(), SlotPorts()  # As in two runs.
    try:
        new, first = one.of(0, ["A", "B"])
        assert new
        assert one.of(0, ["A", "B"]) == (False, first)
        _, second = one.of(1, ["A"])
        _, third = other.of(0, ["A", "B"])
        ports = [*first.values(), *second.values(), *third.values()]
        assert len(set(ports)) == 5
    finally:
        one.close()
        other.close()


def test_a_port_that_somebody_listens_on_is_passed_by() -> None:
    class First:
        """Begins to look where somebody listens."""

        def __init__(self, port: int) -> None:
            self.port = port

        def choice(self, _: object) -> int:
            return self.port

    trial = SlotPorts()
    free = int(trial.of(0, ["A"])[1]["A"])
    trial.close()
    with socket.create_server(("127.0.0.1", free)):
        ports = SlotPorts(shuffled=First(free))  # type: ignore[arg-type]
        try:
            assert ports.of(0, ["A"])[1]["A"] != str(free)
        finally:
            ports.close()
