"""Reads what earlier versions wrote into their journals in another shape."""

from typing import Any


def with_services_of_today(envelope: Any) -> bool:
    """Changes a plan's services in place to their present shape; false if there was nothing to change.

    There was one question in ``ready``, or null, and ``stop_grace`` stood by itself.
    """
    match envelope:
        case {"event": {"plan": {"services": [*services]}}}:
            earlier = [one for one in services if isinstance(one, dict) and "stop_grace" in one]
        case _:
            return False
    for service in earlier:
        ready = service.pop("ready", None)
        service["ready"] = [_question(ready)] if isinstance(ready, dict) else []
        service["stop"] = {"grace": service.pop("stop_grace")}
    return bool(earlier)


def _question(ready: dict[str, Any]) -> dict[str, Any]:
    kind = "http" if ready.get("http") else "tcp"
    asked = {key: ready[key] for key in (kind, "timeout", "interval") if key in ready}
    return {"kind": kind, **asked}
