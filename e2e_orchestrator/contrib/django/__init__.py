"""``ConcurrentTestRunner`` for TEST_RUNNER, and an app that teaches ``manage.py test`` the option --runner."""

from typing import Any

__all__ = ["ConcurrentTestRunner"]


def __getattr__(name: str) -> Any:
    """Loads the runner when it is named: as an app this package is imported by every process of a project."""
    if name == "ConcurrentTestRunner":
        # Django's test runner and what it needs cost up to 300 ms, which a web server need not pay.
        from e2e_orchestrator.contrib.django.runner import ConcurrentTestRunner  # noqa: PLC0415

        return ConcurrentTestRunner
    raise AttributeError(name)
