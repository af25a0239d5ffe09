"""Node's compile cache: what one Node has compiled, the next one loads."""

from collections.abc import Mapping
from pathlib import Path

# With any of these somebody has decided; coverage of what comes out of the cache is less exact.
_DECIDED = ("NODE_COMPILE_CACHE", "NODE_DISABLE_COMPILE_CACHE", "NODE_V8_COVERAGE")


def compile_cache(seen: Mapping[str, str]) -> dict[str, str]:
    """The variable for a child with this environment; empty if there is no place for it.

    Node before 22.1 does not know the variable. A folder that cannot be written turns the cache off.
    """
    if any(name in seen for name in _DECIDED):
        return {}
    home = seen.get("XDG_CACHE_HOME") or (seen["HOME"] + "/.cache" if seen.get("HOME") else "")
    if not Path(home).is_absolute():
        return {}
    return {"NODE_COMPILE_CACHE": f"{home}/e2e-orchestrator/node"}
