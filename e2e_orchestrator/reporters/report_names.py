"""Under which file name each pytest test's report stands in the output folder: a matter of the plan alone."""

import re
from collections import Counter
from hashlib import sha256

from e2e_orchestrator.model.plan import Plan, Test

_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST = 120
_TAKEN = frozenset({"e2e-results.json", "durations.json"})


def report_names(plan: Plan) -> dict[str, str]:
    """File name by test id, for tests of kind pytest.

    ``<test>.json``; ``<phase>.<test>.json`` for all tests that share a name, and with a part of the
    test id's hash where even that would not tell two apart. Names that differ only in case count as
    the same, because on some file systems they are.
    """
    tests = [test for test in plan.tests if test.kind == "pytest"]
    names = {test.id: _safe(test.name) for test in tests}
    for lengthen in (_with_phase, _with_hash):
        clashing = _clashes(names)
        names.update((test.id, lengthen(test)) for test in tests if test.id in clashing)
    return names


def _clashes(names: dict[str, str]) -> set[str]:
    uses = Counter(name.casefold() for name in names.values())
    return {key for key, name in names.items() if uses[name.casefold()] > 1 or name.casefold() in _TAKEN}


def _with_phase(test: Test) -> str:
    return _safe(f"{test.phase}.{test.name}")


def _with_hash(test: Test) -> str:
    return _safe(f"{test.phase}.{test.name}-{_hash(test.id)}")


def _safe(name: str) -> str:
    """No separators, no hidden files, no more bytes than a file system takes."""
    safe = _UNSAFE.sub("_", name.encode("utf-8", "replace").decode("utf-8")).strip(".") or "test"
    if len(safe.encode()) > _LONGEST:
        safe = f"{safe.encode()[:_LONGEST].decode('utf-8', 'ignore')}-{_hash(name)}"
    return f"{safe}.json"


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
