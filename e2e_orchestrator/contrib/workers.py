"""How many workers a program that runs us from inside is to have; needs nothing but the environment."""

from collections.abc import Mapping

VARIABLES = ("DJANGO_TEST_WORKERS", "E2E_ORCHESTRATE_WORKERS")
OPT_IN = "DJANGO_ENABLE_CONCURRENT"
_NO = frozenset({"0", "no", "off", "false"})


def asked_workers(environ: Mapping[str, str]) -> int | None:
    """What the first variable that is set says; None for ``auto`` and if none is.

    Raises ValueError with the variable's name for what is no number from 1.
    """
    for name in VARIABLES:
        text = environ.get(name, "").strip()
        if text and text != "auto":
            if not text.isdecimal() or int(text) < 1:
                raise ValueError(f"{name} must be auto or a whole number from 1, not {text!r}")
            return int(text)
    return None


def opted_out(environ: Mapping[str, str]) -> bool:
    """Whether the variable forbids it; who names this runner, and no variable, has opted in."""
    return environ.get(OPT_IN, "").strip().lower() in _NO


def inside_a_run(environ: Mapping[str, str]) -> bool:
    """Whether an orchestrator started this process: then it is a worker itself."""
    return bool(environ.get("E2E_RUN_ID") and environ.get("E2E_EVENTS"))
