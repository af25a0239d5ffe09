"""``python -m e2e_orchestrator`` is the same program as ``e2e-orchestrate``."""

from e2e_orchestrator.cli.main import main

main()
