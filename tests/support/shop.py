"""The example in examples/shop, and the interpreter that has what its tests need."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "examples" / "shop"


def shop_python() -> str:
    """With Django, pytest-django and e2e-orchestrator; ./setup makes it where it is missing.

    E2E_TEST_SHOP_PYTHON names another one.
    """
    asked = os.environ.get("E2E_TEST_SHOP_PYTHON")
    if asked:
        return asked
    subprocess.run([SHOP / "setup", "--runner"], check=True, timeout=600)
    return str(SHOP / ".venv" / "bin" / "python")
