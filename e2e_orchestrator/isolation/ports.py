"""Ports that one slot has to itself."""

from collections.abc import Mapping, Sequence

from e2e_orchestrator.process.ports import Ports


class SlotPorts:
    def __init__(self, *, ports: Ports | None = None) -> None:
        self._ports = ports or Ports()
        self._of: dict[int, dict[str, int]] = {}

    def of(self, slot: int, variables: Sequence[str]) -> tuple[bool, Mapping[str, str]]:
        """The same ports for a slot again and again, and whether one of them is new.

        Raises InfrastructureError when all are taken.
        """
        ports = self._of.setdefault(slot, {})
        missing = [variable for variable in variables if variable not in ports]
        for variable in missing:
            ports[variable] = self._ports.take()
        return bool(missing), {variable: str(ports[variable]) for variable in variables}

    def owned_by(self, slot: int) -> dict[str, str]:
        return {variable: str(port) for variable, port in self._of.get(slot, {}).items()}

    def close(self) -> None:
        self._ports.close()
        self._of.clear()
