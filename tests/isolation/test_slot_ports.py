"""Ports of a slot: its own, the same again and again, and free."""

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
